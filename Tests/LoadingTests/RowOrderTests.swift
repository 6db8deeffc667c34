import Foundation
import Loading
import Primitives
import Storage
import TestSupport
import Testing
import Tokens

/// An order over groups of given numbers of rows, without packed rows behind them.
private func order(
  rows: [Int], weights: [Double]? = nil, maxEpochs: Double? = nil, stages: [(start: Int, weights: [Double])]? = nil, seed: UInt64 = 1
) throws -> RowOrder {
  var first = 0
  let groups = rows.enumerated().map { index, rows in
    defer { first += rows }
    return RowOrder.Group(name: "\(index)", source: 0, firstRow: first, rows: rows, tokens: rows * 64)
  }
  let draws = try DrawOrder(
    stages: stages ?? [(0, weights ?? rows.map(Double.init))], capacities: rows.map { rows in maxEpochs.map { Int(Double(rows) * $0) } },
    randomSeed: seed)
  let source = RowOrder.Source(rows: "r", dataset: "d", rowsFingerprint: "f", datasetFingerprint: "g")
  return try RowOrder(sequence: 64, sources: [source], groups: groups, draws: draws)
}

/// The rows at the first positions.
private func first(_ count: Int, of order: RowOrder) -> [RowOrder.Row] {
  var rows: [RowOrder.Row] = []
  rows.reserveCapacity(count)
  while rows.count < count { rows += order.draws.block(at: rows.count).draws.prefix(count - rows.count).map { order.row($0) } }
  return rows
}

@Suite struct RowOrderTests {
  /// Each epoch over a group has each of its rows once, before the next epoch begins, over three epochs of every group.
  @Test(arguments: [1, 64, 966, 4_096], 1...3 as ClosedRange<UInt64>) func epochsAreExact(groups: Int, seed: UInt64) throws {
    var random = SequentialRandom(seed: seed)
    let counts = (0..<groups).map { _ in Int.random(in: 1...(20_000 / groups + 2), using: &random) }
    let weights = counts.map { Double($0) * Double.random(in: 0.6...1, using: &random) }
    let order = try order(rows: counts, weights: weights, seed: seed)
    let length = 3 * Int(Double(counts.reduce(0, +)) / 0.55)
    var seen = [UInt8](repeating: 0, count: counts.reduce(0, +)), drawn = [Int](repeating: 0, count: groups)
    var wrong = 0
    for row in first(length, of: order) {
      let own = counts[row.group]
      // All rows were drawn `epoch` times before this epoch, and this one has not been drawn in it.
      if row.epoch != drawn[row.group] / own || Int(seen[row.number]) != row.epoch { wrong += 1 }
      seen[row.number] += 1
      drawn[row.group] += 1
    }
    #expect(wrong == 0 && zip(drawn, counts).allSatisfy { $0 >= 3 * $1 })
  }

  @Test(arguments: 1...10 as ClosedRange<UInt64>) func capsHoldAndAllOfThemIsUsed(seed: UInt64) throws {
    var random = SequentialRandom(seed: seed)
    let rows = (0..<37).map { _ in Int.random(in: 1...60, using: &random) }
    let order = try order(
      rows: rows, weights: rows.map { _ in pow(10, Double.random(in: -9...0, using: &random)) }, maxEpochs: 2, seed: seed)
    #expect(order.draws.capacity == 2 * rows.reduce(0, +))
    var seen = [Int: Int]()
    for row in first(order.draws.capacity, of: order) { seen[row.number, default: 0] += 1 }
    #expect(seen.count == rows.reduce(0, +) && seen.values.allSatisfy { $0 == 2 })
    #expect(errorMessage { _ = try order.row(at: order.draws.capacity) }.contains("raise the cap"))
  }

  /// A mixture that uses up a cap exactly at the end of its run has all of it in the run, not in the rest of the last block.
  @Test(arguments: [600, 1_030]) func aCapIsUsedUpByTheEndOfTheRun(length: Int) throws {
    try withDataset(lengths: [Int](repeating: 15, count: 300), sources: ["a", "b", "c"]) { path in
      let rows = try pack(path, sequence: 16, .concat, bySource: true)
      let mixture = RowMixture(stages: [.init(at: 0, weights: [2, 1, 1])], maxEpochs: [Double(length) / 200, nil, nil])
      let order = try RowOrder(sources: [rows], mixture: mixture, rows: length, randomSeed: 1, name: "x")
      let counts = order.draws.counts(before: length)
      #expect(abs(counts[0] - length / 2) <= 1 && abs(counts[1] - counts[2]) <= 2 && counts.reduce(0, +) == length, "\(counts)")
      #expect(order.draws.counts(before: length + 300).reduce(0, +) == length + 300)
    }
  }

  @Test func sharesAreThoseOfTheWeightsAtTheEndsOfBlocks() throws {
    for weights in [[0.5, 0.3, 0.2], [0.998, 0.001, 0.001], [1, 0, 0], [1e-9, 1 - 1e-9, 0]] as [[Double]] {
      let order = try order(rows: [50, 70, 90], weights: weights)
      for blocks in [1, 3, 50, 1 << 21] {
        let draws = blocks * DrawOrder.block
        for (count, weight) in zip(order.draws.counts(before: draws), weights) {
          #expect(abs(Double(count) - weight * Double(draws)) <= 2.1 + 1e-9 * Double(draws))
        }
      }
    }
  }

  @Test func stagesLoseAndRepeatNothing() throws {
    let counts = [300, 500, 900]
    let order = try order(rows: counts, stages: [(0, [3, 1, 0]), (1_000, [0, 1, 1]), (5_500, [1, 1, 1]), (20_000, [0, 0, 1])])
    var next = [0, 0, 0]
    for (position, row) in first(20_000, of: order).enumerated() {
      #expect(row.epoch * counts[row.group] <= next[row.group] && next[row.group] < (row.epoch + 1) * counts[row.group])
      next[row.group] += 1
      if position == 999 { #expect(next[2] == 0 && abs(next[0] - 750) <= 2) }
    }
    #expect(order.draws.draw(at: 20_001) == .init(group: 2, count: next[2] + 1))
  }

  /// A run that continues another one draws what is left of the epoch, with the same mixture or another.
  @Test(arguments: [100, 4_096, 5_000, 9_999], [true, false]) func continuingRepeatsNothing(position: Int, isCapped: Bool) throws {
    let rows = [4_000, 8_000, 3_000], first = [1.0, 1, 0.5], second = [0.2, 1, 1.0]
    let parent = try order(rows: rows, weights: first, maxEpochs: isCapped ? 1 : nil)
    let draws = try DrawOrder(
      continuing: parent.draws, at: position, stages: [(0, second)], capacities: rows.map { isCapped ? $0 * 3 : nil })
    var next = [0, 0, 0], block = parent.draws.block(at: 0)
    for place in 0..<position {
      if place % DrawOrder.block == 0 || place == 0 { block = parent.draws.block(at: place) }
      if place % 499 == 0 { #expect(draws.draw(at: place) == block.draws[place - block.positions.lowerBound]) }
      next[block.draws[place - block.positions.lowerBound].group] += 1
    }
    #expect(draws.counts(before: position) == next && parent.draws.counts(before: position) == next)
    var place = position
    while place < position + 12_288 {
      let block = draws.block(at: place)
      #expect(block.positions.lowerBound == place)
      for draw in block.draws {
        #expect(draw.count == next[draw.group])
        next[draw.group] += 1
      }
      place = block.positions.upperBound
    }
    let drawn = zip(next, draws.counts(before: position)).map { $0 - $1 }
    for (count, weight) in zip(drawn, second) { #expect(abs(Double(count) - weight / 2.2 * 12_288) < 4) }
  }

  @Test func aRowsPositionsAreFound() throws {
    let order = try order(rows: [40, 7, 300], weights: [5, 1, 3])
    var positions: [Int: [Int]] = [:]
    for (position, row) in first(3_000, of: order).enumerated() { positions[row.number, default: []].append(position) }
    for number in stride(from: 0, to: 347, by: 5) {
      #expect(order.positions(source: 0, number: number, before: 3_000) == positions[number] ?? [])
    }
    #expect(order.positions(source: 1, number: 3, before: 3_000).isEmpty)
  }

  /// Rows are in random order: neighbors in the packing are far apart in the run, and every position is as likely as any other.
  @Test func theOrderIsShuffled() throws {
    let count = 8_192, bins = 16
    var begins = [Int](repeating: 0, count: bins), adjacent = 0, ascending = 0, pairs = 0
    for seed in 1...40 as ClosedRange<UInt64> {
      let order = try order(rows: [count], seed: seed)
      var last = -10
      for (position, row) in first(count, of: order).enumerated() {
        let number = row.number
        if position == 0 { begins[number * bins / count] += 1 }
        if position > 0 {
          pairs += 1
          adjacent += abs(number - last) == 1 ? 1 : 0
          ascending += number > last ? 1 : 0
        }
        last = number
      }
    }
    // Of random pairs, 2 of `count` are neighbors, and half ascend.
    let expected = Double(pairs) * 2 / Double(count)
    #expect(abs(Double(adjacent) - expected) < 5 * expected.squareRoot(), "\(adjacent) of \(expected)")
    #expect(abs(Double(ascending) / Double(pairs) - 0.5) < 0.01)
    let mean = 40.0 / Double(bins)
    let chiSquare = begins.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) / mean }
    // The 99.9th percentile with 15 degrees of freedom.
    #expect(chiSquare < 37.7, "\(begins)")
  }

  @Test(arguments: [2, 3, 5, 17, 64]) func smallPermutationsAreUniform(count: Int) {
    var cells = [[Int]](repeating: [Int](repeating: 0, count: count), count: count)
    let trials = 4_000
    for stream in 0..<UInt64(trials) {
      let order = Permutation(count: count, seed: 9, stream: stream)
      for index in 0..<count { cells[index][order[index]] += 1 }
      if stream < 50 { #expect((0..<count).allSatisfy { order.inverse(of: order[$0]) == $0 }) }
    }
    let mean = Double(trials) / Double(count)
    let chiSquare = cells.joined().reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) / mean }
    let freedom = Double((count - 1) * (count - 1))
    #expect(chiSquare < freedom + 5 * (2 * freedom).squareRoot() + 10, "\(chiSquare) with \(freedom)")
  }

  @Test func anOrderIsReadBackAndDamageIsFound() throws {
    try withTemporaryFolder { folder in
      let order = try order(rows: [40, 7, 300], weights: [5, 1, 3], seed: .max)
      let file = folder + "/order.json"
      try order.write(to: file)
      let read = try RowOrder.read(from: file)
      #expect(read.fingerprint == order.fingerprint && read.draws == order.draws && read.groups == order.groups)
      for (from, to) in [("\"rows\" : 40", "\"rows\" : 41"), ("weir.row-order.1", "weir.row-order.9")] {
        let text = String(decoding: try Files.readWhole(file), as: UTF8.self).replacingOccurrences(of: from, with: to)
        // Without the seal, as if edited by hand.
        let unsealed = text.replacingOccurrences(of: "\"xxh3\"", with: "\"note\"")
        try Files.write(Array(unsealed.utf8), to: folder + "/edited.json")
        #expect(throws: WeirError.self) { try RowOrder.read(from: folder + "/edited.json") }
      }
    }
  }

  @Test func impossibleOrdersAreRefused() throws {
    let order = try order(rows: [40, 7, 300], weights: [5, 1, 3], maxEpochs: 2)
    let text = String(decoding: try JSONFile.encode(order.draws), as: UTF8.self)
    for (from, to) in [
      ("\"base\":[0,0]", "\"base\":[0,9]"), ("\"start\":0", "\"start\":5"), ("[80,14,600]", "[80,-1,600]"), ("[80,14,600]", "[80,14]"),
    ] {
      #expect(text.contains(from))
      let broken = text.replacingOccurrences(of: from, with: to)
      #expect(throws: WeirError.self) { try JSONFile.decode(DrawOrder.self, from: Array(broken.utf8), place: "x") }
    }
  }

  @Test func weightsAreCappedForTheRun() {
    #expect(EpochCaps.shares([[0.75, 0.25]], rows: [100], capacities: [50, nil]) == [[0.5, 0.5]])
    #expect(EpochCaps.shares([[0.25, 0.25, 0.5]], rows: [100], capacities: [nil, nil, nil]) == [[0.25, 0.25, 0.5]])
    // The cap is over both stages: what the first one draws, the second cannot.
    let shares = EpochCaps.shares([[0.8, 0.2], [0.4, 0.6]], rows: [100, 100], capacities: [60, nil])
    #expect(abs(shares[0][0] * 100 + shares[1][0] * 100 - 60) < 1e-9 && abs(shares[0][0] - 2 * shares[1][0]) < 1e-9)
  }
}
