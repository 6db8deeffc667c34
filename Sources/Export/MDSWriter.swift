import Primitives
import Storage

/// Writes MDS shards byte for byte as MosaicML's `streaming.MDSWriter` does: columns id, source and tokens, or only tokens if the samples are
/// cut into rows of `sequence` tokens.
final class MDSWriter: ExportWriter {
  /// The maximum size of a shard, as in MosaicML's writer; a larger sample gets a shard of its own.
  static let sizeLimit = 1 << 26

  private let folder: String
  private let tokenBytes: Int
  private let shardTokens: Int
  private let sequence: Int?
  private let columns: [(name: String, encoding: String)]
  private let configuration: String
  private var samples: [UInt8] = []
  private var ends: [Int] = []
  private var tokens = 0
  private var row: [Int32] = []
  private var shards: [String] = []
  private var bytes = 0

  init(_ folder: String, tokenBytes: Int, shardTokens: Int, sequence: Int?) {
    self.folder = folder
    self.tokenBytes = tokenBytes
    self.shardTokens = shardTokens
    self.sequence = sequence
    let array = "ndarray:uint\(8 * tokenBytes)"
    columns = (sequence == nil ? [("id", "str"), ("source", "str")] : []) + [("tokens", array)]
    configuration = "{\(Self.members(columns)), \"size_limit\": \(Self.sizeLimit), \"version\": 2}"
  }

  /// The members that describe the layout of samples, as Python's json writes them with sorted keys.
  private static func members(_ columns: [(name: String, encoding: String)]) -> String {
    func list(_ values: [String]) -> String { "[" + values.joined(separator: ", ") + "]" }
    return "\"column_encodings\": \(list(columns.map { "\"\($0.encoding)\"" })), "
      + "\"column_names\": \(list(columns.map { "\"\($0.name)\"" })), \"column_sizes\": \(list(columns.map { _ in "null" })), "
      + "\"compression\": null, \"format\": \"mds\", \"hashes\": []"
  }

  func append(_ sample: ExportSample) throws {
    guard let sequence else {
      try put(sample.id, sample.source, sample.tokens)
      return
    }
    row += sample.tokens
    var start = 0
    while row.count - start >= sequence {
      try put("", "", Array(row[start..<start + sequence]))
      start += sequence
    }
    row.removeFirst(start)
  }

  private func put(_ id: String, _ source: String, _ ids: [Int32]) throws {
    var array: [UInt8] = []
    // One dimension, with its length in as few bytes as possible.
    let width = ids.count < 1 << 8 ? 0 : ids.count < 1 << 16 ? 1 : 2
    array.append(UInt8(1 << 2 | width))
    for byte in 0..<1 << width { array.append(UInt8(truncatingIfNeeded: ids.count >> (8 * byte))) }
    ids.append(to: &array, tokenBytes: tokenBytes)
    let values = (sequence == nil ? [Array(id.utf8), Array(source.utf8)] : []) + [array]
    let size = values.reduce(4 * values.count) { $0 + $1.count }
    // Offsets are 32 bits wide.
    guard size < 1 << 31 else {
      throw WeirError(id, "has \(ids.count) tokens, more than fit into a shard", remedy: "export with --sequence")
    }
    let head = 8 + configuration.utf8.count
    if !ends.isEmpty, head + samples.count + 4 * ends.count + size + 4 > Self.sizeLimit || tokens >= shardTokens { try flush() }
    for value in values { samples.append(integer: UInt32(value.count)) }
    for value in values { samples += value }
    ends.append(samples.count)
    tokens += ids.count
  }

  private func flush() throws {
    let name = "shard.\(String(100_000 + shards.count).dropFirst()).mds"
    var head: [UInt8] = []
    head.append(integer: UInt32(ends.count))
    let base = 4 + 4 * (ends.count + 1) + configuration.utf8.count
    for end in [0] + ends { head.append(integer: UInt32(base + end)) }
    head += Array(configuration.utf8)
    let file = try AtomicFile(folder + "/" + name)
    try file.write(head)
    try file.write(samples)
    let size = try file.commit().bytes
    shards.append(
      "{\(Self.members(columns)), \"raw_data\": {\"basename\": \"\(name)\", \"bytes\": \(size), \"hashes\": {}}, "
        + "\"samples\": \(ends.count), \"size_limit\": \(Self.sizeLimit), \"version\": 2, \"zip_data\": null}")
    bytes += size
    samples.removeAll(keepingCapacity: true)
    ends.removeAll(keepingCapacity: true)
    tokens = 0
  }

  func finish() throws -> (files: Int, bytes: Int, left: Int) {
    if !ends.isEmpty { try flush() }
    let index = Array("{\"shards\": [\(shards.joined(separator: ", "))], \"version\": 2}".utf8)
    try Files.write(index, to: folder + "/" + MDSIndex.fileName)
    return (shards.count, bytes + index.count, row.count)
  }
}
