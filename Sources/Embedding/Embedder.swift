import Kernels
import Primitives
import Tokens

/// Turns windows of token ids into vectors of length 1. The vector of a window depends on the window alone, not on its
/// neighbours or the number of threads.
package protocol Embedder: Sendable {
  /// One line that names the model and everything it was fitted on.
  var fingerprint: String { get }
  /// The fingerprint of the tokenizer whose ids it understands.
  var tokenizer: String { get }
  /// Dimensions of a vector.
  var dimensions: Int { get }
  /// Embeds windows.
  /// - Parameters:
  ///   - windows: the token ids of each window.
  ///   - pool: where the windows run.
  /// - Returns: [windows, dimensions], row-major; zero where a window has no feature.
  func embed(_ windows: [[Int32]], pool: ThreadPool) throws -> [Float]
  /// Embeds windows of a source, to the same vectors as their tokens; a model that has met them before need not read them.
  /// - Parameters:
  ///   - range: numbers of windows.
  ///   - windows: where they are.
  ///   - pool: where the windows run.
  /// - Returns: [windows, dimensions], row-major; zero where a window has no feature.
  func embed(_ range: Range<Int>, of windows: WindowReader, pool: ThreadPool) throws -> [Float]
  /// Saves the embedder's files in a folder, which is made where it is not there.
  func save(to folder: String) throws
}

extension Embedder {
  /// Reads the windows and embeds their tokens.
  package func embed(_ range: Range<Int>, of windows: WindowReader, pool: ThreadPool) throws -> [Float] {
    try embed(windows.tokens(range, pool: pool), pool: pool)
  }

  /// Throws where token ids of another tokenizer are to be embedded.
  /// - Parameters:
  ///   - tokenizer: the fingerprint of the data's tokenizer.
  ///   - place: the data, for the message.
  package func check(tokenizer: String, place: String) throws {
    guard tokenizer == self.tokenizer else {
      throw WeirError(
        place, "was tokenized with \(tokenizer), the embedder understands \(self.tokenizer)",
        remedy: "tokenize with the embedder's tokenizer or fit another embedder")
    }
  }
}

/// Windows by number, wherever they live: a token dataset, or an array.
package struct WindowReader: Sendable {
  /// The number of windows.
  package let count: Int
  /// What names them and everything in them; nil where nothing does.
  package let source: String?
  private let read: @Sendable (Int) throws -> [Int32]

  /// Creates a reader.
  /// - Parameters:
  ///   - count: the number of windows.
  ///   - source: what names them and everything in them.
  ///   - read: the token ids of a window; called from several threads.
  package init(count: Int, source: String? = nil, read: @escaping @Sendable (Int) throws -> [Int32]) {
    self.count = count
    self.source = source
    self.read = read
  }

  /// A reader of windows in memory.
  package init(_ windows: [[Int32]]) { self.init(count: windows.count) { windows[$0] } }

  /// The token ids of window `index`.
  package func tokens(_ index: Int) throws -> [Int32] { try read(index) }

  /// The token ids of the windows of a range, read on several threads.
  package func tokens(_ range: Range<Int>, pool: ThreadPool) throws -> [[Int32]] {
    var found = [Result<[Int32], any Error>](repeating: .success([]), count: range.count)
    found.withUnsafeMutableBufferPointer { found in
      nonisolated(unsafe) let out = found
      pool.ranges(range.count, grain: 256) { part in
        for index in part { out[index] = Result { try read(range.lowerBound + index) } }
      }
    }
    return try found.map { try $0.get() }
  }

  /// The windows of a dataset, without end-of-document tokens: new text is embedded without them too.
  package init(_ dataset: TokenDataset) {
    self.init(count: dataset.windowCount, source: dataset.fingerprint) { index in
      let window = dataset.window(index)
      var tokens = try dataset.tokens(document: window.document, range: window.offset..<window.offset + window.count)
      if tokens.last == Int32(truncatingIfNeeded: dataset.endOfDocument) { tokens.removeLast() }
      return tokens
    }
  }

  /// The windows of a document of token ids that is in no dataset, as the dataset would cut them; none for an empty one.
  package static func windows(of tokens: [UInt32]) -> [[Int32]] {
    stride(from: 0, to: tokens.count, by: Window.maximum).map { start in
      tokens[start..<min(tokens.count, start + Window.maximum)].map { Int32(bitPattern: $0) }
    }
  }
}
