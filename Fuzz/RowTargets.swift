import Foundation
import Primitives

@testable import Loading
@testable import Storage
@testable import Tokens

/// Packed rows and their order, composed as directed by the bytes of the fuzzer: seals, sizes and checksums are correct, the numbers are not.
extension FuzzTarget {
  /// The numbers that an input stands for.
  private struct Numbers {
    private var input: ArraySlice<UInt8>

    init(_ input: [UInt8]) { self.input = input[...] }

    mutating func byte() -> Int { Int(input.popFirst() ?? 0) }

    /// Mostly small, now and then on an edge of a type.
    mutating func number() -> UInt64 {
      switch byte() {
      case let value where value < 232: UInt64(value)
      case 232: 1 << 32
      case 233: (1 << 32) - 1
      case 234: UInt64(DrawOrder.unlimited)
      case 235: UInt64(DrawOrder.unlimited) + 1
      case 236: 1 << 53
      case 237: (1 << 53) + 1
      case 238: 1 << 63
      case 239: UInt64(Int.max)
      case 240: .max
      case let value: UInt64(value) << UInt64(byte() & 63)
      }
    }

    mutating func numbers(_ count: Int) -> [UInt64] { (0..<count).map { _ in number() } }

    mutating func integers(_ count: Int) -> [Int] { numbers(count).map { Int(truncatingIfNeeded: $0) } }
  }

  /// Segments that do not fit are refused, and a row is filled within its bounds.
  static func rows(_ input: [UInt8]) throws {
    var input = Numbers(input)
    let dataset = try smallDataset.get(), folder = dataset.path + "/fuzzed"
    let sequence = 2 + input.byte() % 40, rowCount = input.byte() % 12, groupCount = input.byte() % 4
    let groups = (0..<groupCount).map { _ in
      PackedRows.Group(name: "g", rows: Int(truncatingIfNeeded: input.number()), tokens: input.byte())
    }
    let rows = input.numbers(input.byte() % 14), segments = input.numbers(3 * (input.byte() % 24))
    var counts = ["sequence": sequence, "rows": rowCount, "segments": segments.count / 3]
    if input.byte() & 7 == 1 { counts["segments"] = Int(truncatingIfNeeded: input.number()) }
    mkdir(folder, 0o700)
    func store(_ name: String, _ content: [UInt8]) throws -> FileRecord {
      try content.withUnsafeBytes { try Data($0).write(to: URL(fileURLWithPath: folder + "/" + name)) }
      return FileRecord(name: name, bytes: content.count, xxh3: Checksum.hex(Checksum.xxh3(content)))
    }
    func bytes(_ numbers: [UInt64]) -> [UInt8] { numbers.reduce(into: []) { $0.append(integer: $1) } }
    let files = [
      try store(PackedRows.rowsFile, bytes(rows)), try store(PackedRows.segmentsFile, bytes(segments)),
      try store(PackedRows.groupsFile, JSONFile.encode(groups)),
    ]
    try Manifest(
      format: PackedRows.format, tool: "fuzz", inputs: ["dataset": dataset.fingerprint], configuration: .null, counts: counts, files: files
    ).write(folder: folder)
    let packed = try PackedRows(folder, dataset: dataset)
    for row in 0..<packed.rowCount {
      allowingErrors {
        let found = try packed.segments(row: row)
        if found.isEmpty || found.reduce(0, { $0 + $1.count }) > sequence { finding("a row has segments that do not fit it") }
      }
      allowingErrors {
        var batch = Batch(rows: 1, sequence: sequence)
        try packed.fill(&batch, row: 0, from: row)
        if batch.tokens.contains(where: { !(0..<8).contains($0) }) { finding("a token above the vocabulary") }
      }
    }
    if let group = packed.groups.indices.last {
      allowingErrors {
        let loader = try PackedLoader(
          RowOrder(sources: [packed], mixture: RowMixture(uniform: RowOrder.groups(of: [packed])), rows: nil, randomSeed: 1, name: "x"),
          sources: [packed], rows: 3)
        _ = try loader.batch(step: group)
      }
    }
  }

  /// An order that is accepted draws every count of a group once, at the position that it gives for it.
  static func order(_ input: [UInt8], _ file: FuzzFile) throws {
    if input.first == 0x7B {
      file.put(JSONSeal.file.isPresent(in: input) && input.contains(0x30) ? sealed(input) : input)
      _ = try RowOrder.read(from: file.path)
      return
    }
    var input = Numbers(input)
    let draws = input.byte() & 1 == 0 ? try stored(&input) : try compiled(&input), capacities = draws.capacities
    let text = String(decoding: try JSONFile.encode(draws), as: UTF8.self)
    if try JSONFile.decode(DrawOrder.self, from: Array(text.utf8), place: "order") != draws {
      finding("an order is not read as written: \(text)")
    }
    // Rows per group: what it can supply is then one to some epochs.
    let own = capacities.map { max(1, min($0, 1 + input.byte())) }
    let order = try RowOrder(
      sequence: 8, sources: [], groups: own.map { RowOrder.Group(name: "g", source: 0, firstRow: 0, rows: $0, tokens: 1) }, draws: draws)
    let starts = draws.stages.flatMap { [$0.start - 1, $0.start, ($0.end ?? $0.start) - 1] }
    for position in [0, 1, 255, 256, draws.capacity / 2, draws.capacity - 1] + starts where (0..<draws.capacity).contains(position) {
      let before = draws.counts(before: position), draw = draws.draw(at: position)
      if draw.count != before[draw.group] { finding("position \(position) skips or repeats a count: \(text)") }
      if before.reduce(0, +) != position { finding("the counts before \(position) are not \(position): \(text)") }
      if draws.position(group: draw.group, count: draw.count) != position { finding("count \(draw.count) is at another position: \(text)") }
      let row = try order.row(at: position)
      if !(0..<own[row.group]).contains(row.number) { finding("a row outside its group") }
    }
  }

  /// Draws as a file has them, out of range as often as not.
  private static func stored(_ input: inout Numbers) throws -> DrawOrder {
    let groups = 1 + input.byte() % 9, nodes = groups - 1
    let start = input.byte() & 7 == 1 ? input.number() : 0, flags = input.byte()
    let base = [Int](repeating: 0, count: nodes)
    var members = ["\"start\":\(start),\"shares\":\(input.numbers(nodes)),\"base\":\(flags & 4 == 4 ? input.integers(nodes) : base)"]
    if flags & 1 == 1 { members.append("\"end\":\(input.number())") }
    if flags & 2 == 2 { members.append("\"capacities\":\(input.integers(groups))") }
    let offsets = (0..<nodes).map { _ in UInt32(truncatingIfNeeded: input.number()) }, capacities = input.integers(groups)
    let text =
      "{\"stages\":[{\(members.joined(separator: ","))}],\"offsets\":\(offsets),\"capacities\":\(capacities),\"random_seed\":\(input.byte())}"
    return try JSONFile.decode(DrawOrder.self, from: Array(text.utf8), place: "order")
  }

  /// Draws compiled from weights, and continued with other weights and caps.
  private static func compiled(_ input: inout Numbers) throws -> DrawOrder {
    let groups = 1 + input.byte() % 9
    func stages() -> [(start: Int, weights: [Double])] {
      var start = 0
      return (0..<1 + input.byte() % 3).map { _ in
        defer { start += 1 + input.byte() * 3 }
        return (start, (0..<groups).map { _ in Double(input.number()) })
      }
    }
    func capacities() -> [Int?] { (0..<groups).map { _ in input.byte() & 1 == 0 ? nil : Int(truncatingIfNeeded: input.number() >> 1) } }
    var draws = try DrawOrder(stages: stages(), capacities: capacities(), randomSeed: UInt64(input.byte()))
    for _ in 0..<input.byte() % 3 {
      let position = min(draws.capacity, Int(truncatingIfNeeded: input.number() >> 1))
      draws = try DrawOrder(continuing: draws, at: position, stages: stages(), capacities: capacities())
    }
    return draws
  }

  private static func sealed(_ text: [UInt8]) -> [UInt8] {
    guard JSONSeal.file.problem(of: text)?.contains("checksum") == true else { return text }
    return JSONSeal.file.close(text)
  }
}

/// Five documents, in memory.
private let smallDataset: Result<TokenReader, any Error> = Result {
  let path = "/dev/shm/weir-fuzz-dataset-\(getpid())"
  atexit { try? FileManager.default.removeItem(atPath: "/dev/shm/weir-fuzz-dataset-\(getpid())") }
  let writer = try TokenDatasetWriter(
    path, tokenizer: "0123456789abcdef", tokenizerFile: Array("{}".utf8), vocabulary: 8, endOfDocument: 7, shardTokens: 16)
  try writer.append(
    [0, 1, 5, 12, 30].map { length in
      TokenDocument(id: "d\(length)", origin: "x:\(length)", bytes: length, tokens: (0..<max(1, length)).map { UInt32($0 % 7) })
    })
  _ = try writer.commit(tool: "fuzz")
  return try TokenReader(path)
}
