import Kernels
import Primitives
import Testing
import Tokens
import Training

@Suite struct RanksTests {
  @Test(arguments: 1...20) func piecesHoldEveryRowOnce(_ seed: UInt64) {
    let random = CounterRandom(seed: seed, stream: 1)
    let ranks = 1 + random.integer(0, below: 6), rows = ranks + random.integer(1, below: 20), asked = 1 + random.integer(2, below: 8)
    var batch = Batch(rows: rows, sequence: 3)
    for t in batch.tokens.indices { (batch.tokens[t], batch.targets[t], batch.starts[t]) = (Int32(t), Int32(t + 1), Int32(t % 3)) }
    let pieces = BatchPieces(rows: rows, microBatches: asked, ranks: ranks)
    let parts = (0..<ranks).flatMap { rank in (0..<pieces.count).map { pieces.piece($0, of: rank, batch) } }
    #expect(parts.allSatisfy { $0.rows == pieces.rows })
    let kept = parts.flatMap { part in part.tokens.indices.filter { part.targets[$0] >= 0 }.map { part.tokens[$0] } }
    #expect(kept == batch.tokens)
    if asked % ranks == 0, rows % asked == 0 { #expect(parts.count == asked && pieces.rows * asked == rows) }
    let most = (rows + parts.count - 1) / parts.count
    #expect(pieces.rows == most)
  }

  /// The gradients that backward says are complete are, and follow one another from the end of the buffer to its beginning.
  @Test(arguments: [true, false], [true, false]) func gradientsAreReadyWhenBackwardSaysSo(_ tied: Bool, _ norms: Bool) {
    let shape = ModelConfiguration(
      vocabulary: 40, width: 16, layers: 3, heads: 2, kvHeads: 1, ffn: 32, sequence: 24, tiedEmbeddings: tied, qkNorm: norms)
    let model = Transformer(shape, rows: 2, sequence: 24, training: true, pool: ThreadPool(threads: 2))
    model.initialise(seed: 3)
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

  /// Sums in a tree are those in order but for rounding, for any number of pieces.
  @Test(arguments: 1...9) func piecesAddUp(_ parts: Int) throws {
    let shape = RunTests.shape
    func gradients(_ parts: Int, model rows: Int) throws -> (LossSums, [Float]) {
      let pool = ThreadPool(threads: 2)
      let model = Transformer(shape, rows: rows, sequence: 24, training: true, pool: pool)
      model.initialise(seed: 2)
      let pieces = BatchPieces(rows: 9, microBatches: parts, ranks: 1)
      let gradient = BatchGradient(model, frozen: nil, TrainingConfiguration(steps: 1), pieces: pieces, crew: Crew(), pool: pool)
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
