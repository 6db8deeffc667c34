import Kernels
import Primitives
import Storage
import Tokenization

/// A sentence encoder on windows of another tokenizer: a window is decoded to text, the text becomes WordPiece ids, and those a vector.
///
/// The encoder sees up to 254 pieces at a time. The vector of a longer window is the mean over its parts, scaled to length 1 (our choice; the
/// CRISP paper does not say).
package struct TextEmbedder: Embedder {
  package struct Configuration: Sendable, Codable, Equatable {
    /// Which parts of a window are embedded.
    package enum Parts: String, Sendable, Codable, CaseIterable {
      /// The first 254 pieces.
      case first
      /// All, 254 pieces each.
      case all
    }
    /// The precision of the encoder's matrices; sums are in single precision.
    package enum Precision: String, Sendable, Codable, CaseIterable {
      case float32, bfloat16
    }
    package var parts: Parts
    package var precision: Precision

    package init(parts: Parts = .all, precision: Precision = .float32) {
      self.parts = parts
      self.precision = precision
    }
  }

  package let configuration: Configuration
  package let encoder: SentenceEncoder
  package let tokenizer: String
  package var fingerprint: String { "minilm \(encoder.fingerprint) \(configuration.parts.rawValue)" }
  package var dimensions: Int { encoder.dimensions }

  private let source: String
  private let windowTokenizer: Tokenizer
  private let pieces: WordPiece
  /// The ids of [CLS] and [SEP].
  private let markers: (first: Int32, last: Int32)

  /// Opens a sentence encoder.
  /// - Parameters:
  ///   - folder: config.json, model.safetensors and a WordPiece vocabulary, as sentence-transformers saves them.
  ///   - tokenizer: the tokenizer of the windows.
  package init(encoder folder: String, configuration: Configuration, tokenizer: Tokenizer) throws {
    guard Files.isFolder(folder) else {
      throw WeirError(
        "model", "folder \"\(folder)\" does not exist",
        remedy: "name a folder of sentence-transformers with a sentence encoder, such as all-MiniLM-L6-v2")
    }
    pieces = try WordPiece(reading: folder)
    guard let first = pieces.id(of: "[CLS]"), let last = pieces.id(of: "[SEP]") else {
      throw WeirError(folder, "its vocabulary has no [CLS] and [SEP]", remedy: "download the model again")
    }
    markers = (Int32(first), Int32(last))
    encoder = try SentenceEncoder(folder: folder, half: configuration.precision == .bfloat16)
    self.configuration = configuration
    self.tokenizer = tokenizer.fingerprint
    windowTokenizer = tokenizer
    source = folder
  }

  /// Opens an embedder that was saved.
  package init(folder: String) throws {
    let description = try EmbedderFolder.description(folder, kind: "minilm", as: Configuration.self)
    let folder = EmbedderFolder.resolved(folder)
    try self.init(encoder: folder, configuration: description.configuration, tokenizer: Tokenizer(folder: folder + "/tokenizer"))
  }

  package func embed(_ windows: [[Int32]], pool: ThreadPool) throws -> [Float] {
    var all = [[Int32]](repeating: [], count: windows.count)
    all.withUnsafeMutableBufferPointer { all in
      nonisolated(unsafe) let out = all
      pool.ranges(windows.count, grain: 16) { range in for window in range { out[window] = pieceIDs(windows[window]) } }
    }
    let most = encoder.longest - 2
    var parts: [[Int32]] = []
    var owners: [Int] = []
    for (window, pieces) in all.enumerated() {
      for start in stride(from: 0, to: configuration.parts == .first ? min(1, pieces.count) : pieces.count, by: most) {
        parts.append([markers.first] + pieces[start..<min(pieces.count, start + most)] + [markers.last])
        owners.append(window)
      }
    }
    let vectors = try encoder.encode(parts, pool: pool)
    let width = dimensions
    var result = [Float](repeating: 0, count: windows.count * width)
    for (part, window) in owners.enumerated() {
      for j in 0..<width { result[window * width + j] += vectors[part * width + j] }
    }
    for window in windows.indices {
      var square = 0.0
      for j in window * width..<(window + 1) * width { square += Double(result[j]) * Double(result[j]) }
      guard square > 0 else { continue }
      for j in window * width..<(window + 1) * width { result[j] = Float(Double(result[j]) / square.squareRoot()) }
    }
    return result
  }

  /// The WordPiece ids of a window.
  private func pieceIDs(_ window: [Int32]) -> [Int32] {
    pieces.encode(String(decoding: windowTokenizer.text(of: window), as: UTF8.self)).map { Int32(bitPattern: $0) }
  }

  /// Saves `embedder.json`, the files of the encoder, and both tokenizers.
  package func save(to folder: String) throws {
    try EmbedderFolder.describe(self, kind: "minilm", configuration, in: folder)
    for name in ["config.json", EmbedderFolder.modelFile] {
      try Files.write(Files.readWhole(source + "/" + name, limit: .max), to: folder + "/" + name)
    }
    for name in [StoredTokenizer.fileName, "vocab.txt"] where Files.exists(source + "/" + name) {
      try Files.write(Files.readWhole(source + "/" + name), to: folder + "/" + name)
    }
    try Files.createFolder(folder + "/tokenizer")
    try windowTokenizer.writeFiles(in: folder + "/tokenizer")
  }
}
