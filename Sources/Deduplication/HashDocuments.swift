import CKernels
import Documents
import Pipeline
import Storage

/// What exact deduplication compares.
package enum ExactUnit: String, Sendable, Codable {
  case documents
  /// Separated by blank lines where the document has one, otherwise by line ends.
  case paragraphs
  case lines

  /// The ranges of the units in a text.
  func extents(_ text: UnsafeBufferPointer<UInt8>) -> [Range<Int>] {
    switch self {
    case .documents: [0..<text.count]
    case .paragraphs: TextPieces.paragraphs(text)
    case .lines: TextPieces.lines(text)
    }
  }
}

/// A batch with the fingerprints that exact deduplication compares.
package struct HashedDocuments: Sendable {
  package var documents: [Document]
  /// The ranges of all units, one document after another.
  var extents: [Range<Int>] = []
  /// The fingerprint of each unit's normalized text; zeros where it is empty or too short to compare.
  var keys: [Checksum128] = []
  /// Where the units of each document end in `extents` and `keys`.
  var ends: [Int] = []
}

/// Fingerprints every document, paragraph or line: XXH3-128 of the text in which every run of Unicode white space is one blank, with none at
/// the ends. Case matters.
package struct HashDocuments: Stage {
  private let unit: ExactUnit
  private let minimumBytes: Int

  package init(_ unit: ExactUnit = .documents, configuration: DeduplicationConfiguration = .init()) {
    self.unit = unit
    minimumBytes = unit == .documents ? 0 : max(1, configuration.minimumParagraphBytes)
  }

  package func apply(_ batch: [Document], tally: inout Tally) -> HashedDocuments {
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
