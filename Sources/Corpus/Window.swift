/// A window: at most `Window.maximum` consecutive tokens of one document (CRISP §3: a short document is one window, a long one several).
public struct Window: Sendable, Equatable {
  /// The most tokens a window holds.
  public static let maximum = 1_024

  /// The document in the dataset.
  public var document: Int
  /// The first token in the document.
  public var offset: Int
  /// The number of tokens.
  public var count: Int

  /// Creates a window.
  public init(document: Int, offset: Int, count: Int) {
    self.document = document
    self.offset = offset
    self.count = count
  }
}
