import Foundation

/// Random access to the metadata of documents. One pass finds the start of every line, 8 bytes per document.
package final class DocumentInfoReader: Sendable {
  package let dataset: TokenDataset
  private let lines: [Int]

  /// - Throws: `WeirError` if a shard has fewer lines than documents.
  package init(_ dataset: TokenDataset) throws {
    self.dataset = dataset
    var lines: [Int] = []
    lines.reserveCapacity(dataset.documentCount)
    try dataset.forEachLine {
      lines.append($1)
      return true
    }
    self.lines = lines
  }

  package func info(_ document: Int) throws -> TokenDataset.DocumentInfo { try dataset.info(document, at: lines[document]) }
}
