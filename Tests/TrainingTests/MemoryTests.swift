import Kernels
import Primitives
import Testing
import Training

@Suite struct MemoryTests {
  static let shapes = [
    ModelConfiguration(vocabulary: 61, width: 24, layers: 3, heads: 4, kvHeads: 2, headWidth: 6, ffn: 40, sequence: 64),
    ModelConfiguration(vocabulary: 300, width: 32, layers: 4, heads: 2, ffn: 48, sequence: 40, tiedEmbeddings: false, qkNorm: true),
  ]

  /// Gradients of two consecutive batches.
  private func gradients(_ c: ModelConfiguration, recompute: Bool, threads: Int) -> [UInt32] {
    let model = Transformer(c, rows: 3, sequence: 40, training: true, recompute: recompute, pool: ThreadPool(threads: threads))
    model.initialize(randomSeed: 5)
    return (1...2).flatMap { seed in
      let batch = randomBatch(rows: 3, sequence: 40, vocabulary: c.vocabulary, seed: UInt64(seed))
      model.forward(tokens: batch.tokens, starts: batch.starts)
      _ = model.loss(targets: batch.targets, gradient: true)
      model.backward()
      return model.gradients.values.map(\.bitPattern)
    }
  }

  @Test(arguments: shapes) func recomputedActivationsGiveTheSameBits(_ c: ModelConfiguration) {
    let kept = gradients(c, recompute: false, threads: 2)
    #expect(kept == gradients(c, recompute: true, threads: 2))
    #expect(kept == gradients(c, recompute: true, threads: 1))
  }

  @Test(.enabled(if: Precision.bf16.isSupported), arguments: shapes) func bf16IsCloseToFloat32(_ c: ModelConfiguration) {
    let batch = randomBatch(rows: 3, sequence: 40, vocabulary: c.vocabulary, seed: 1)
    let results = Precision.allCases.map { precision -> (loss: Double, gradients: [Float]) in
      let model = Transformer(c, rows: 3, sequence: 40, training: true, precision: precision, pool: ThreadPool(threads: 2))
      model.initialize(randomSeed: 5)
      model.forward(tokens: batch.tokens, starts: batch.starts)
      let loss = model.loss(targets: batch.targets, gradient: true).mean
      model.backward()
      return (loss, model.gradients.values)
    }
    func dot(_ a: [Float], _ b: [Float]) -> Double { zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) } }
    let (x, y) = (results[0].gradients, results[1].gradients)
    #expect(x != y)
    #expect(abs(results[0].loss - results[1].loss) < 1e-2)
    #expect(dot(x, y) > 0.999 * (dot(x, x) * dot(y, y)).squareRoot())
  }

  @Test(arguments: shapes) func estimatedMemoryEqualsAllocatedMemory(_ c: ModelConfiguration) throws {
    var plan = TrainingConfiguration(steps: 1)
    for recompute in [false, true] {
      let model = Transformer(c, rows: 4, sequence: 40, training: true, recompute: recompute, pool: ThreadPool(threads: 1))
      let estimate = try TrainingEstimate(plan, model: c, rows: 4, sequence: 40, recompute: recompute, evaluates: false, threads: 1)
      let moments = 2 * 4 * c.parameters
      // Besides the model, two moments and the overhead of a process.
      #expect(estimate.memoryBytes - TrainingEstimate.overhead(threads: 1, vocabulary: c.vocabulary) == model.memoryBytes + moments)
    }
    plan.lowRank = LowRank(rank: 3, alpha: 6, dropout: 0.1, targets: [.query, .up, .down])
    let adapter = LowRankAdapter(c, try #require(plan.lowRank))
    let adapted = Transformer(c, rows: 4, sequence: 40, training: true, pool: ThreadPool(threads: 1), adapter: adapter)
    let small = try TrainingEstimate(plan, model: c, rows: 4, sequence: 40, evaluates: false, threads: 1)
    let overhead = TrainingEstimate.overhead(threads: 1, vocabulary: c.vocabulary), block = 4 * c.parameters
    #expect(small.memoryBytes - overhead == adapted.memoryBytes + 2 * 4 * adapter.factors.count)
    plan.lowRank = nil
    let bare = try TrainingEstimate(plan, model: c, rows: 4, sequence: 40, evaluates: false)
    plan.l2 = 1
    #expect(try TrainingEstimate(plan, model: c, rows: 4, sequence: 40, evaluates: false).memoryBytes == bare.memoryBytes + block)
    plan.ewc = ElasticConsolidation(weight: 1, data: "", sequences: 10)
    #expect(try TrainingEstimate(plan, model: c, rows: 4, sequence: 40, evaluates: false).memoryBytes == bare.memoryBytes + 2 * block)
    (plan.l2, plan.ewc) = (0, nil)
    let least = try TrainingEstimate(plan, model: c, rows: 4, sequence: 40, recompute: true, evaluates: false)
    let most = try TrainingEstimate(plan, model: c, rows: 4, sequence: 40, evaluates: true)
    #expect(least.memoryBytes < most.memoryBytes)
    plan.accumulate = 2
    let halved = try TrainingEstimate(plan, model: c, rows: 8, sequence: 40, evaluates: false)
    let sum = 4 * c.parameters
    plan.accumulate = nil
    let whole = try TrainingEstimate(plan, model: c, rows: 4, sequence: 40, evaluates: false)
    #expect(halved.memoryBytes == whole.memoryBytes + sum)
  }

  /// Configuration c of Benchmarks/training.py: an adapter needs at most 0.6 of the memory, with annealing too.
  @Test func anAdapterNeedsLessMemory() throws {
    let c = ModelConfiguration(vocabulary: 32_768, width: 768, layers: 12, heads: 12, ffn: 2_048, sequence: 512)
    func bytes(_ change: (inout TrainingConfiguration) -> Void) throws -> Double {
      var plan = TrainingConfiguration(steps: 1)
      change(&plan)
      return Double(try TrainingEstimate(plan, model: c, rows: 4, sequence: 512, evaluates: false).memoryBytes)
    }
    #expect(try bytes { $0.lowRank = LowRank() } < 0.6 * bytes { _ in })
    #expect(
      try bytes { ($0.lowRank, $0.annealing) = (LowRank(), Annealing(lambda: 1)) } < 0.6 * bytes { $0.annealing = Annealing(lambda: 1) })
  }
}
