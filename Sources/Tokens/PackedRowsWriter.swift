import Primitives
import Storage

/// Writes packed rows, group after group; the folder appears under its name when `commit` has written the manifest.
package final class PackedRowsWriter {
  /// What the rows contain.
  package struct Report: Codable, Sendable, Equatable {
    package var groups = 0
    package var rows = 0
    package var segments = 0
    /// Real tokens.
    package var tokens = 0
    package var padding = 0
    /// Documents, and parts of documents that lie in one group, that are in more than one segment.
    package var cut = 0
    /// Tokens of segments that hold a whole document.
    package var whole = 0
  }

  package private(set) var report = Report()
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
    rowBuffer.append(integer: UInt64(report.segments))
    var count = 0
    for segment in row {
      segmentBuffer.append(integer: UInt64(segment.document))
      segmentBuffer.append(integer: UInt64(segment.offset))
      segmentBuffer.append(integer: UInt64(segment.count))
      count += segment.count
      if segment.offset == 0, try segment.count == dataset.length(segment.document) { report.whole += segment.count }
    }
    precondition(count > 0 && count <= sequence && !groups.isEmpty, "a row does not fit")
    report.segments += row.count
    report.rows += 1
    report.tokens += count
    report.padding += sequence - count
    groups[groups.count - 1].rows += 1
    groups[groups.count - 1].tokens += count
    if segmentBuffer.count >= Self.bufferBytes { try flush() }
  }

  /// Counts documents that were cut.
  package func count(cut: Int) { report.cut += cut }

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
    rowBuffer.append(integer: UInt64(report.segments))
    try flush()
    report.groups = groups.count
    let known = [try rows.commit(), try segments.commit()]
    try JSONFile.write(groups, to: "\(folder.working)/\(PackedRows.groupsFile)")
    var inputs = inputs
    inputs["dataset"] = dataset.fingerprint
    let counts = [
      "sequence": sequence, "groups": groups.count, "rows": report.rows, "segments": report.segments, "tokens": report.tokens,
      "padding": report.padding, "cut_documents": report.cut, "whole_document_tokens": report.whole,
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
