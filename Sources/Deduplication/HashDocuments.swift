import CKernels
import Documents
import Pipeline
import Storage

/// What exact deduplication compares.
package enum ExactUnit: String, Sendable, Codable {
  /// Whole documents.
  case documents
  /// Paragraphs: at blank lines where the document has one, otherwise at line ends.
  case paragraphs
  /// Lines.
  case lines

  /// Where the pieces of a text are.
  func extents(_ text: UnsafeBufferPointer<UInt8>) -> [Range<Int>] {
    switch self {
    case .documents: [0..<text.count]
    case .paragraphs: TextPieces.paragraphs(text)
    case .lines: TextPieces.lines(text)
    }
  }
}

/// A batch with the fingerprints of what is compared.
package struct HashedDocuments: Sendable {
  /// The documents.
  package var documents: [Document]
  /// The pieces of all documents, in the order of the texts, and what they are compared by: the fingerprint of the normalised text, zeros
  /// where there is none or it is too short to count.
  var extents: [Range<Int>] = []
  var keys: [Checksum128] = []
  /// Where the pieces of each document end.
  var ends: [Int] = []
}

/// Fingerprints every document, paragraph or line: XXH3-128 of the text in which every run of Unicode white space is one blank and none is
/// at the ends. Letters keep their case. The stage counts nothing: `ExactDeduplicator` does.
package struct HashDocuments: Stage {
  private let unit: ExactUnit
  private let minimumBytes: Int

  /// Creates the stage.
  package init(_ unit: ExactUnit = .documents, configuration: DeduplicationConfiguration = .init()) {
    self.unit = unit
    minimumBytes = unit == .documents ? 0 : max(1, configuration.minimumParagraphBytes)
  }

  /// None: nothing is taken out here.
  package var names: [String] { [] }

  /// Fingerprints one batch.
  package func apply(_ batch: [Document], ledger: inout Ledger, offset: Int) -> HashedDocuments {
    var result = HashedDocuments(documents: batch)
    result.ends.reserveCapacity(batch.count)
    let scratch = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: batch.reduce(0) { max($0, $1.text.count) } + 64)
    defer { scratch.deallocate() }
    for document in batch {
      document.text.withUnsafeBufferPointer { text in
        for extent in unit.extents(text) {
          var key = Checksum128(high: 0, low: 0)
          var count = 0
          if let from = text.baseAddress, let to = scratch.baseAddress {
            count = weir_collapse_space(from + extent.lowerBound, extent.count, to)
          }
          if count >= minimumBytes {
            key = Checksum128(UnsafeRawBufferPointer(start: scratch.baseAddress, count: count))
            if key == Checksum128(high: 0, low: 0) { key.low = 1 }
          }
          result.keys.append(key)
          result.extents.append(extent)
        }
      }
      result.ends.append(result.keys.count)
    }
    return result
  }
}
