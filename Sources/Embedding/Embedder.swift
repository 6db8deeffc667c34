import Kernels
import Primitives
import Tokens

/// Computes a vector of length 1 for each window of token ids. The vector depends on the window alone, not on its neighbors or on the number
/// of threads.
package protocol Embedder: Sendable {
  /// Identifies the model and everything it was fitted on.
  var fingerprint: String { get }
  /// The fingerprint of the tokenizer of the windows.
  var tokenizer: String { get }
  var dimensions: Int { get }
  /// Embeds windows.
  /// - Returns: [windows, dimensions], row-major; zero for a window without features.
  func embed(_ windows: [[Int32]], pool: ThreadPool) throws -> [Float]
  /// Embeds a range of windows of a reader, with the same result as for their tokens. A model that was fitted on them need not read them again.
  /// - Returns: [windows, dimensions], row-major; zero for a window without features.
  func embed(_ range: Range<Int>, of windows: WindowReader, pool: ThreadPool) throws -> [Float]
  /// How many tokens of the windows are features that the model knows; nil where it knows all that a tokenizer makes.
  func knownTokens(_ windows: [[Int32]]) -> Int?
  /// Saves the embedder in a folder, which is created if needed.
  func save(to folder: String) throws
}

extension Embedder {
  package func knownTokens(_ windows: [[Int32]]) -> Int? { nil }

  package func embed(_ range: Range<Int>, of windows: WindowReader, pool: ThreadPool) throws -> [Float] {
    try embed(windows.tokens(range, pool: pool), pool: pool)
  }

  /// Throws `WeirError` if the data's tokenizer is not that of the embedder.
  /// - Parameters:
  ///   - tokenizer: the fingerprint of the data's tokenizer.
  ///   - place: the data, for the error.
  package func check(tokenizer: String, place: String) throws {
    guard tokenizer == self.tokenizer else {
      throw WeirError(
        place, "was tokenized with \(tokenizer), but the embedder expects \(self.tokenizer)",
        remedy: "tokenize with the embedder's tokenizer, or fit another embedder")
    }
  }
}

/// Reads windows by number, from a token dataset or from memory.
package struct WindowReader: Sendable {
  package let count: Int
  /// Identifies the windows and their content, if known.
  package let source: String?
  private let read: @Sendable (Int) throws -> [Int32]

  /// - Parameter read: returns the token ids of a window; called from several threads.
  package init(count: Int, source: String? = nil, read: @escaping @Sendable (Int) throws -> [Int32]) {
    self.count = count
    self.source = source
    self.read = read
  }

  /// Reads windows in memory.
  package init(_ windows: [[Int32]]) { self.init(count: windows.count) { windows[$0] } }

  /// The token ids of one window.
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

  /// Reads the windows of a dataset, without end-of-document tokens.
  package init(_ dataset: TokenDataset) {
    self.init(count: dataset.windowCount, source: dataset.fingerprint) { index in
      let window = dataset.window(index)
      var tokens = try dataset.tokens(document: window.document, range: window.offset..<window.offset + window.count)
      if tokens.last == Int32(truncatingIfNeeded: dataset.endOfDocument) { tokens.removeLast() }
      return tokens
    }
  }
}
