import Primitives
import Storage

/// Writes MDS shards byte for byte as MosaicML's `streaming.MDSWriter` does: columns id, source and tokens; only tokens if the samples are cut into
/// rows of `sequence` tokens; doc_lens, the tokens of each segment, and tokens for rows of a mixture.
final class MDSWriter: ExportWriter {
  /// The maximum size of a shard, as in MosaicML's writer; a larger sample gets a shard of its own.
  static let sizeLimit = 1 << 26

  private let folder: String
  private let tokenBytes: Int
  private let shardTokens: Int
  private let sequence: Int?
  private let hasSegments: Bool
  private let columns: [(name: String, encoding: String)]
  private let configuration: String
  private var samples: [UInt8] = []
  private var ends: [Int] = []
  private var tokens = 0
  private var row: [Int32] = []
  private var shards: [String] = []
  private var bytes = 0

  init(_ folder: String, tokenBytes: Int, shardTokens: Int, sequence: Int?, hasSegments: Bool) {
    self.folder = folder
    self.tokenBytes = tokenBytes
    self.shardTokens = shardTokens
    self.sequence = sequence
    self.hasSegments = hasSegments
    let array = "ndarray:uint\(8 * tokenBytes)"
    let others = hasSegments ? [("doc_lens", "ndarray:uint32")] : sequence == nil ? [("id", "str"), ("source", "str")] : []
    columns = others + [("tokens", array)]
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
    if hasSegments {
      try put([array(sample.segments.map { Int32(clamping: $0.count) }, width: 4)], sample)
      return
    }
    guard let sequence else {
      try put([Array(sample.id.utf8), Array(sample.source.utf8)], sample)
      return
    }
    row += sample.tokens
    var start = 0
    while row.count - start >= sequence {
      try put([], ExportSample(id: "", tokens: Array(row[start..<start + sequence])))
      start += sequence
    }
    row.removeFirst(start)
  }

  /// One dimension, with its length in as few bytes as possible.
  private func array(_ numbers: [Int32], width: Int) -> [UInt8] {
    let lengthBytes = numbers.count < 1 << 8 ? 0 : numbers.count < 1 << 16 ? 1 : 2
    var bytes = [UInt8(1 << 2 | lengthBytes)]
    for byte in 0..<1 << lengthBytes { bytes.append(UInt8(truncatingIfNeeded: numbers.count >> (8 * byte))) }
    numbers.append(to: &bytes, tokenBytes: width)
    return bytes
  }

  /// Adds the columns of a sample; its tokens are the last one.
  private func put(_ others: [[UInt8]], _ sample: ExportSample) throws {
    let values = others + [array(sample.tokens, width: tokenBytes)]
    let size = values.reduce(4 * values.count) { $0 + $1.count }
    // Offsets are 32 bits wide.
    guard size < 1 << 31 else {
      throw WeirError(sample.id, "has \(sample.tokens.count) tokens, more than fit into a shard", remedy: "export with --sequence")
    }
    let head = 8 + configuration.utf8.count
    if !ends.isEmpty, head + samples.count + 4 * ends.count + size + 4 > Self.sizeLimit || tokens >= shardTokens { try flush() }
    for value in values { samples.append(integer: UInt32(value.count)) }
    for value in values { samples += value }
    ends.append(samples.count)
    tokens += sample.tokens.count
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
