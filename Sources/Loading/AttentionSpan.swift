/// What a position of a row may attend to.
package enum AttentionSpan: String, Codable, Sendable, CaseIterable {
  /// The positions before it in its segment.
  case documents
  /// All positions before it in the row, across documents. The targets are the same.
  case full
}
