import Primitives

/// Which group each row of a run comes from, and how many rows of that group came before: a function of the position alone, block by block.
///
/// The groups are the leaves of a balanced binary tree. Of the first n draws at a node, L(n) = ⌊(n·P + φ) / 2³²⌋ go to the left, where P / 2³²
/// is the left side's share: after every draw, each group's count is within log₂(groups) rows of its exact share. L is clamped to what each side
/// can hold, so that an overflow goes to the sibling first, and then up the tree. A permutation of the draws inside blocks of positions removes the
/// regular pattern; the counts of a group still ascend with the position. Everything is integers once it is compiled, so that any language computes
/// the same order.
///
/// CRISP (arXiv 2410.03735 §3) draws a cluster from P(c|Ds) at random. Drawing in fixed proportions has the same expectation without its
/// variance; the scheme is ours.
package struct DrawOrder: Codable, Sendable, Equatable {
  /// A new number for every change of the order.
  package static let version = 1
  /// Positions per block of the permutation.
  package static let block = 256
  /// The capacity of a group without a limit, in rows.
  package static let unlimited = 1 << 42
  package static let mostGroups = 1 << 20
  package static let mostStages = 64

  /// A part of the run with constant weights.
  package struct Stage: Codable, Sendable, Equatable {
    /// The position at which the stage begins.
    package var start: Int
    /// [groups − 1] per inner node, the left side's share in units of 2⁻³².
    package var shares: [UInt64]
    /// [groups − 1] per inner node, the draws that went to the left before the stage.
    package var base: [Int]
    /// Where the stage ends as planned, with a shorter block; nil for the last one. A run that continues another one may begin a stage before.
    package var end: Int?
    /// [groups] the rows that each group can supply by the end of the stage; nil for those of the last stage.
    package var capacities: [Int]?
  }

  package struct Draw: Sendable, Equatable {
    package var group: Int
    /// How many rows the group has supplied before, over all epochs.
    package var count: Int

    package init(group: Int, count: Int) { (self.group, self.count) = (group, count) }
  }

  /// In the order of their starts. The last one has no end.
  package private(set) var stages: [Stage]
  /// [groups − 1] per inner node, φ.
  package let offsets: [UInt32]
  /// [groups] the rows that each group can supply, over all epochs.
  package let capacities: [Int]
  package let randomSeed: UInt64
  /// [stages][groups + 1] the capacity of all groups before each one.
  private var capacityBefore: [[Int]] = []

  private enum CodingKeys: String, CodingKey {
    case stages, offsets, capacities
    case randomSeed = "random_seed"
  }

  package var groupCount: Int { capacities.count }
  /// The rows that all groups together can supply.
  package var capacity: Int { capacityBefore[stages.count - 1][groupCount] }

  /// Compiles weights.
  /// - Parameters:
  ///   - stages: where each stage begins, and one weight per group; the first begins at 0.
  ///   - capacities: the rows that each group can supply; nil for no limit. Groups that no stage gives a weight supply none.
  ///   - randomSeed: determines φ and the permutation.
  /// - Throws: `WeirError` if the stages or weights are out of range.
  package init(stages: [(start: Int, weights: [Double])], capacities: [Int?], randomSeed: UInt64) throws {
    let groups = capacities.count
    guard (1...Self.mostGroups).contains(groups) else { throw WeirError("groups", "\(groups) groups, expected 1…\(Self.mostGroups)") }
    guard stages.first?.start == 0 else { throw WeirError("stages", "the first does not begin at position 0") }
    let random = CounterRandom(seed: randomSeed, stream: 0x0DDE_4000)
    self.init(
      stages: [], offsets: (0..<groups - 1).map { UInt32(truncatingIfNeeded: random.bits(UInt64($0)) >> 32) },
      capacities: Self.limits(capacities, stages.map(\.weights)), randomSeed: randomSeed)
    try append(stages)
  }

  /// Another mixture from some position on; the draws before it stay as they are.
  package init(continuing parent: DrawOrder, at position: Int, stages: [(start: Int, weights: [Double])], capacities: [Int?]) throws {
    let drawn = parent.counts(before: position)
    let kept = parent.stages.filter { $0.start < position }.map { stage in
      var stage = stage
      stage.capacities = stage.capacities ?? parent.capacities
      return stage
    }
    // What was drawn cannot be undone by a lower limit.
    let limits = zip(Self.limits(capacities, stages.map(\.weights)), drawn).map { max($0, $1) }
    self.init(stages: kept, offsets: parent.offsets, capacities: limits, randomSeed: parent.randomSeed)
    try append(stages.map { (position + $0.start, $0.weights) }, base: Self.leftSums(drawn))
  }

  /// Whether these draws, of one stage, are those that `parent` makes from a position on.
  func continues(_ parent: DrawOrder, at position: Int) -> Bool {
    guard stages.count == 1, let last = parent.stages.last, position >= last.start else { return false }
    return stages[0].shares == last.shares && capacities == parent.capacities && offsets == parent.offsets
      && randomSeed == parent.randomSeed
  }

  private static func limits(_ capacities: [Int?], _ weights: [[Double]]) -> [Int] {
    capacities.enumerated().map { group, capacity in
      weights.contains { $0.indices.contains(group) && $0[group] > 0 } ? min(max(0, capacity ?? unlimited), unlimited) : 0
    }
  }

  private mutating func append(_ added: [(start: Int, weights: [Double])], base: [Int]? = nil) throws {
    var last = stages.last?.start ?? -1, base = base
    guard stages.count + added.count <= Self.mostStages else {
      throw WeirError("stages", "there are \(stages.count + added.count), expected at most \(Self.mostStages)")
    }
    for (start, weights) in added {
      guard start > last else { throw WeirError("stages", "are not in ascending order") }
      guard weights.count == groupCount, weights.allSatisfy({ $0 >= 0 && $0.isFinite }), weights.contains(where: { $0 > 0 }) else {
        throw WeirError("weights", "expected \(groupCount) finite weights ≥ 0, not all 0, per stage")
      }
      if base == nil, !stages.isEmpty { stages[stages.count - 1].end = start }
      let left = base ?? (stages.isEmpty ? [Int](repeating: 0, count: groupCount - 1) : Self.leftSums(counts(before: min(start, capacity))))
      guard stages.isEmpty || start <= capacity else {
        throw WeirError("stages", "one begins at position \(start), after the last row that the caps on epochs allow")
      }
      stages.append(Stage(start: start, shares: Self.shares(weights), base: left))
      capacityBefore.append(Self.sums(capacities))
      (last, base) = (start, nil)
    }
  }

  private init(stages: [Stage], offsets: [UInt32], capacities: [Int], randomSeed: UInt64) {
    (self.stages, self.offsets, self.capacities, self.randomSeed) = (stages, offsets, capacities, randomSeed)
    capacityBefore = stages.map { Self.sums($0.capacities ?? capacities) }
  }

  private static func sums(_ capacities: [Int]) -> [Int] { capacities.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1) } }

  /// Reads a compiled order, and checks it.
  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let stages = try container.decode([Stage].self, forKey: .stages), offsets = try container.decode([UInt32].self, forKey: .offsets)
    let capacities = try container.decode([Int].self, forKey: .capacities)
    func require(_ condition: Bool, _ key: CodingKeys, _ reason: String) throws {
      if !condition { throw DecodingError.dataCorruptedError(forKey: key, in: container, debugDescription: reason) }
    }
    try require((1...Self.mostGroups).contains(capacities.count), .capacities, "1…\(Self.mostGroups) groups")
    try require(capacities.allSatisfy((0...Self.unlimited).contains), .capacities, "capacities in 0…2⁴²")
    try require(offsets.count == capacities.count - 1, .offsets, "one offset per inner node")
    try require(
      (1...Self.mostStages).contains(stages.count) && stages[0].start == 0, .stages, "1…\(Self.mostStages) stages from position 0")
    try require(zip(stages, stages.dropFirst()).allSatisfy { $0.start < $1.start }, .stages, "stages in ascending order")
    try require(
      stages.indices.allSatisfy { index in
        guard let end = stages[index].end else { return true }
        return index + 1 < stages.count && end >= stages[index + 1].start
      }, .stages, "an end that is not before the next stage")
    try require(stages[stages.count - 1].capacities == nil, .stages, "a last stage without capacities of its own")
    for stage in stages {
      try require(
        stage.shares.count == offsets.count && stage.shares.allSatisfy { $0 <= 1 << 32 }, .stages, "a share in 0…2³² per inner node")
      let limits = stage.capacities ?? capacities
      try require(
        limits.count == capacities.count && limits.allSatisfy((0...Self.unlimited).contains), .stages, "capacities in 0…2⁴² per stage")
      try require(stage.base.count == offsets.count && Self.isConsistent(stage, limits: Self.sums(limits)), .stages, "base counts in range")
    }
    let randomSeed = try container.decode(UInt64.self, forKey: .randomSeed)
    // A stage begins with the counts at which the one before stops; otherwise it would skip or repeat rows.
    for index in stages.indices.dropFirst() {
      let before = DrawOrder(stages: Array(stages[..<index]), offsets: offsets, capacities: capacities, randomSeed: randomSeed)
      try require(
        stages[index].start <= before.capacity && stages[index].base == Self.leftSums(before.counts(before: stages[index].start)), .stages,
        "base counts that are those of the stage before")
    }
    self.init(stages: stages, offsets: offsets, capacities: capacities, randomSeed: randomSeed)
  }

  /// Whether the draws before a stage fit the capacities of all sides; then all later ones do.
  private static func isConsistent(_ stage: Stage, limits: [Int]) -> Bool {
    var open = [(range: 0..<limits.count - 1, base: stage.start)]
    while let (range, base) = open.popLast() {
      guard (0...limits[range.upperBound] - limits[range.lowerBound]).contains(base) else { return false }
      guard range.count > 1 else { continue }
      let middle = (range.lowerBound + range.upperBound) / 2, left = stage.base[middle - 1]
      guard (0...base).contains(left) else { return false }
      open.append((range.lowerBound..<middle, left))
      open.append((middle..<range.upperBound, base - left))
    }
    return true
  }

  /// Consecutive positions whose draws are computed together.
  package struct Block: Sendable {
    package let positions: Range<Int>
    /// [positions] draws.
    package let draws: [Draw]
  }

  /// The block that contains a position. O(block size · log groups).
  /// - Parameter position: in `0..<capacity`.
  package func block(at position: Int) -> Block {
    precondition((0..<capacity).contains(position), "the position is outside the run")
    return block(at: position, stage: stage(at: position))
  }

  private func block(at position: Int, stage index: Int) -> Block {
    let positions = blockPositions(of: position, stage: index)
    // The draws at a node within the block have consecutive numbers; a node divides them between its sides.
    var leaves: [Draw] = []
    var leafOf = [UInt32](repeating: 0, count: positions.count)
    var open = [(range: 0..<groupCount, first: positions.lowerBound, base: stages[index].start, draws: Array(0..<UInt32(positions.count)))]
    while let (range, first, base, draws) = open.popLast() {
      guard range.count > 1 else {
        for draw in draws { leafOf[Int(draw)] = UInt32(leaves.count) }
        leaves.append(Draw(group: range.lowerBound, count: first))
        continue
      }
      let side = Side(self, range, stage: index, base: base)
      var (left, right): ([UInt32], [UInt32]) = ([], [])
      let start = side.left(of: first)
      var count = start
      for (number, draw) in draws.enumerated() {
        let next = side.left(of: first + number + 1)
        if next > count { left.append(draw) } else { right.append(draw) }
        count = next
      }
      let middle = (range.lowerBound + range.upperBound) / 2, leftBase = stages[index].base[middle - 1]
      if !right.isEmpty { open.append((middle..<range.upperBound, first - start, base - leftBase, right)) }
      if !left.isEmpty { open.append((range.lowerBound..<middle, start, leftBase, left)) }
    }
    let order = Permutation(count: positions.count, seed: randomSeed ^ 0xB10C, stream: stream(positions, stage: index))
    let draws = positions.indices.map { position in
      let leaf = Int(leafOf[order[position - positions.lowerBound]])
      defer { leaves[leaf].count += 1 }
      return leaves[leaf]
    }
    let end = index + 1 < stages.count ? min(stages[index + 1].start, positions.upperBound) : positions.upperBound
    guard end > positions.lowerBound, end < positions.upperBound else { return Block(positions: positions, draws: draws) }
    return Block(positions: positions.lowerBound..<end, draws: Array(draws.prefix(end - positions.lowerBound)))
  }

  /// The draw at a position, without the others of its block.
  package func draw(at position: Int) -> Draw {
    let block = block(at: position)
    return block.draws[position - block.positions.lowerBound]
  }

  /// [groups] how many of the rows before a position are of each group.
  package func counts(before position: Int) -> [Int] {
    precondition((0...capacity).contains(position), "the position is outside the run")
    guard position < capacity else { return counts(draws: position) }
    let start = blockPositions(of: position, stage: stage(at: position)).lowerBound
    var counts = counts(draws: start)
    guard start < position else { return counts }
    let block = block(at: position)
    for draw in block.draws.prefix(position - start) { counts[draw.group] += 1 }
    return counts
  }

  /// [groups] the draws of each group at the beginning of a block, or of all.
  private func counts(draws: Int) -> [Int] {
    var counts = [Int](repeating: 0, count: groupCount)
    let index = stage(at: draws), stage = stages[index]
    var open = [(range: 0..<groupCount, count: draws, base: stage.start)]
    while let (range, count, base) = open.popLast() {
      guard range.count > 1 else {
        counts[range.lowerBound] = count
        continue
      }
      let left = Side(self, range, stage: index, base: base).left(of: count)
      let middle = (range.lowerBound + range.upperBound) / 2
      open.append((middle..<range.upperBound, count - left, base - stage.base[middle - 1]))
      open.append((range.lowerBound..<middle, left, stage.base[middle - 1]))
    }
    return counts
  }

  /// The stage of a position.
  package func stage(at position: Int) -> Int { (stages.lastIndex { $0.start <= position }) ?? 0 }

  /// Blocks begin with their stage. One that a stage cuts short before the planned end of its own is computed as if it were whole, so that a run
  /// that another one continues keeps its draws.
  private func blockPositions(of position: Int, stage index: Int) -> Range<Int> {
    let start = stages[index].start, first = start + (position - start) / Self.block * Self.block
    return first..<min(first + Self.block, stages[index].end ?? .max, capacityBefore[index][groupCount])
  }

  private func stream(_ positions: Range<Int>, stage index: Int) -> UInt64 {
    UInt64(index) << 56 ^ UInt64((positions.lowerBound - stages[index].start) / Self.block)
  }

  /// The position of a group's row number `count`, over all epochs; nil if the run never draws it.
  package func position(group: Int, count: Int) -> Int? {
    guard count < capacities[group] else { return nil }
    // The stage that draws it is the last one that begins with at most this count.
    var found: (index: Int, path: [Step])?
    for index in stages.indices {
      let (path, before) = path(to: group, stage: stages[index])
      if before <= count { found = (index, path) }
    }
    guard let (index, path) = found else { return nil }
    let limits = capacityBefore[index]
    var number = count
    for step in path.reversed() {
      // The first draw at the node of which this side has supplied `number` rows before.
      let side = Side(self, step.range, stage: index, base: step.base)
      var (low, high) = (max(number, step.base), limits[step.range.upperBound] - limits[step.range.lowerBound])
      while low < high {
        let middle = low + (high - low) / 2, left = side.left(of: middle + 1)
        if (step.isLeft ? left : middle + 1 - left) > number { high = middle } else { low = middle + 1 }
      }
      number = low
    }
    guard number < limits[groupCount] else { return nil }
    // The draws of a block are permuted within it.
    let block = block(at: number, stage: index)
    return block.draws.firstIndex(of: Draw(group: group, count: count)).map { block.positions.lowerBound + $0 }
  }

  private struct Step {
    var range: Range<Int>
    var isLeft: Bool
    /// The draws at the node before the stage.
    var base: Int
  }

  /// The nodes above a group, and the group's draws before the stage.
  private func path(to group: Int, stage: Stage) -> (path: [Step], before: Int) {
    var (range, base, path) = (0..<groupCount, stage.start, [Step]())
    while range.count > 1 {
      let middle = (range.lowerBound + range.upperBound) / 2, left = stage.base[middle - 1], isLeft = group < middle
      path.append(Step(range: range, isLeft: isLeft, base: base))
      (range, base) = isLeft ? (range.lowerBound..<middle, left) : (middle..<range.upperBound, base - left)
    }
    return (path, base)
  }

  /// L(n) at one inner node in one stage.
  private struct Side {
    private let share: UInt64
    private let offset: UInt64
    /// The draws at the node, and those to the left, before the stage.
    private let base: Int
    private let leftBase: Int
    /// What the two sides can hold.
    private let left: Int
    private let right: Int

    init(_ order: DrawOrder, _ range: Range<Int>, stage index: Int, base: Int) {
      let middle = (range.lowerBound + range.upperBound) / 2, limits = order.capacityBefore[index]
      (share, offset) = (order.stages[index].shares[middle - 1], UInt64(order.offsets[middle - 1]))
      (self.base, leftBase) = (base, order.stages[index].base[middle - 1])
      (left, right) = (limits[middle] - limits[range.lowerBound], limits[range.upperBound] - limits[middle])
    }

    func left(of count: Int) -> Int {
      let local = UInt64(count - base)
      // (local · P + φ) / 2³² without an overflow.
      let drawn = (local >> 32) * share + ((local & 0xFFFF_FFFF) * share + offset) >> 32
      return min(max(leftBase + Int(drawn), count - right), left)
    }
  }

  /// [groups − 1] per inner node, the sum over the groups to the left.
  private static func leftSums(_ counts: [Int]) -> [Int] {
    let before = sums(counts)
    var sums = [Int](repeating: 0, count: counts.count - 1)
    var open = [0..<counts.count]
    while let range = open.popLast() {
      guard range.count > 1 else { continue }
      let middle = (range.lowerBound + range.upperBound) / 2
      sums[middle - 1] = before[middle] - before[range.lowerBound]
      open += [range.lowerBound..<middle, middle..<range.upperBound]
    }
    return sums
  }

  /// Shares of the left sides. A side with a positive weight gets at least 2⁻³².
  private static func shares(_ weights: [Double]) -> [UInt64] {
    var shares = [UInt64](repeating: 0, count: weights.count - 1)
    func sum(_ range: Range<Int>) -> Double {
      guard range.count > 1 else { return weights[range.lowerBound] }
      let middle = (range.lowerBound + range.upperBound) / 2
      let left = sum(range.lowerBound..<middle), right = sum(middle..<range.upperBound)
      let share = left + right > 0 ? (left / (left + right) * 0x1p32).rounded() : 0x1p31
      shares[middle - 1] = UInt64(min(max(share, left > 0 ? 1 : 0), right > 0 ? 0x1p32 - 1 : 0x1p32))
      return left + right
    }
    _ = sum(0..<weights.count)
    return shares
  }
}
