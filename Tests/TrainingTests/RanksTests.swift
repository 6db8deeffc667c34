import Kernels
import Primitives
import Testing
import Tokens
import Training

@Suite struct RanksTests {
  @Test(arguments: 1...20) func microBatchesHoldEveryRowOnce(_ seed: UInt64) {
    let random = CounterRandom(seed: seed, stream: 1)
    let ranks = 1 + random.integer(0, below: 6), rows = ranks + random.integer(1, below: 20), asked = 1 + random.integer(2, below: 8)
    var batch = Batch(rows: rows, sequence: 3)
    for t in batch.tokens.indices { (batch.tokens[t], batch.targets[t], batch.starts[t]) = (Int32(t), Int32(t + 1), Int32(t % 3)) }
    let microBatches = MicroBatches(rows: rows, requested: asked, ranks: ranks)
    let parts = (0..<ranks).flatMap { rank in (0..<microBatches.count).map { microBatches.microBatch($0, of: rank, batch) } }
    #expect(parts.allSatisfy { $0.rows == microBatches.rows })
    let kept = parts.flatMap { part in part.tokens.indices.filter { part.targets[$0] >= 0 }.map { part.tokens[$0] } }
    #expect(kept == batch.tokens)
    if asked % ranks == 0, rows % asked == 0 { #expect(parts.count == asked && microBatches.rows * asked == rows) }
    let most = (rows + parts.count - 1) / parts.count
    #expect(microBatches.rows == most)
  }

  /// Every range that `backward` reports is complete, and the ranges are consecutive from the end of the buffer to its beginning.
  @Test(arguments: [true, false], [true, false]) func reportedGradientsAreComplete(_ tied: Bool, _ norms: Bool) {
    let shape = ModelConfiguration(
      vocabulary: 40, width: 16, layers: 3, heads: 2, kvHeads: 1, ffn: 32, sequence: 24, tiedEmbeddings: tied, qkNorm: norms)
    let model = Transformer(shape, rows: 2, sequence: 24, training: true, pool: ThreadPool(threads: 2))
    model.initialize(randomSeed: 3)
    let batch = randomBatch(rows: 2, sequence: 24, vocabulary: 40, seed: 5, longest: 12)
    model.forward(tokens: batch.tokens, starts: batch.starts)
    _ = model.loss(targets: batch.targets, gradient: true)
    var end = model.gradients.count, seen: [(range: Range<Int>, values: [Float])] = []
    model.backward { range in
      #expect(range.upperBound == end)
      end = range.lowerBound
      seen.append((range, model.gradients[range]))
    }
    #expect(end == 0 && seen.count == 5)
    for (range, values) in seen { #expect(values == model.gradients[range]) }
  }

  /// The tree of partial sums equals a sum in order up to rounding, for any number of micro-batches.
  @Test(arguments: 1...9) func microBatchesAddUp(_ parts: Int) throws {
    let shape = RunTests.shape
    func gradients(_ parts: Int, model rows: Int) throws -> (LossSums, [Float]) {
      let pool = ThreadPool(threads: 2)
      let model = Transformer(shape, rows: rows, sequence: 24, training: true, pool: pool)
      model.initialize(randomSeed: 2)
      let microBatches = MicroBatches(rows: 9, requested: parts, ranks: 1)
      let gradient = BatchGradient(
        model, frozen: nil, TrainingConfiguration(steps: 1), microBatches: microBatches, ranks: RankGroup(), pool: pool)
      let batch = randomBatch(rows: 9, sequence: 24, vocabulary: 40, seed: 8, longest: 12)
      return (try gradient.compute(batch, place: "test"), model.gradients.values)
    }
    let (whole, expected) = try gradients(1, model: 9), (sums, values) = try gradients(parts, model: (9 + parts - 1) / parts)
    #expect(sums.targets == whole.targets && abs(sums.crossEntropy - whole.crossEntropy) < 1e-4)
    let largest = expected.map(abs).max() ?? 0
    #expect(largest > 0)
    for (a, b) in zip(values, expected) { #expect(abs(a - b) <= 1e-5 * largest) }
  }
}
