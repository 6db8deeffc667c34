/// The unit of an export: the tokens of a document, of a segment of one, or of a row.
package struct ExportSample: Sendable, Equatable {
  package var id: String
  /// The source according to the corpus; empty if unknown.
  package var source: String
  /// `path:line` of the file that the document was first read from; empty if unknown.
  package var origin: String
  /// The tokens as they are written.
  package var tokens: [Int32]
  /// The segments of a row; empty for a document and for a part of one.
  package var segments: [ExportSegment] = []

  package init(id: String, source: String = "", origin: String = "", tokens: [Int32], segments: [ExportSegment] = []) {
    self.id = id
    self.source = source
    self.origin = origin
    self.tokens = tokens
    self.segments = segments
  }
}

/// A segment of a row: consecutive tokens of one document.
package struct ExportSegment: Sendable, Equatable {
  /// The first position in the row.
  package var start: Int
  /// The number of tokens.
  package var count: Int
  /// The document in the dataset.
  package var document: Int
  /// The first token in the document.
  package var offset: Int
  /// Id and origin of the document; empty where the format does not name them.
  package var id = ""
  package var origin = ""

  package init(start: Int, count: Int, document: Int, offset: Int) {
    (self.start, self.count, self.document, self.offset) = (start, count, document, offset)
  }
}

/// Samples in the order in which they are written. Lengths are known before the samples are read.
package protocol ExportSource {
  var count: Int { get }
  /// The number of tokens of every row, where the samples are rows with segments; nil for documents and parts of them.
  var fixedLength: Int? { get }
  /// The number of tokens of a sample.
  func length(_ index: Int) -> Int
  func sample(_ index: Int) throws -> ExportSample
}

extension ExportSource {
  package var fixedLength: Int? { nil }
}
