import Artifacts
import Primitives
import Storage
import Tokens

/// Which packed row comes at which position of a run: a file `weir.row-order.1`, all integers, from which any language gets the same rows.
///
/// `DrawOrder` says which group a position draws from and how many rows the group has supplied before; `Permutation` orders the rows of the group in
/// each epoch. The state of a reader is a position: batch size, ranks and workers only decide who takes which positions.
public struct RowOrder: Codable, Sendable {
  package static let format = "weir.row-order.1"

  /// Packed rows, and the dataset that they were packed from.
  package struct Source: Codable, Sendable, Equatable {
    /// The folders, relative to that of the file.
    package var rows: String
    package var dataset: String
    package var rowsFingerprint: String
    package var datasetFingerprint: String

    package init(rows: String, dataset: String, rowsFingerprint: String, datasetFingerprint: String) {
      (self.rows, self.dataset) = (rows, dataset)
      (self.rowsFingerprint, self.datasetFingerprint) = (rowsFingerprint, datasetFingerprint)
    }

    func with(_ path: (String) -> String) -> Source {
      var source = self
      (source.rows, source.dataset) = (path(rows), path(dataset))
      return source
    }

    private enum CodingKeys: String, CodingKey {
      case rows, dataset
      case rowsFingerprint = "rows_fingerprint"
      case datasetFingerprint = "dataset_fingerprint"
    }
  }

  /// A group of one of the sources.
  package struct Group: Codable, Sendable, Equatable {
    package var name: String
    package var source: Int
    /// The group's first row in its source.
    package var firstRow: Int
    package var rows: Int
    package var tokens: Int

    package init(name: String, source: Int, firstRow: Int, rows: Int, tokens: Int) {
      (self.name, self.source, self.firstRow, self.rows, self.tokens) = (name, source, firstRow, rows, tokens)
    }

    private enum CodingKeys: String, CodingKey {
      case name, source, rows, tokens
      case firstRow = "first_row"
    }
  }

  /// The row at a position.
  package struct Row: Sendable, Equatable {
    package var group: Int
    /// How often the group's rows were all drawn before.
    package var epoch: Int
    package var source: Int
    /// The number of the row in its source.
    package var number: Int
  }

  package var format = Self.format
  package let orderVersion: Int
  /// Tokens per row.
  public let sequence: Int
  package var sources: [Source]
  package let groups: [Group]
  package let draws: DrawOrder
  /// The position at which the run begins.
  package var fromPosition: Int
  /// The position after the run that the weights were capped for; nil if its length is not known.
  package var endPosition: Int?
  /// XXH3-64 over everything but paths, names, and where the run begins and ends: orders with the same fingerprint have the same rows at all positions.
  public let fingerprint: String

  private enum CodingKeys: String, CodingKey {
    case format, sequence, sources, groups, draws, fingerprint
    case orderVersion = "order_version"
    case fromPosition = "from_position"
    case endPosition = "end_position"
  }

  package init(sequence: Int, sources: [Source], groups: [Group], draws: DrawOrder, fromPosition: Int = 0) throws {
    precondition(groups.count == draws.groupCount, "a group without draws")
    (self.sequence, self.sources, self.groups, self.draws, self.fromPosition) = (sequence, sources, groups, draws, fromPosition)
    orderVersion = DrawOrder.version
    let lines =
      ["order \(DrawOrder.version)", "sequence \(sequence)"] + sources.map { "rows \($0.rowsFingerprint)" }
      + groups.map { "group \($0.source) \($0.firstRow) \($0.rows)" }
    fingerprint = Checksum.hex(Checksum.xxh3(Array(lines.joined(separator: "\n").utf8) + (try JSONFile.encode(draws))))
  }

  /// Reads an order.
  /// - Throws: `WeirError` if it is damaged, or of another version.
  package static func read(from path: String) throws -> RowOrder {
    let order = try JSONFile.readSealed(RowOrder.self, from: path)
    func require(_ condition: Bool, _ reason: String) throws {
      if !condition { throw WeirError(path, reason, remedy: "make it again with `weir pack --order`") }
    }
    try require(order.format == format, "its format is \"\(Format.clip(order.format, 40))\", not \(format)")
    try require(
      order.orderVersion == DrawOrder.version,
      "has order version \(order.orderVersion), and this program draws by version \(DrawOrder.version)")
    try require((2...PackedRows.longestSequence).contains(order.sequence), "its sequence is \(order.sequence)")
    try require(order.groups.count == order.draws.groupCount, "has \(order.groups.count) groups, but draws from \(order.draws.groupCount)")
    for (group, capacity) in zip(order.groups, order.draws.capacities) {
      try require(
        order.sources.indices.contains(group.source) && ((capacity > 0 ? 1 : 0)...1 << 53).contains(group.rows)
          && (0...1 << 53).contains(group.firstRow) && (0...1 << 53).contains(group.tokens),
        "its group \(Format.clip(group.name, 60)) is out of range")
    }
    try require((0...order.draws.capacity).contains(order.fromPosition), "begins at position \(order.fromPosition), outside the run")
    try require(order.endPosition ?? order.draws.capacity >= order.fromPosition, "ends before it begins")
    let sources = order.sources.map { $0.with { RelativePath.resolve($0, in: path) } }
    var made = try RowOrder(
      sequence: order.sequence, sources: sources, groups: order.groups, draws: order.draws, fromPosition: order.fromPosition)
    try require(made.fingerprint == order.fingerprint, "its fingerprint is not that of its content")
    made.endPosition = order.endPosition
    return made
  }

  /// The same order with the dataset where it is now.
  /// - Throws: `WeirError` if the order draws nothing from it.
  func moved(to dataset: TokenReader, file: String) throws -> RowOrder {
    guard sources.contains(where: { $0.datasetFingerprint == dataset.fingerprint }) else {
      throw WeirError(file, "draws from other datasets than \(dataset.path)", remedy: "give one that it was made from")
    }
    var order = self
    for (number, source) in sources.enumerated() where source.datasetFingerprint == dataset.fingerprint {
      guard (try? Manifest.read(folder: source.dataset).fingerprint) != dataset.fingerprint else { continue }
      order.sources[number].dataset = dataset.path
      if source.rows.hasPrefix(source.dataset + "/") {
        order.sources[number].rows = dataset.path + source.rows.dropFirst(source.dataset.count)
      }
    }
    return order
  }

  package func write(to path: String) throws {
    var stored = self
    stored.sources = sources.map { $0.with { RelativePath.store($0, in: path) } }
    try JSONFile.writeSealed(stored, to: path)
  }

  /// The row at a position.
  /// - Throws: `WeirError` after the last row that the caps allow.
  package func row(at position: Int) throws -> Row {
    try check(position)
    return row(draws.draw(at: position))
  }

  /// Throws after the last row that the caps allow.
  package func check(_ position: Int) throws {
    guard (0..<draws.capacity).contains(position) else {
      throw WeirError(
        "position \(position)", "is after the last of the \(Format.count(draws.capacity)) rows that the caps on epochs allow",
        remedy: "raise the cap, or read fewer tokens")
    }
  }

  /// The row of a draw.
  package func row(_ draw: DrawOrder.Draw) -> Row {
    let group = groups[draw.group]
    let (epoch, index) = draw.count.quotientAndRemainder(dividingBy: group.rows)
    let row = permutation(group: draw.group, epoch: epoch)[index]
    return Row(group: draw.group, epoch: epoch, source: group.source, number: group.firstRow + row)
  }

  /// The positions before `end` at which a row is drawn.
  package func positions(source: Int, number: Int, before end: Int) -> [Int] {
    guard let group = groups.firstIndex(where: { $0.source == source && ($0.firstRow..<$0.firstRow + $0.rows).contains(number) }) else {
      return []
    }
    var positions: [Int] = []
    for epoch in 0... {
      let index = permutation(group: group, epoch: epoch).inverse(of: number - groups[group].firstRow)
      guard let position = draws.position(group: group, count: epoch * groups[group].rows + index) else { break }
      guard position < end else { break }
      positions.append(position)
    }
    return positions
  }

  private func permutation(group: Int, epoch: Int) -> Permutation {
    Permutation(
      count: groups[group].rows, seed: draws.randomSeed ^ 0xE90C, stream: UInt64(group) << 42 ^ UInt64(truncatingIfNeeded: epoch))
  }
}
