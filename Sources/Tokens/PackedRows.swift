import Primitives
import Storage

/// Rows of one sequence length, packed from a token dataset: a folder `weir.packed-rows.1`.
///
/// A row is a list of segments, each a range of tokens of one document; what they leave free at its end is padding. Rows are grouped, by cluster for
/// example, and every token of a group is in one of its rows. The tokens stay in the dataset. Opening reads the manifest and the list of groups, and
/// a row costs two entries of a mapped file and those of its segments, whatever the size of the dataset.
public final class PackedRows: Sendable {
  package static let format = "weir.packed-rows.1"
  /// [rows + 1] u64, the first segment of each row.
  package static let rowsFile = "rows.u64"
  /// [segments, 3] u64: document, first token, number of tokens.
  package static let segmentsFile = "segments.u64"
  package static let groupsFile = "groups.json"
  package static let mostGroups = 1 << 20
  package static let longestSequence = 1 << 28

  /// The rows of one cluster, source or the like. They are consecutive.
  package struct Group: Codable, Sendable, Equatable {
    package var name: String
    package var rows: Int
    /// Real tokens, without padding.
    package var tokens: Int
    /// The leaves of the cluster tree whose windows are in the group; nil if the groups are not clusters.
    package var leaves: [Int]?

    package init(name: String, rows: Int, tokens: Int, leaves: [Int]? = nil) {
      (self.name, self.rows, self.tokens, self.leaves) = (name, rows, tokens, leaves)
    }
  }

  /// A part of a document in a row.
  package struct Segment: Sendable, Equatable {
    package var document: Int
    /// The first token in the document.
    package var offset: Int
    package var count: Int

    package init(document: Int, offset: Int, count: Int) { (self.document, self.offset, self.count) = (document, offset, count) }
  }

  package let path: String
  package let manifest: Manifest
  /// The input fingerprint in the manifests of outputs made from the rows.
  public let fingerprint: String
  /// Tokens per row.
  public let sequence: Int
  package let groups: [Group]
  /// [groups + 1] the first row of each group.
  package let firstRows: [Int]
  /// The number of rows of all groups.
  public let rowCount: Int
  package let segmentCount: Int
  /// The dataset.
  package let tokens: TokenReader
  private let rows: CheckedFile
  private let segments: CheckedFile

  /// - Parameters:
  ///   - folder: the packed rows.
  ///   - dataset: the dataset that they were packed from.
  /// - Throws: `WeirError` if the folder is damaged, or belongs to another dataset.
  package init(_ folder: String, dataset: TokenReader) throws {
    guard Files.isFolder(folder) else { throw WeirError(folder, "is not packed rows", remedy: "make them with `weir pack`") }
    let manifest = try Manifest.read(folder: folder, format: Self.format)
    let ofDataset = try manifest.input("dataset", in: folder)
    guard ofDataset == dataset.fingerprint else {
      throw WeirError(
        folder, "was packed from dataset \(ofDataset), not from \(dataset.path) (\(dataset.fingerprint))",
        remedy: "pack the dataset again with `weir pack \(dataset.path)`")
    }
    sequence = try manifest.count("sequence", in: folder, range: 2...Self.longestSequence)
    let rowCount = try manifest.count("rows", in: folder, range: 1...1 << 53)
    self.rowCount = rowCount
    segmentCount = try manifest.count("segments", in: folder)
    let blocks = try BlockChecksums(manifest, in: folder)
    rows = try CheckedFile(Self.rowsFile, of: manifest, in: folder, blocks: blocks)
    segments = try CheckedFile(Self.segmentsFile, of: manifest, in: folder, blocks: blocks)
    let place = folder + "/" + Self.groupsFile
    groups = try JSONFile.decode([Group].self, from: manifest.read(Self.groupsFile, in: folder), place: place)
    guard groups.count <= Self.mostGroups, groups.allSatisfy({ (0...rowCount).contains($0.rows) && (0...1 << 53).contains($0.tokens) })
    else {
      throw WeirError(place, "has too many groups, or a number out of range", remedy: "pack the dataset again")
    }
    firstRows = groups.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.rows) }
    guard firstRows[groups.count] == rowCount, rows.file.count == 8 * (rowCount + 1), segments.file.count == 24 * segmentCount else {
      throw WeirError(folder, "its files do not have \(rowCount) rows and \(segmentCount) segments", remedy: "pack the dataset again")
    }
    (path, self.manifest, fingerprint, tokens) = (folder, manifest, manifest.fingerprint, dataset)
  }

  /// The segments of a row, in its order.
  /// - Throws: `WeirError` if they do not fit the row.
  package func segments(row: Int) throws -> [Segment] {
    precondition((0..<rowCount).contains(row), "the row is outside the packed rows")
    let (first, end): (UInt64, UInt64) = try rows.withBytes(8 * row..<8 * row + 16) {
      ($0.integer(at: 8 * row), $0.integer(at: 8 * row + 8))
    }
    guard first < end, end <= UInt64(segmentCount), end - first <= UInt64(sequence) else { throw damaged(rows, 8 * row) }
    var segments: [Segment] = []
    segments.reserveCapacity(Int(end - first))
    var free = sequence
    try self.segments.withBytes(24 * Int(first)..<24 * Int(end)) { bytes in
      for index in Int(first)..<Int(end) {
        let values: (UInt64, UInt64, UInt64) = (
          bytes.integer(at: 24 * index), bytes.integer(at: 24 * index + 8), bytes.integer(at: 24 * index + 16)
        )
        guard values.0 < UInt64(tokens.documentCount), values.1 <= UInt64(tokens.tokenCount), (1...UInt64(free)).contains(values.2) else {
          throw damaged(self.segments, 24 * index)
        }
        free -= Int(values.2)
        segments.append(Segment(document: Int(values.0), offset: Int(values.1), count: Int(values.2)))
        if free == 0, index + 1 < Int(end) { throw damaged(self.segments, 24 * index) }
      }
    }
    return segments
  }

  /// The rows that contain tokens of a document. O(segments).
  package func rows(of document: Int) throws -> [Int] {
    try (0..<rowCount).filter { row in try segments(row: row).contains { $0.document == document } }
  }

  private func damaged(_ file: CheckedFile, _ byte: Int) -> WeirError {
    WeirError("\(file.path)@\(byte)", "has a segment that does not fit its row", remedy: "pack the dataset again with `weir pack`")
  }

  /// Replaces a row of a batch with the packed row number `number`. Adds to the batch's segments.
  package func fill(_ batch: inout Batch, row: Int, from number: Int, dataset: Int = 0) throws {
    precondition(batch.sequence == sequence, "the batch has rows of another length")
    var start = 0
    for segment in try segments(row: number) {
      let base = row * sequence + start, count = segment.count
      let next = try batch.tokens.withUnsafeMutableBufferPointer { ids in
        try tokens.copy(document: segment.document, offset: segment.offset, count: count, to: ids.baseAddress! + base)
      }
      batch.tokens.withUnsafeBufferPointer { ids in
        batch.targets.withUnsafeMutableBufferPointer { targets in
          (targets.baseAddress! + base).update(from: ids.baseAddress! + base + 1, count: count - 1)
          // A document that goes on in another row still has a target at the end of this one.
          targets[base + count - 1] = start + count == sequence ? next : -1
        }
      }
      batch.starts.withUnsafeMutableBufferPointer { ($0.baseAddress! + base).update(repeating: Int32(start), count: count) }
      batch.segments.append(
        .init(row: row, start: start, count: count, document: segment.document, offset: segment.offset, dataset: dataset))
      start += count
    }
    batch.pad(row: row, from: start)
  }
}
