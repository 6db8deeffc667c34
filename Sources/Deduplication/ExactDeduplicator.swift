import Documents
import Pipeline
import Storage

/// Keeps the first of equal documents, paragraphs or lines, in the order in which batches are admitted.
///
/// Use: `HashDocuments` runs in parallel, its batches are admitted one after another in input order, then `finish` is called. A document
/// or piece takes 19 to 28 bytes of memory. What comes when the memory is full is compared with what is there, put
/// aside where that is not enough, and decided by `finish`; the result is the same.
package final class ExactDeduplicator {
  /// What became of every document so far. `extra` holds `removed_paragraphs` (or lines), `removed_bytes` and `changed_documents`.
  package private(set) var account: Account
  /// Documents that were dropped since `takeRejects` was called; only where they are kept.
  private var rejects: [Reject] = []
  private var seen = DigestSet()
  private let unit: ExactUnit
  private let record: (@Sendable (Document) -> [UInt8])?
  private let memoryLimit: Int
  private var overflow: ExactOverflow?
  private var removed = (pieces: 0, bytes: 0, changed: 0)

  /// Creates a deduplicator that has seen nothing.
  /// - Parameters:
  ///   - unit: what is compared; the same as for `HashDocuments`.
  ///   - memory: bytes that what was seen may take.
  ///   - record: a document as a line for `--rejects`; nil to keep no rejects.
  package init(
    _ unit: ExactUnit = .documents, memory: Int = DeduplicationConfiguration.defaultSpillLimit,
    record: (@Sendable (Document) -> [UInt8])? = nil
  ) {
    self.unit = unit
    memoryLimit = memory
    self.record = record
    account = Account(stage: unit == .documents ? "dedup.exact" : "dedup.\(unit.rawValue)")
  }

  /// Bytes of memory of what was seen.
  package var memory: Int { seen.bytes }

  /// Bytes of memory and of temporary files for a corpus: a paragraph is taken to have 200 bytes, a line 60, and all to differ.
  package static func estimate(_ unit: ExactUnit, documents: Int, bytes: Int, memory: Int) -> (memory: Int, disk: Int) {
    let pieces = unit == .documents ? documents : bytes / (unit == .paragraphs ? 200 : 60)
    let needed = 57 * pieces  // while the table grows
    guard needed > memory else { return (max(1 << 16, needed), 0) }
    let aside = 1 - Double(memory) / Double(needed)
    return (memory + pieces / 8 + 8 * documents + (16 << 20), Int(aside * Double(24 * pieces + bytes + 160 * documents)))
  }

  /// Admits the next batch.
  /// - Returns: the documents that stay, without the pieces that were seen before; empty once the memory is full.
  /// - Throws: `WeirError` when a temporary file cannot be written.
  package func admit(_ batch: HashedDocuments) throws -> [Document] {
    if overflow == nil, seen.bytesToGrow(for: batch.keys.count) > memoryLimit { overflow = try ExactOverflow(memory: memoryLimit) }
    let fresh = overflow == nil ? seen.insert(batch.keys) : seen.missing(batch.keys)
    var kept: [Document] = []
    kept.reserveCapacity(batch.documents.count)
    var start = 0
    for (document, end) in zip(batch.documents, batch.ends) {
      account.input += 1
      account.bytesIn += document.text.count
      if let overflow {
        try overflow.add(batch.keys[start..<end], fresh: fresh[start..<end])
      } else if let document = decide(document, batch.extents[start..<end], fresh[start..<end]) {
        kept.append(document)
      }
      start = end
    }
    // All of them, so that the order of the input stays.
    try overflow?.spool.append(DocumentSpool.encode(batch.documents), count: batch.documents.count)
    return kept
  }

  /// Decides about what was put aside.
  /// - Parameters:
  ///   - progress: told of what has been decided.
  ///   - push: takes the documents that stay, in order.
  /// - Throws: `Stopped`, `WeirError` when a temporary file cannot be read, and what `push` throws.
  package func finish(progress: Progress = .silent, push: ([Document]) throws -> Void) throws {
    defer {
      if unit != .documents, removed.pieces > 0 {
        account.extra["removed_\(unit.rawValue)"] = Double(removed.pieces)
        account.extra["removed_bytes"] = Double(removed.bytes)
        account.extra["changed_documents"] = Double(removed.changed)
      }
    }
    guard let overflow else { return }
    seen = DigestSet()
    try overflow.resolve(progress: progress)
    while let block = try overflow.spool.next() {
      try progress.checkStop()
      var kept: [Document] = []
      try block.decode { number, document in
        let extents = document.text.withUnsafeBufferPointer { unit.extents($0) }
        if let document = decide(document, extents[...], overflow.fresh(number)[...]) { kept.append(document) }
      }
      try push(kept)
    }
  }

  /// The rejects since the last call, in input order.
  package func takeRejects() -> [Reject] {
    defer { rejects = [] }
    return rejects
  }

  /// What stays of a document.
  private func decide(_ document: Document, _ extents: ArraySlice<Range<Int>>, _ fresh: ArraySlice<UInt8>) -> Document? {
    let repeated = fresh.reduce(0) { $0 + ($1 == 0 ? 1 : 0) }
    if repeated > 0 { removed.pieces += repeated }
    if repeated > 0, repeated == fresh.count {
      let reason = unit == .documents ? "exact_duplicate" : "duplicate_\(unit.rawValue)"
      account.drop(reason)
      if let record { rejects.append(Reject(origin: document.origin, stage: account.stage, reason: reason, record: record(document))) }
      return nil
    }
    var document = document
    if repeated > 0 {
      let text = Self.join(document.text, extents, fresh)
      removed.bytes += document.text.count - text.count
      removed.changed += 1
      document.text = text
    }
    account.output += 1
    account.bytesOut += document.text.count
    return document
  }

  /// The pieces that stay, each with what stood between it and the piece before it; the ends of the text stay as they are.
  private static func join(_ text: [UInt8], _ extents: ArraySlice<Range<Int>>, _ fresh: ArraySlice<UInt8>) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(text.count)
    var before = 0
    var keptOne = false
    for (index, (piece, fresh)) in zip(extents, fresh).enumerated() {
      if fresh != 0 {
        // The gap before the first piece belongs to the text's beginning; that of a later piece that becomes the first goes.
        out += text[(keptOne || index == 0 ? before : piece.lowerBound)..<piece.upperBound]
        keptOne = true
      }
      before = piece.upperBound
    }
    return out + text[before...]
  }
}
