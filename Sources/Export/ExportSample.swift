/// What is written as one: the tokens of a document, of a part of one, or of a row.
package struct ExportSample: Sendable, Equatable {
  /// The document's name.
  package var id: String
  /// Where the corpus says it comes from; empty where that is not known.
  package var source: String
  /// `path:line` of the file it was first read from; empty where that is not known.
  package var origin: String
  /// The tokens as they are to be written.
  package var tokens: [Int32]

  /// Creates a sample.
  package init(id: String, source: String = "", origin: String = "", tokens: [Int32]) {
    self.id = id
    self.source = source
    self.origin = origin
    self.tokens = tokens
  }
}

/// Samples in the order in which they are written; their lengths are known before they are read.
package protocol ExportSource {
  /// The number of samples.
  var count: Int { get }
  /// Tokens of a sample as they are to be written.
  func length(_ index: Int) -> Int
  /// A sample.
  func sample(_ index: Int) throws -> ExportSample
}
