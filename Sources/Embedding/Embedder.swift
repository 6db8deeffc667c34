import Kernels

/// Turns windows of token ids into vectors of length 1. The vector of a window depends on the window alone, not on its
/// neighbours or the number of threads.
public protocol Embedder: Sendable {
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
}

/// Windows by number, wherever they live: a token dataset, or an array.
public struct WindowReader: Sendable {
  /// The number of windows.
  public let count: Int
  private let read: @Sendable (Int) throws -> [Int32]

  /// Creates a reader.
  /// - Parameters:
  ///   - count: the number of windows.
  ///   - read: the token ids of a window; called from several threads.
  public init(count: Int, read: @escaping @Sendable (Int) throws -> [Int32]) {
    self.count = count
    self.read = read
  }

  /// A reader of windows in memory.
  public init(_ windows: [[Int32]]) { self.init(count: windows.count) { windows[$0] } }

  /// The token ids of window `index`.
  public func tokens(_ index: Int) throws -> [Int32] { try read(index) }
}
