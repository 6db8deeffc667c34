/// At most `Window.maximum` consecutive tokens of one document, the unit of embedding and clustering (CRISP §3): a short document is one
/// window, a long one several.
public struct Window: Sendable, Equatable {
  /// The maximum number of tokens in a window.
  public static let maximum = 1_024

  /// The document in the dataset.
  public var document: Int
  /// The first token in the document.
  public var offset: Int
  /// The number of tokens.
  public var count: Int
}

extension Window {
  /// Splits the tokens of a document into windows, as a dataset does; none for an empty document.
  package static func split(_ tokens: [UInt32]) -> [[Int32]] {
    stride(from: 0, to: tokens.count, by: maximum).map { start in
      tokens[start..<min(tokens.count, start + maximum)].map { Int32(bitPattern: $0) }
    }
  }
}
