import Kernels
import Pipeline
import Primitives
import Tokenization
import Training

/// Continues a text with a model.
package struct TextGeneration {
  private let encoder: DocumentEncoder
  private let configuration: ModelConfiguration
  private let parameters: FloatBuffer
  private let pool: ThreadPool
  private let start: Int32?
  private let stops: Set<Int32>

  /// - Parameters:
  ///   - model: a model folder or a run.
  ///   - addsSpecial: whether to add the special tokens around the prompt that transformers adds.
  ///   - allowsSpecials: whether special tokens in the prompt become their ids.
  package init(model: String, addsSpecial: Bool = true, allowsSpecials: Bool = false, threads: Int) throws {
    let folder = try ModelFolder.locate(model)
    encoder = try Models.encoder(model, addsSpecial: addsSpecial, allowsSpecials: allowsSpecials)
    (configuration, parameters) = try ModelFolder.load(folder)
    pool = ThreadPool(threads: threads)
    start = try Models.startToken(folder, encoder.tokenizer)
    stops = Models.stops(folder, encoder.tokenizer)
  }

  /// Generates text after a prompt; an empty prompt is replaced by the token that starts a text.
  /// - Parameters:
  ///   - tokens: the most tokens to generate.
  ///   - write: receives the text in pieces of whole characters.
  ///   - progress: asked after every token whether to stop; receives notes about what is not in the context.
  package func run(
    prompt: [UInt8], tokens: Int, decoding: DecodingConfiguration, progress: Progress = .silent, write: (String) throws -> Void
  ) throws {
    try decoding.validate()
    var encoder = encoder, ids = encoder.encode(text: prompt).map { Int32(bitPattern: $0) }
    if ids.isEmpty, let start { ids = [start] }
    var specials = PlainSpecials()
    specials.add(encoder.plainSpecials(in: prompt))
    specials.note("prompt", progress)
    let (needed, overflow) = ids.count.addingReportingOverflow(tokens), lead = encoder.template.prefix.count
    let generator = Generator(configuration, parameters: parameters, positions: overflow ? .max : needed, pool: pool)
    let positions = generator.positions, dropped = ids.count - positions
    if dropped > 0 {
      progress.note(
        "prompt: has \(Format.count(ids.count)) tokens, more than the model's \(Format.count(positions)) positions; "
          + "the first \(Format.count(dropped)) are dropped")
    }
    var text = CharacterStream(), made = 0
    try generator.generate(prompt: ids, lead: lead, count: tokens, decoding: decoding, stops: stops) { id in
      made += 1
      let piece = text.append(encoder.tokenizer.bytes(of: UInt32(id)))
      if !piece.isEmpty { try write(piece) }
      return !progress.isStopping
    }
    try write(text.finish())
    // The last token is not processed.
    if min(ids.count, positions) + made - 1 > positions {
      progress.note(
        "the text is longer than the model's \(Format.count(positions)) positions; whenever they were full, only the last "
          + "\(Format.count(max(1, positions / 2))) tokens were kept as context")
    }
  }
}
