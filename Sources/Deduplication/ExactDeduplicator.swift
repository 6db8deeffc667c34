import Corpus
import Pipeline

/// Keeps the first of equal documents or paragraphs, in the order in which batches are admitted.
///
/// Use: `HashDocuments` runs in parallel, its batches are admitted one after another in input order. Memory: 19 to 25 bytes
/// for every different document or paragraph.
public struct ExactDeduplicator {
  /// What became of every document so far. `extra` holds `removed_paragraphs`, `removed_bytes` and `changed_documents`.
  public private(set) var account: Account
  /// Documents that were dropped since `takeRejects` was called; only where they are kept.
  private var rejects: [Reject] = []
  private var seen = DigestSet()
  private let unit: ExactUnit
  private let record: (@Sendable (Document) -> [UInt8])?

  /// Creates a deduplicator that has seen nothing.
  /// - Parameters:
  ///   - unit: what is compared; the same as for `HashDocuments`.
  ///   - record: a document as a line for `--rejects`; nil to keep no rejects.
  public init(_ unit: ExactUnit = .documents, record: (@Sendable (Document) -> [UInt8])? = nil) {
    self.unit = unit
    self.record = record
    account = Account(stage: unit == .documents ? "dedup.exact" : "dedup.paragraphs")
  }

  /// Bytes of memory of what was seen.
  public var memory: Int { seen.bytes }

  /// Admits the next batch.
  /// - Returns: the documents that stay, without the paragraphs that were seen before.
  public mutating func admit(_ batch: HashedDocuments) -> [Document] {
    var kept: [Document] = []
    kept.reserveCapacity(batch.documents.count)
    for (document, pieces) in zip(batch.documents, batch.pieces) {
      account.input += 1
      account.bytesIn += document.text.count
      let fresh = pieces.map { piece in piece.key.map { seen.insert($0) } ?? true }
      if fresh.allSatisfy({ $0 }) {
        account.output += 1
        account.bytesOut += document.text.count
        kept.append(document)
        continue
      }
      if unit == .paragraphs { account.extra["removed_paragraphs", default: 0] += Double(fresh.reduce(0) { $0 + ($1 ? 0 : 1) }) }
      guard fresh.contains(true) else {
        drop(document, unit == .documents ? "exact_duplicate" : "duplicate_paragraphs")
        continue
      }
      var changed = document
      changed.text = Self.join(document.text, pieces, fresh)
      account.output += 1
      account.bytesOut += changed.text.count
      account.extra["changed_documents", default: 0] += 1
      account.extra["removed_bytes", default: 0] += Double(document.text.count - changed.text.count)
      kept.append(changed)
    }
    return kept
  }

  /// The rejects since the last call, in input order.
  public mutating func takeRejects() -> [Reject] {
    defer { rejects = [] }
    return rejects
  }

  private mutating func drop(_ document: Document, _ reason: String) {
    account.drop(reason)
    if let record { rejects.append(Reject(origin: document.origin, stage: account.stage, reason: reason, record: record(document))) }
  }

  /// The pieces that stay, each with what stood between it and the piece before it; the ends of the text stay as they are.
  private static func join(_ text: [UInt8], _ pieces: [HashedDocuments.Piece], _ fresh: [Bool]) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(text.count)
    var keptOne = false
    for (index, piece) in pieces.enumerated() where fresh[index] {
      let before = index == 0 ? 0 : pieces[index - 1].end
      // The gap before the first piece belongs to the text's beginning; that of a later piece that becomes the first goes.
      if keptOne || index == 0 { out += text[before..<piece.start] }
      out += text[piece.start..<piece.end]
      keptOne = true
    }
    if let last = pieces.last { out += text[last.end...] }
    return out
  }
}
