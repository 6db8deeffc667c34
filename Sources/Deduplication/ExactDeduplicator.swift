import Documents
import Pipeline
import Primitives

/// Keeps the first of equal documents, paragraphs or lines, in the order in which batches are admitted.
///
/// `HashDocuments` runs in parallel; its batches are admitted one after another in input order; then `finish` is called. A fingerprint takes
/// 19 to 28 bytes of memory. Once the memory is full, later documents go to a temporary file and `finish` decides about them; the result is
/// the same.
package final class ExactDeduplicator {
  private var tally: Tally
  private var seen = DigestSet()
  private let unit: ExactUnit
  private let memoryLimit: Int
  private var overflow: ExactOverflow?
  private var removed = (pieces: 0, bytes: 0, changed: 0)

  /// - Parameters:
  ///   - unit: the same as for `HashDocuments`.
  ///   - memory: the most bytes for fingerprints.
  ///   - keepsRejects: whether `takeRejects` returns the dropped documents.
  package init(_ unit: ExactUnit = .documents, memory: Int = DeduplicationConfiguration.defaultSpillLimit, keepsRejects: Bool = false) {
    self.unit = unit
    memoryLimit = memory
    tally = Tally(stage: unit == .documents ? "dedup.exact" : "dedup.\(unit.rawValue)", keepsRejects: keepsRejects)
  }

  /// The account so far. `extra` contains `removed_paragraphs` (or lines), `removed_bytes` and `changed_documents`.
  package var account: Account { tally.account }

  /// Bytes of memory that fingerprints take.
  package var memory: Int { seen.bytes }

  /// Bytes of memory and of temporary files for a corpus, assuming 200 bytes per paragraph, 60 per line, and no duplicates.
  package static func estimate(_ unit: ExactUnit, documents: Int, bytes: Int, memory: Int) -> (memory: Int, disk: Int) {
    let pieces = unit == .documents ? documents : bytes / (unit == .paragraphs ? 200 : 60)
    let needed = 57 * pieces  // while the table grows
    guard needed > memory else { return (max(1 << 16, needed), 0) }
    let aside = 1 - Double(memory) / Double(needed)
    return (memory + pieces / 8 + 8 * documents + (16 << 20), Int(aside * Double(24 * pieces + bytes + 160 * documents)))
  }

  /// Admits the next batch.
  /// - Returns: the documents that stay, without repeated parts; empty once the memory is full.
  /// - Throws: `WeirError` when a temporary file cannot be written.
  package func admit(_ batch: HashedDocuments) throws -> [Document] {
    if overflow == nil, seen.bytesToGrow(for: batch.keys.count) > memoryLimit { overflow = try ExactOverflow(memory: memoryLimit) }
    let fresh = overflow == nil ? seen.insert(batch.keys) : seen.missing(batch.keys)
    var kept: [Document] = []
    kept.reserveCapacity(batch.documents.count)
    var start = 0
    for (document, end) in zip(batch.documents, batch.ends) {
      if let overflow {
        try overflow.add(batch.keys[start..<end], fresh: fresh[start..<end])
      } else if let document = try tally.settle(document, decide(document, batch.extents[start..<end], fresh[start..<end])) {
        kept.append(document)
      }
      start = end
    }
    // All documents of the batch, so that they keep their order.
    try overflow?.spool.append(DocumentSpool.encode(batch.documents), count: batch.documents.count)
    return kept
  }

  /// Decides about the documents in the temporary file.
  /// - Parameter push: receives the documents that stay, in order.
  /// - Throws: `Stopped`, `WeirError` when a temporary file cannot be read, and what `push` throws.
  package func finish(progress: Progress = .silent, push: ([Document]) throws -> Void) throws {
    defer {
      if unit != .documents, removed.pieces > 0 {
        tally.account.extra = [
          "removed_\(unit.rawValue)": Double(removed.pieces), "removed_bytes": Double(removed.bytes),
          "changed_documents": Double(removed.changed),
        ]
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
        if let document = try tally.settle(document, decide(document, extents[...], overflow.fresh(number)[...])) { kept.append(document) }
      }
      try push(kept)
    }
  }

  /// The rejects since the last call, in input order.
  package func takeRejects() -> [Reject] { tally.takeRejects() }

  private func decide(_ document: Document, _ extents: ArraySlice<Range<Int>>, _ fresh: ArraySlice<UInt8>) -> Decision<Document> {
    let repeated = fresh.reduce(0) { $0 + ($1 == 0 ? 1 : 0) }
    if repeated > 0 { removed.pieces += repeated }
    if repeated > 0, repeated == fresh.count { return .drop(unit == .documents ? "exact_duplicate" : "duplicate_\(unit.rawValue)") }
    guard repeated > 0 else { return .keep(document) }
    let text = Self.join(document.text, extents, fresh)
    removed.bytes += document.text.count - text.count
    removed.changed += 1
    var document = document
    document.text = text
    return .keep(document)
  }

  /// The parts that stay, each with the text between it and the part before it; the ends of the text stay unchanged.
  private static func join(_ text: [UInt8], _ extents: ArraySlice<Range<Int>>, _ fresh: ArraySlice<UInt8>) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(text.count)
    var before = 0
    var keptOne = false
    for (index, (piece, fresh)) in zip(extents, fresh).enumerated() {
      if fresh != 0 {
        // The gap before the first part is the beginning of the text; before a later part that becomes the first, it is removed.
        out += text[(keptOne || index == 0 ? before : piece.lowerBound)..<piece.upperBound]
        keptOne = true
      }
      before = piece.upperBound
    }
    return out + text[before...]
  }
}
