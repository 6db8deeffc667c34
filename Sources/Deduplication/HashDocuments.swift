import CKernels
import Corpus
import Pipeline
import Storage

/// What exact deduplication compares.
public enum ExactUnit: String, Sendable, Codable {
  /// Whole documents.
  case documents
  /// Paragraphs: at blank lines where the document has one, otherwise at line ends.
  case paragraphs
}

/// A batch with the fingerprints of what is compared.
public struct HashedDocuments: Sendable {
  /// A document or a paragraph of it.
  struct Piece: Sendable {
    /// The first byte in the text.
    var start: Int
    /// Bytes of the text itself.
    var end: Int
    /// The fingerprint of the normalised text; nil where there is none or it is too short to count.
    var key: Checksum128?
  }

  /// The documents.
  public var documents: [Document]
  /// Per document, the pieces in the order of the text.
  var pieces: [[Piece]]
}

/// Fingerprints every document or paragraph: XXH3-128 of the text in which every run of Unicode white space is one blank and none is
/// at the ends. Letters keep their case. The stage counts nothing: `ExactDeduplicator` does.
public struct HashDocuments: Stage {
  private let unit: ExactUnit
  private let minimumParagraphBytes: Int

  /// Creates the stage.
  public init(_ unit: ExactUnit = .documents, configuration: DeduplicationConfiguration = .init()) {
    self.unit = unit
    minimumParagraphBytes = configuration.minimumParagraphBytes
  }

  /// None: nothing is taken out here.
  public var names: [String] { [] }

  /// Fingerprints one batch.
  public func apply(_ batch: [Document], ledger: inout Ledger, offset: Int) -> HashedDocuments {
    var scratch: [UInt8] = []
    let pieces = batch.map { document -> [HashedDocuments.Piece] in
      if scratch.count < document.text.count { scratch = [UInt8](repeating: 0, count: document.text.count) }
      return document.text.withUnsafeBufferPointer { text in
        scratch.withUnsafeMutableBufferPointer { scratch in
          func key(_ start: Int, _ end: Int) -> (Checksum128, Int) {
            guard end > start, let from = text.baseAddress, let to = scratch.baseAddress else { return (Checksum128([]), 0) }
            let count = weir_collapse_space(from + start, end - start, to)
            return (Checksum128(UnsafeRawBufferPointer(start: to, count: count)), count)
          }
          guard unit == .paragraphs else { return [.init(start: 0, end: text.count, key: key(0, text.count).0)] }
          return Paragraphs.extents(text).map { extent in
            let (key, count) = key(extent.lowerBound, extent.upperBound)
            return .init(start: extent.lowerBound, end: extent.upperBound, key: count > 0 && count >= minimumParagraphBytes ? key : nil)
          }
        }
      }
    }
    return HashedDocuments(documents: batch, pieces: pieces)
  }
}

/// Where paragraphs are.
enum Paragraphs {
  /// The extents of the paragraphs of a text, without the blank lines between them: at blank lines where there is one between two
  /// paragraphs, otherwise at line ends. Linear in the text.
  static func extents(_ text: UnsafeBufferPointer<UInt8>) -> [Range<Int>] {
    var lines: [Range<Int>] = []
    var paragraphs: [Range<Int>] = []
    var open = false
    var start = 0
    while start < text.count {
      var end = start
      var blank = true
      while end < text.count, text[end] != 0x0A {
        // Other white space than ASCII's in a line of its own does not make the line blank.
        if text[end] > 0x20 { blank = false }
        end += 1
      }
      if blank {
        open = false
      } else {
        lines.append(start..<end)
        if open, let last = paragraphs.last {
          paragraphs[paragraphs.count - 1] = last.lowerBound..<end
        } else {
          paragraphs.append(start..<end)
          open = true
        }
      }
      start = end + 1
    }
    return paragraphs.count > 1 ? paragraphs : lines
  }
}
