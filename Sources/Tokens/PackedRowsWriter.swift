import Primitives
import Storage

/// Writes packed rows, group after group; the folder appears under its name when `commit` has written the manifest.
package final class PackedRowsWriter {
  /// What the rows contain.
  private struct Totals {
    var rows = 0
    var segments = 0
    /// Real tokens.
    var tokens = 0
    var padding = 0
    /// Documents, and parts of documents that lie in one group, that are in more than one segment.
    var cut = 0
    /// Tokens of segments that hold a whole document.
    var whole = 0
  }

  private var totals = Totals()
  private let folder: AtomicFolder
  private let dataset: TokenReader
  private let sequence: Int
  private let rows: AtomicFile
  private let segments: AtomicFile
  private var groups: [PackedRows.Group] = []
  private var rowBuffer: [UInt8] = []
  private var segmentBuffer: [UInt8] = []
  private static let bufferBytes = 1 << 20

  package init(_ path: String, dataset: TokenReader, sequence: Int) throws {
    guard (2...PackedRows.longestSequence).contains(sequence) else {
      throw WeirError("sequence", "must be in 2…\(PackedRows.longestSequence), not \(sequence)")
    }
    (self.dataset, self.sequence) = (dataset, sequence)
    folder = try AtomicFolder(path, replacing: true)
    rows = try AtomicFile("\(folder.working)/\(PackedRows.rowsFile)", hashesBlocks: true)
    segments = try AtomicFile("\(folder.working)/\(PackedRows.segmentsFile)", hashesBlocks: true)
  }

  /// Begins a group; the rows that follow belong to it.
  package func beginGroup(name: String, leaves: [Int]?) { groups.append(PackedRows.Group(name: name, rows: 0, tokens: 0, leaves: leaves)) }

  /// Appends a row, not empty and of at most `sequence` tokens.
  package func append(_ row: [PackedRows.Segment]) throws {
    rowBuffer.append(integer: UInt64(totals.segments))
    var count = 0
    for segment in row {
      segmentBuffer.append(integer: UInt64(segment.document))
      segmentBuffer.append(integer: UInt64(segment.offset))
      segmentBuffer.append(integer: UInt64(segment.count))
      count += segment.count
      if segment.offset == 0, try segment.count == dataset.length(segment.document) { totals.whole += segment.count }
    }
    precondition(count > 0 && count <= sequence && !groups.isEmpty, "a row does not fit")
    totals.segments += row.count
    totals.rows += 1
    totals.tokens += count
    totals.padding += sequence - count
    groups[groups.count - 1].rows += 1
    groups[groups.count - 1].tokens += count
    if segmentBuffer.count >= Self.bufferBytes { try flush() }
  }

  /// Counts documents that were cut.
  package func count(cut: Int) { totals.cut += cut }

  private func flush() throws {
    try rows.write(rowBuffer)
    try segments.write(segmentBuffer)
    rowBuffer.removeAll(keepingCapacity: true)
    segmentBuffer.removeAll(keepingCapacity: true)
  }

  /// - Parameters:
  ///   - inputs: fingerprints beside that of the dataset.
  ///   - configuration: what the rows depend on.
  package func commit(inputs: [String: String], configuration: JSONValue) throws -> Manifest {
    rowBuffer.append(integer: UInt64(totals.segments))
    try flush()
    let known = [try rows.commit(), try segments.commit()]
    try JSONFile.write(groups, to: "\(folder.working)/\(PackedRows.groupsFile)")
    var inputs = inputs
    inputs["dataset"] = dataset.fingerprint
    let counts = [
      "sequence": sequence, "groups": groups.count, "rows": totals.rows, "segments": totals.segments, "tokens": totals.tokens,
      "padding": totals.padding, "cut_documents": totals.cut, "whole_document_tokens": totals.whole,
    ]
    return try folder.commit(
      format: PackedRows.format, tool: Tool.name, inputs: inputs, configuration: configuration, counts: counts, known: known, blocks: true)
  }

  /// Removes what was written.
  package func discard() {
    rows.discard()
    segments.discard()
    folder.discard()
  }
}
