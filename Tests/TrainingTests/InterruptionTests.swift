import Foundation
import Kernels
import Pipeline
import Primitives
import Storage
import TestSupport
import Testing
import Tokens
import Training

/// A run that is killed or stopped at random steps ends with the same bits as an uninterrupted one. `scripts/kills` tests the same with the
/// binary.
@Suite struct InterruptionTests {
  /// A source that throws after a number of batches, so that the run ends without writing a checkpoint.
  struct Failing: BatchSource {
    struct Failure: Error {}
    var base: any BatchSource
    var left: Mutexed
    var rows: Int { base.rows }
    var sequence: Int { base.sequence }
    var fingerprint: String { base.fingerprint }

    func tokenCount(of batch: Batch) -> Int { base.tokenCount(of: batch) }

    func batch(step: Int) throws -> Batch {
      left.set(left.get() - 1)
      if left.get() < 0 { throw Failure() }
      return try base.batch(step: step)
    }
  }

  /// Configurations with more state than the weights.
  static let plans: [(String, TrainingConfiguration, any BatchSource)] = [
    (
      "average and micro-batches",
      RecipeTests.plan(70) {
        $0.checkpointEvery = 3
        $0.evaluateEvery = 7
        $0.accumulate = 2
        $0.emaDecay = 0.9
        $0.keepEvery = 20
      }, RandomBatches()
    ),
    (
      "rollback",
      RecipeTests.plan(120) {
        $0.checkpointEvery = 4
        $0.evaluateEvery = 29
        $0.keepLast = 1
        $0.zLoss = 1e-3
      }, MostlySame(others: 104...118)
    ),
    (
      "low rank",
      RecipeTests.plan(50) {
        $0.checkpointEvery = 4
        $0.lowRank = LowRank(rank: 2, alpha: 4)
      }, RandomBatches()
    ),
    (
      "low rank with dropout and annealing",
      RecipeTests.plan(50) {
        $0.checkpointEvery = 4
        $0.accumulate = 2
        $0.lowRank = LowRank(rank: 3, alpha: 4, dropout: 0.2, targets: [.query, .down])
        $0.annealing = Annealing(lambda: 2, temperature: 2, direction: .forward, schedule: .cosine)
      }, RandomBatches()
    ),
    (
      "annealing and consolidation",
      RecipeTests.plan(50) {
        $0.checkpointEvery = 4
        $0.evaluateEvery = 9
        $0.annealing = Annealing(lambda: 0.5, schedule: .linear)
        $0.ewc = ElasticConsolidation(weight: 100, data: MethodTests.fisher.fingerprint, sequences: MethodTests.fisher.sequences.count)
      }, RandomBatches()
    ),
    (
      "stored predictions",
      RecipeTests.plan(50) {
        $0.checkpointEvery = 4
        $0.accumulate = 2
        $0.annealing = Annealing(lambda: 1)
        $0.annealing?.cached = 5
      }, MethodTests.documents
    ),
    (
      "weighted tokens and l2",
      RecipeTests.plan(50) {
        $0.checkpointEvery = 4
        $0.weighted = true
        $0.annealing = Annealing(lambda: 0.1)
        $0.l2 = 0.1
      }, RandomBatches()
    ),
  ]

  @Test(arguments: 0..<plans.count, [1, 2] as [UInt64]) func interruptedRunsEndWithTheSameBits(_ index: Int, _ seed: UInt64) throws {
    let (name, plan, source) = Self.plans[index]
    try withTemporaryFolder { folder in
      let whole = folder + "/whole", parts = folder + "/parts"
      func run(_ path: String, _ source: any BatchSource, threads: Int, stopAfter: Double = .infinity) throws -> TrainingReport {
        let steps = Mutexed(0)
        return try TrainingRun.run(
          configuration: plan, initial: .scratch(RunTests.shape), fisher: plan.ewc == nil ? nil : MethodTests.fisher, source: source,
          validation: RunTests.validation, folder: path,
          threads: threads,
          progress: Pipeline.Progress(
            report: { if $0.detail.hasPrefix("loss") { steps.set(steps.get() + 1) } }, stopping: { steps.get() >= stopAfter }))
      }
      let expected = try run(whole, source, threads: 1)
      var random = SequentialRandom(seed: seed, stream: UInt64(index)), kills = 0, stops = 0
      var report: TrainingReport?
      while report == nil {
        let steps = Double(Int.random(in: 1...12, using: &random)), fails = Bool.random(using: &random)
        // Stored predictions are those of all batches, which every start reads.
        let first = plan.annealing?.cached == nil ? 0 : 50.0
        let failing = Failing(base: source, left: Mutexed(fails ? first + steps : .infinity))
        do {
          report = try run(parts, failing, threads: Int.random(in: 1...3, using: &random), stopAfter: fails ? .infinity : steps)
        } catch is Failing.Failure {
          kills += 1
        } catch is Stopped {
          stops += 1
        }
        try #require(kills + stops < 500, "\(name): no end")
      }
      #expect(kills + stops > 4, "\(name): \(kills) kills, \(stops) stops")
      for file in ["model/model.safetensors", "evaluations.jsonl"] {
        #expect(try Files.read(whole + "/" + file) == Files.read(parts + "/" + file), "\(name): \(file)")
      }
      #expect(try RunTests.lines(whole) == RunTests.lines(parts), "\(name)")
      #expect(report?.rollbacks == expected.rollbacks)
      #expect(report?.loss == expected.loss)
      #expect((expected.rollbacks != nil) == (name == "rollback"))
    }
  }

  @Test func gradientsDoNotDependOnOtherDocuments() {
    let c = ModelConfiguration(vocabulary: 50, width: 16, layers: 2, heads: 2, kvHeads: 1, ffn: 32, sequence: 64, qkNorm: true)
    let model = randomModel(c, rows: 1, sequence: 64)
    for seed in 1...4 as ClosedRange<UInt64> {
      var batch = randomBatch(rows: 1, sequence: 64, vocabulary: 50, seed: seed)
      let second = Int(batch.starts[40])
      guard second > 0 else { continue }
      // Only the document at position 40 has targets.
      for t in 0..<64 where batch.starts[t] != second { batch.targets[t] = -1 }
      guard batch.targetCount > 0 else { continue }
      func gradients() -> [UInt32] {
        model.forward(tokens: batch.tokens, starts: batch.starts)
        _ = model.loss(targets: batch.targets, gradient: true)
        model.backward()
        // Treat 0 and −0 as equal.
        return model.gradients.values.map { ($0 == 0 ? 0 : $0).bitPattern }
      }
      let before = gradients()
      for t in 0..<64 where batch.starts[t] != second { batch.tokens[t] = (batch.tokens[t] + 7) % 50 }
      #expect(before == gradients())
      batch.tokens[second] = (batch.tokens[second] + 7) % 50
      #expect(before != gradients())
    }
  }

  @Test func nonFiniteWeightsAreRejected() throws {
    try withTemporaryFolder { folder in
      let model = randomModel(RunTests.shape, rows: 1, sequence: 24, training: false)
      let tensor = try #require(model.layout.tensors.first { $0.name.contains("k_proj") })
      model.parameters.base[tensor.range.lowerBound + 3] = .nan
      try ModelFolder.write(folder + "/nan", configuration: RunTests.shape, parameters: model.parameters, tokenizer: nil)
      let plan = RecipeTests.plan(2)
      for body in [
        { _ = try RecipeTests.run(folder + "/run", plan, initial: .folder(folder + "/nan")) },
        { _ = try Evaluator(folder: folder + "/nan", longest: 24, threads: 1) },
      ] as [() throws -> Void] {
        let error = #expect(throws: WeirError.self) { try body() }
        #expect(error?.reason.contains(tensor.name) == true)
      }
    }
  }

  @Test func checkpointsOfAnotherShapeAreRejected() throws {
    try withTemporaryFolder { folder in
      let plan = RecipeTests.plan(4) { $0.checkpointAt = [48 * 2] }
      try RecipeTests.run(folder + "/run", plan)
      let path = folder + "/run/checkpoints/step-00000002", state = path + "/state.json"
      let text = String(decoding: try Files.read(state), as: UTF8.self)
      for (old, new) in [("\"width\" : 16", "\"width\" : 32"), ("\"layers\" : 2", "\"layers\" : 1000"), ("\"heads\" : 2", "\"heads\" : 0")]
      {
        let changed = text.replacingOccurrences(of: old, with: new)
        try #require(changed != text)
        try Files.write(Array(changed.utf8), to: state)
        #expect(throws: WeirError.self) { try RecipeTests.run(folder + "/next", plan, initial: .checkpoint(path, optimizer: true)) }
      }
    }
  }
}
