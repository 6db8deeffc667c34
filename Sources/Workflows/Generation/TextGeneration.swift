import Tokenization
import Training

/// Continues a text with a model.
package struct TextGeneration {
  private let tokenizer: Tokenizer
  private let generator: Generator
  private let stops: Set<Int32>

  /// - Parameter model: a model folder or a run.
  package init(model: String, threads: Int) throws {
    let folder = try ModelFolder.locate(model)
    tokenizer = try Models.tokenizer(model)
    generator = try Generator(folder: folder, threads: threads)
    stops = Set(ModelFolder.endings(folder).compactMap { Int32(exactly: $0) }).union(tokenizer.endOfDocument.map { [Int32($0)] } ?? [])
  }

  /// Generates text after a prompt; an empty prompt is replaced by the end-of-document token.
  /// - Parameters:
  ///   - tokens: the most tokens to generate.
  ///   - write: receives the text in pieces of whole characters.
  ///   - isStopping: asked after every token.
  package func run(
    prompt: [UInt8], tokens: Int, decoding: DecodingConfiguration, write: (String) throws -> Void, isStopping: () -> Bool = { false }
  ) throws {
    try decoding.validate()
    var ids: [UInt32] = [], context = EncodeContext()
    tokenizer.encode(prompt, into: &ids, context: &context)
    if ids.isEmpty, let end = tokenizer.endOfDocument { ids = [end] }
    var text = CharacterStream()
    try generator.generate(prompt: ids.map { Int32($0) }, count: tokens, decoding: decoding, stops: stops) { id in
      let piece = text.append(tokenizer.bytes(of: UInt32(id)))
      if !piece.isEmpty { try write(piece) }
      return !isStopping()
    }
    try write(text.finish())
  }
}
