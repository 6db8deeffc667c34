import Foundation
import Loading
import Primitives
import Storage
import TestSupport
import Testing
import Tokens

@Test(arguments: RowPacking.allCases, 1...3 as ClosedRange<UInt64>) func batchesArePackedMaskedAndTraceable(
  packing: RowPacking, seed: UInt64
) throws {
  try withDataset(lengths: randomLengths(seed, count: 40) + [1, 2], sources: ["a", "b", "c"]) { path in
    let dataset = try TokenDataset(path), rows = try pack(path, sequence: 64, packing, bySource: true)
    let loader = try PackedLoader(order([rows], weights: [1, 2, 0.5], seed: seed), sources: [rows], rows: 4)
    for step in [0, 1, 2, 500, 100_000, 1 << 33] {
      let batch = try loader.batch(step: step)
      var covered = [Bool](repeating: false, count: 4 * 64)
      for segment in batch.segments {
        let length = dataset.length(segment.document)
        let source = try dataset.tokens(document: segment.document, range: 0..<length)
        var wrong = 0
        for place in 0..<segment.count {
          let at = segment.row * 64 + segment.start + place
          // The next token within the segment; at the end of a row, that of the document.
          let next = segment.offset + place + 1
          let hasTarget = place + 1 < segment.count || (segment.start + segment.count == 64 && next < length)
          let isRight =
            !covered[at] && batch.tokens[at] == source[segment.offset + place] && batch.starts[at] == Int32(segment.start)
            && batch.targets[at] == (hasTarget ? source[next] : -1)
          covered[at] = true
          wrong += isRight ? 0 : 1
        }
        #expect(wrong == 0)
      }
      let padding = covered.indices.filter { !covered[$0] }
      #expect(padding.allSatisfy { batch.tokens[$0] == 0 && batch.targets[$0] == -1 && batch.starts[$0] == Int32($0 % 64) })
    }
  }
}

@Test func anEpochHasEveryTokenOnce() throws {
  let lengths = randomLengths(9, count: 60)
  try withDataset(lengths: lengths) { path in
    let rows = try pack(path, sequence: 32), loader = try PackedLoader(order([rows], maxEpochs: 2), sources: [rows], rows: 1)
    for epoch in 0..<2 {
      var counts: [Int32: Int] = [:]
      for row in 0..<rows.rowCount {
        for token in try loader.batch(step: epoch * rows.rowCount + row).tokens where token != 0 { counts[token, default: 0] += 1 }
      }
      #expect(counts.count == lengths.reduce(0, +) && counts.values.allSatisfy { $0 == 1 })
    }
    #expect(throws: WeirError.self) { try loader.batch(step: 2 * rows.rowCount) }
    let first = try (0..<rows.rowCount).map { try loader.batch(step: $0) }
    #expect(try (0..<rows.rowCount).map { try loader.batch(step: rows.rowCount + $0) } != first)
  }
}

/// The row at a position does not depend on the batch: any batch size and any ranks, also changed in between, give the same rows.
@Test func rowsDependOnTheirPositionAlone() throws {
  try withDataset(lengths: randomLengths(4, count: 50), sources: ["a", "b"]) { path in
    let rows = try pack(path, sequence: 16, bySource: true), order = try order([rows], weights: [1, 3])
    let single = try PackedLoader(order, sources: [rows], rows: 1)
    let expected = try (0..<192).map { try single.batch(step: $0).tokens }
    for size in [1, 2, 3, 8, 64] {
      let loader = try PackedLoader(order, sources: [rows], rows: size)
      for step in 0..<192 / size {
        #expect(try loader.batch(step: step).tokens == expected[step * size..<(step + 1) * size].flatMap { $0 })
      }
    }
    // Resumed at every position, with another number of ranks each time.
    for position in 0..<128 {
      let world = position % 64 + 1
      for rank in [0, world - 1] {
        let own = Array(stride(from: position + rank, to: min(192, position + 64), by: world))
        #expect(try single.batch(positions: own).tokens == own.flatMap { expected[$0] })
      }
    }
  }
}

@Test func attentionCrossesDocumentsOnDemand() throws {
  try withDataset(lengths: randomLengths(4, count: 20)) { path in
    let rows = try pack(path, sequence: 64)
    let masked = try PackedLoader(order([rows]), sources: [rows], rows: 2)
    var full = masked
    full.attention = .full
    let (one, other) = (try masked.batch(step: 3), try full.batch(step: 3))
    #expect(one.tokens == other.tokens && one.targets == other.targets && other.starts.allSatisfy { $0 == 0 })
    #expect(full.fingerprint != masked.fingerprint)
  }
}

@Test func datasetsAreCombined() throws {
  try withTemporaryFolder { folder in
    let sources = try ["a", "b"].enumerated().map { number, name in
      try writeDataset("\(folder)/\(name)", lengths: randomLengths(UInt64(number) + 1, count: 20))
      return try pack("\(folder)/\(name)", sequence: 32)
    }
    let order = try order(sources, weights: [1, 3])
    let loader = try PackedLoader(order, sources: sources, rows: 4_096)
    let batch = try loader.batch(step: 0)
    let second = Set(batch.segments.filter { $0.dataset == 1 }.map(\.row)).count
    #expect(abs(second - 3_072) <= 20)
    try order.write(to: folder + "/order.json")
    let opened = try PackedLoader(order: folder + "/order.json", rows: 8)
    #expect(try opened.batch(step: 3).tokens == Array(batch.tokens[3 * 8 * 32..<4 * 8 * 32]))
    #expect(
      errorMessage {
        _ = try RowOrder(
          sources: [sources[0], pack(folder + "/b", sequence: 16)], mixture: RowMixture(stages: [], maxEpochs: []), rows: nil,
          randomSeed: 1, name: "m")
      }.contains("sequence lengths"))
  }
}

@Test func mixturesThatCannotBeDrawnAreRefused() throws {
  try withDataset(lengths: [50, 40, 60, 70], sources: ["a", "b"]) { path in
    let rows = try pack(path, sequence: 8, bySource: true)
    for weights in [[1], [0, 0], [.nan, 1], [-1, 1]] as [[Double]] {
      #expect(throws: WeirError.self) { try order([rows], weights: weights) }
    }
    // Longer than the caps allow, with the number of epochs that it would take.
    let total = rows.rowCount
    #expect(errorMessage { _ = try order([rows], maxEpochs: 2, rows: 3 * total) }.contains("needs 3 epochs"))
    let capped = try order([rows], weights: [9, 1], maxEpochs: 2, rows: 2 * total)
    #expect(capped.draws.capacity == 2 * total)
  }
}
