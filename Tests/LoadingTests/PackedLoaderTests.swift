import Documents
import Foundation
import Loading
import Primitives
import Storage
import TestSupport
import Testing
import Tokens

/// A dataset whose tokens are consecutive numbers, so that every token identifies its position.
private func withDataset<R>(lengths: [Int], _ body: (TokenDataset) throws -> R) throws -> R {
  let folder = temporaryPath()
  defer { try? FileManager.default.removeItem(atPath: folder) }
  let total = lengths.reduce(0, +)
  let writer = try TokenDatasetWriter(folder, tokenizer: "t", tokenizerFile: [], vocabulary: max(70_000, total + 1), endOfDocument: 0)
  var next: UInt32 = 1
  for (index, length) in lengths.enumerated() {
    let tokens = (0..<UInt32(length)).map { next + $0 }
    next += UInt32(length)
    try writer.append([TokenDocument(id: "\(index)", bytes: length, tokens: tokens)])
  }
  _ = try writer.commit(tool: "test")
  return try body(try TokenDataset(folder))
}

private func randomLengths(_ seed: UInt64, count: Int) -> [Int] {
  var generator = SequentialRandom(seed: seed)
  return (0..<count).map { _ in Int.random(in: 1...(Bool.random(using: &generator) ? 40 : 1500), using: &generator) }
}

/// Assigns the windows to `clusters` clusters.
private func deal(_ dataset: TokenDataset, clusters: Int) -> [[UInt32]] {
  var windows = [[UInt32]](repeating: [], count: clusters)
  for window in 0..<dataset.windowCount { windows[window * 7 % clusters].append(UInt32(window)) }
  return windows
}

@Test(arguments: 1...4 as ClosedRange<UInt64>) func batchesArePackedMaskedAndTraceable(seed: UInt64) throws {
  try withDataset(lengths: randomLengths(seed, count: 40)) { dataset in
    let loader = try PackedLoader(
      dataset: dataset, windows: deal(dataset, clusters: 3), weights: [1, 2, 0.5], name: "m", randomSeed: seed, rows: 4, sequence: 64)
    for step in [0, 1, 2, 500, 100_000] {
      let batch = try loader.batch(step: step)
      var covered = [Bool](repeating: false, count: 4 * 64)
      for segment in batch.segments {
        let length = dataset.length(segment.document)
        let source = try dataset.tokens(document: segment.document, range: 0..<length)
        for place in 0..<segment.count {
          let at = segment.row * 64 + segment.start + place
          #expect(!covered[at])
          covered[at] = true
          #expect(batch.tokens[at] == source[segment.offset + place])
          #expect(batch.starts[at] == Int32(segment.start))
          // The target is the next token of the same window, or −1.
          let next = segment.offset + place + 1
          let inWindow = next < length && next % Window.maximum != 0
          #expect(batch.targets[at] == (inWindow ? source[next] : -1))
        }
      }
      #expect(covered.allSatisfy { $0 })
    }
  }
}

/// Origins agree with batches over many epochs, also with clusters of one window, one token and no window.
@Test(arguments: 1...6 as ClosedRange<UInt64>) func originsAreWhereRowsBegin(seed: UInt64) throws {
  try withDataset(lengths: randomLengths(seed, count: 30) + [1]) { dataset in
    var windows = deal(dataset, clusters: 4)
    windows.append([])
    windows.append([UInt32(dataset.windowCount - 1)])
    let loader = try PackedLoader(
      dataset: dataset, windows: windows, weights: [1, 2, 0, 0.01, 0, 0.1], name: "m", randomSeed: seed, rows: 4,
      sequence: seed == 1 ? 2 : 48)
    for block in [0, 3, 1_000_003] {
      let origins = loader.origins(block: block)
      #expect(origins.count == RowOrigin.block)
      for step in [0, 1, RowOrigin.block / 4 - 1] {
        let batch = try loader.batch(step: block * RowOrigin.block / 4 + step)
        for row in 0..<4 {
          let segment = try #require(batch.segments.first { $0.row == row && $0.start == 0 })
          let origin = origins[step * 4 + row]
          let window = dataset.window(Int(origin.window))
          #expect(window.document == segment.document && window.offset + Int(origin.token) == segment.offset)
        }
      }
    }
  }
}

@Test func anEpochHasEveryTokenOnceAndBatchesAreReproducible() throws {
  try withDataset(lengths: randomLengths(9, count: 60)) { dataset in
    func loader() throws -> PackedLoader { try PackedLoader(uniform: dataset, randomSeed: 3, rows: 2, sequence: 32) }
    let rows = (dataset.tokenCount + 31) / 32
    let one = try loader()
    var counts: [Int32: Int] = [:]
    // With one cluster, the first `rows` rows are one epoch. End-of-document tokens (0) are not counted.
    for step in 0..<rows / 2 {
      let batch = try one.batch(step: step)
      #expect(try loader().batch(step: step) == batch)
      for token in batch.tokens where token != 0 { counts[token, default: 0] += 1 }
    }
    let documentTokens = dataset.tokenCount - dataset.documentCount
    #expect(counts.values.allSatisfy { $0 <= 2 })
    // One row of the epoch may be missing, since a batch has two; the last row wraps around to the first window.
    #expect(counts.count >= documentTokens - 64 && counts.values.filter { $0 == 2 }.count <= 32)
    // The second epoch has a different order and different row boundaries.
    #expect(try one.batch(step: rows / 2 + 1) != one.batch(step: 1))
  }
}

@Test(arguments: [[0.5, 0.3, 0.2], [0.998, 0.001, 0.001], [1, 0, 0], [1e-9, 1 - 1e-9, 0]] as [[Double]])
func sharesOfRowsEqualTheWeights(weights: [Double]) throws {
  try withDataset(lengths: randomLengths(5, count: 50)) { dataset in
    let windows = deal(dataset, clusters: 3)
    let loader = try PackedLoader(dataset: dataset, windows: windows, weights: weights, name: "m", randomSeed: 8, rows: 8, sequence: 16)
    var counts = [0, 0, 0]
    let steps = 1536
    for block in 0..<steps * 8 / RowOrigin.block { for origin in loader.origins(block: block) { counts[Int(origin.window) * 7 % 3] += 1 } }
    let rows = Double(steps * 8)
    for cluster in 0..<3 {
      // Exact to within one row per block of 4,096.
      #expect(abs(Double(counts[cluster]) - weights[cluster] * rows) <= 3.001)
      if weights[cluster] == 0 { #expect(counts[cluster] == 0) }
    }
  }
}

@Test func invalidWeightsAreRejected() throws {
  try withDataset(lengths: [10, 20]) { dataset in
    func loader(_ windows: [[UInt32]], _ weights: [Double]) throws {
      _ = try PackedLoader(dataset: dataset, windows: windows, weights: weights, name: "m.json", randomSeed: 1, rows: 1, sequence: 8)
    }
    #expect(throws: WeirError.self) { try loader([[0], [1]], [1]) }
    #expect(throws: WeirError.self) { try loader([[0], [1]], [0, 0]) }
    #expect(throws: WeirError.self) { try loader([[0], [1]], [.nan, 1]) }
    #expect(throws: WeirError.self) { try loader([[0, 1], []], [1, 1]) }
    try loader([[0], []], [1, 0])
  }
}
