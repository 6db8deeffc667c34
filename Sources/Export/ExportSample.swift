/// The unit of an export: the tokens of a document, of a segment of one, or of a row.
package struct ExportSample: Sendable, Equatable {
  package var id: String
  /// The source according to the corpus; empty if unknown.
  package var source: String
  /// `path:line` of the file that the document was first read from; empty if unknown.
  package var origin: String
  /// The tokens as they are written.
  package var tokens: [Int32]

  package init(id: String, source: String = "", origin: String = "", tokens: [Int32]) {
    self.id = id
    self.source = source
    self.origin = origin
    self.tokens = tokens
  }
}

/// Samples in the order in which they are written. Lengths are known before the samples are read.
package protocol ExportSource {
  var count: Int { get }
  /// The number of tokens of every sample; nil if they differ.
  var fixedLength: Int? { get }
  /// The number of tokens of a sample.
  func length(_ index: Int) -> Int
  func sample(_ index: Int) throws -> ExportSample
}

extension ExportSource {
  package var fixedLength: Int? { nil }
}
