import Tokens

/// What packed rows come to.
package struct PackReport: Codable, Sendable, Equatable {
  package var path: String
  package var sequence: Int
  package var groups: Int
  package var rows: Int
  /// Without padding.
  package var tokens: Int
  package var padding: Int
  /// Documents, and parts of documents that lie in one group, that are in more than one segment.
  package var cutDocuments: Int
  package var paddingShare: Double
  package var documentsPerRow: Double
  /// The share of tokens in segments that hold a whole document.
  package var wholeShare: Double

  private enum CodingKeys: String, CodingKey {
    case path, sequence, groups, rows, tokens, padding
    case cutDocuments = "cut_documents"
    case paddingShare = "padding_share"
    case documentsPerRow = "documents_per_row"
    case wholeShare = "whole_document_share"
  }

  package init(_ packed: PackedRows) {
    func count(_ name: String) -> Int { packed.manifest.counts[name] ?? 0 }
    (path, sequence, groups, rows) = (packed.path, packed.sequence, packed.groups.count, packed.rowCount)
    (tokens, padding, cutDocuments) = (count("tokens"), count("padding"), count("cut_documents"))
    paddingShare = Double(padding) / Double(max(1, tokens + padding))
    documentsPerRow = Double(packed.segmentCount) / Double(max(1, rows))
    wholeShare = Double(count("whole_document_tokens")) / Double(max(1, tokens))
  }
}
