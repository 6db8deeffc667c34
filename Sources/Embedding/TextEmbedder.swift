import Kernels
import Primitives
import Storage

/// A sentence encoder on windows of another tokenizer: tokens become text, text becomes word pieces, and those vectors.
///
/// An encoder sees 256 pieces at a time; a window of up to 1,024 tokens is the mean of its parts' vectors, scaled to length 1 (ours; the paper does not say).
/// Turning tokens into pieces is given from outside, because tokenizers live in a target of their own.
package struct TextEmbedder: Embedder {
  /// How windows are embedded.
  package struct Configuration: Sendable, Codable, Equatable {
    /// Which parts of a window are seen.
    package enum Parts: String, Sendable, Codable, CaseIterable {
      /// The first 254 pieces.
      case first
      /// All, 254 pieces each.
      case all
    }
    /// The precision of the encoder's matrices.
    package enum Precision: String, Sendable, Codable, CaseIterable {
      /// Single precision.
      case float32
      /// Rounded to bfloat16, sums in single precision.
      case bfloat16
    }
    /// Which parts of a window are seen.
    package var parts: Parts
    /// The precision of the encoder's matrices.
    package var precision: Precision

    /// Creates the settings.
    package init(parts: Parts = .all, precision: Precision = .float32) {
      self.parts = parts
      self.precision = precision
    }
  }

  /// How windows are embedded.
  package let configuration: Configuration
  /// The encoder.
  package let encoder: SentenceEncoder
  /// The fingerprint of the tokenizer of the windows.
  package let tokenizer: String
  /// The encoder's, the parts and the precision.
  package var fingerprint: String { "minilm \(encoder.fingerprint) \(configuration.parts.rawValue)" }
  /// Dimensions of a vector.
  package var dimensions: Int { encoder.dimensions }

  private let source: String
  private let first: Int32
  private let last: Int32
  private let pieces: @Sendable ([Int32]) -> [Int32]
  private let keep: @Sendable (String) throws -> Void

  /// Creates an embedder.
  /// - Parameters:
  ///   - folder: the encoder's.
  ///   - configuration: the settings.
  ///   - tokenizer: the fingerprint of the windows' tokenizer.
  ///   - markers: the ids of [CLS] and [SEP].
  ///   - pieces: the word pieces of a window of tokens.
  ///   - keep: saves in a folder what `pieces` needs.
  package init(
    folder: String, configuration: Configuration, tokenizer: String, markers: (first: Int32, last: Int32),
    pieces: @escaping @Sendable ([Int32]) -> [Int32], keep: @escaping @Sendable (String) throws -> Void
  ) throws {
    encoder = try SentenceEncoder(folder: folder, half: configuration.precision == .bfloat16)
    self.configuration = configuration
    self.tokenizer = tokenizer
    source = folder
    (first, last) = markers
    self.pieces = pieces
    self.keep = keep
  }

  /// Embeds windows, see `Embedder`.
  package func embed(_ windows: [[Int32]], pool: ThreadPool) throws -> [Float] {
    var all = [[Int32]](repeating: [], count: windows.count)
    all.withUnsafeMutableBufferPointer { all in
      nonisolated(unsafe) let out = all
      pool.ranges(windows.count, grain: 16) { range in for window in range { out[window] = pieces(windows[window]) } }
    }
    let most = encoder.longest - 2
    var parts: [[Int32]] = []
    var owners: [Int] = []
    for (window, pieces) in all.enumerated() {
      for start in stride(from: 0, to: configuration.parts == .first ? min(1, pieces.count) : pieces.count, by: most) {
        parts.append([first] + pieces[start..<min(pieces.count, start + most)] + [last])
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

  /// Saves `embedder.json`, the encoder's files, and what turns tokens into pieces.
  package func save(to folder: String) throws {
    try Files.createFolder(folder)
    for name in ["config.json", "model.safetensors"] { try Files.write(Files.read(source + "/" + name), to: folder + "/" + name) }
    try keep(folder)
    try JSONFile.write(
      EmbedderDescription(kind: "minilm", fingerprint: fingerprint, tokenizer: tokenizer, configuration: configuration),
      to: folder + "/embedder.json")
  }

  /// The settings of an embedder that was saved.
  package static func configuration(of folder: String) throws -> Configuration {
    try EmbedderFolder.description(folder, kind: "minilm", as: Configuration.self).configuration
  }
}
