import Foundation
import Primitives
import Storage

/// Where documents come from, in any order: the beginnings of their lines are found in one pass, 8 bytes a document.
package final class DocumentInfoReader: Sendable {
  /// The dataset.
  package let dataset: TokenDataset
  private let lines: [Int]

  /// Finds the lines.
  /// - Throws: `WeirError` where a shard has fewer lines than documents.
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

  /// Where one document comes from.
  package func info(_ document: Int) throws -> TokenDataset.DocumentInfo { try dataset.info(document, at: lines[document]) }
}
