import Foundation
import Kernels
import Pipeline
import Primitives
import Storage
import TestSupport
import Testing
import Tokens
import Training

/// The same batch in every step, except for a range of steps.
struct MostlySame: BatchSource {
  var rows = 2
  var sequence = 24
  var others: ClosedRange<Int>?
  var fingerprint: String { "mostly the same \(rows)×\(sequence) \(others.map { "\($0)" } ?? "")" }

  func batch(step: Int) -> Batch {
    RandomBatches(rows: rows, sequence: sequence).batch(step: others?.contains(step) ?? false ? step : 0)
  }
}

@Suite struct RecipeTests {
  static let shape = RunTests.shape

  static func log(_ folder: String) throws -> [StepRecord] { try StepRecord.read(RunFolder(folder).log) }

  static func plan(_ steps: Int, _ change: (inout TrainingConfiguration) -> Void = { _ in }) -> TrainingConfiguration {
    var plan = TrainingConfiguration(steps: steps)
    plan.learningRate = 0.01
    plan.randomSeed = 7
    change(&plan)
    return plan
  }

  @discardableResult static func run(
    _ folder: String, _ plan: TrainingConfiguration, _ source: any BatchSource = MostlySame(), threads: Int = 2,
    initial: ModelInitialization = .scratch(shape)
  ) throws -> TrainingReport {
    try TrainingRun.run(configuration: plan, initial: initial, source: source, folder: folder, threads: threads)
  }

  static func weights(_ folder: String) throws -> [Float] { try ModelFolder.load(folder).parameters.values }

  @Test func microBatchesGiveTheSameStep() throws {
    try withTemporaryFolder { folder in
      let source = RandomBatches(rows: 4)
      var losses: [Int: [Double]] = [:]
      for parts in [1, 2, 4] {
        try Self.run(folder + "/\(parts)", Self.plan(12) { $0.accumulate = parts == 1 ? nil : parts }, source)
        losses[parts] = try Self.log(folder + "/\(parts)").map(\.loss)
      }
      for parts in [2, 4] {
        #expect(losses[parts]?.count == 12)
        for (a, b) in zip(losses[1] ?? [], losses[parts] ?? []) { #expect(abs(a - b) < 1e-4) }
        for (a, b) in zip(try Self.weights(folder + "/1/model"), try Self.weights(folder + "/\(parts)/model")) {
          #expect(abs(a - b) < 2e-3)
        }
      }
      try Self.run(folder + "/threads", Self.plan(12) { $0.accumulate = 2 }, source, threads: 3)
      #expect(try Self.weights(folder + "/2/model") == Self.weights(folder + "/threads/model"))
      #expect(throws: WeirError.self) { try Self.run(folder + "/odd", Self.plan(12) { $0.accumulate = 3 }, source) }
    }
  }

  @Test func aDivergingRunFails() throws {
    try withTemporaryFolder { folder in
      let plan = Self.plan(40) {
        $0.learningRate = 1e30
        $0.warmup = 0
        $0.clip = 0
        $0.checkpointEvery = 1
      }
      // The second call resumes the failed run and fails at once.
      for _ in 0..<2 {
        let error = #expect(throws: WeirError.self) { try Self.run(folder + "/run", plan) }
        #expect(error?.reason.contains("after 3 rollbacks") == true)
        #expect(error?.remedy.contains("learning rate") == true)
      }
      #expect(!Files.exists(folder + "/run/model"))
    }
  }

  @Test func checkpointsAreKeptAsConfigured() throws {
    try withTemporaryFolder { folder in
      let plan = Self.plan(20) {
        $0.checkpointEvery = 2
        $0.keepLast = 3
        $0.keepEvery = 5
        $0.checkpointAt = [0]
      }
      func there() throws -> [Int] {
        try FileManager.default.contentsOfDirectory(atPath: folder + "/run/checkpoints").compactMap { Int($0.dropFirst(5)) }.sorted()
      }
      #expect(throws: Stopped.self) { try RunTests.run(folder + "/run", plan, stopAfter: 13 * 48) }
      #expect(try there() == [0, 2, 5, 6, 8, 10, 12, 13])
      // The checkpoint of an interruption is removed when a newer one exists.
      #expect(throws: Stopped.self) { try RunTests.run(folder + "/run", plan, stopAfter: 17 * 48) }
      #expect(try there() == [0, 2, 5, 10, 12, 14, 15, 16, 17])
      try RunTests.run(folder + "/run", plan)
      #expect(try there() == [0, 5, 10, 15, 20])
    }
  }

  @Test func theExportedModelIsTheMovingAverage() throws {
    try withTemporaryFolder { folder in
      let plan = Self.plan(14) {
        $0.keepEvery = 1
        $0.checkpointAt = [0]
        $0.emaDecay = 0.5
      }
      try Self.run(folder + "/run", plan, RandomBatches())
      func at(_ step: Int) throws -> [Float] {
        try Self.weights(folder + "/run/checkpoints/step-000000" + (step < 10 ? "0" : "") + "\(step)")
      }
      var average = try at(0).map(Double.init)
      for step in 1...14 {
        let decay = min(0.5, Double(1 + step) / Double(10 + step)), weights = try at(step)
        for i in average.indices { average[i] = decay * average[i] + (1 - decay) * Double(weights[i]) }
      }
      let exported = try Self.weights(folder + "/run/model")
      for (a, b) in zip(average, exported) { #expect(abs(a - Double(b)) < 1e-5) }
      #expect(try Self.weights(folder + "/run/model-last") == at(14))
      #expect(try at(14) != exported)
      // Averaging does not change the training, and an interruption does not change the average.
      try Self.run(folder + "/plain", Self.plan(14), RandomBatches())
      #expect(try Self.weights(folder + "/plain/model") == at(14))
      #expect(throws: Stopped.self) { try RunTests.run(folder + "/parts", plan, stopAfter: 5 * 48) }
      try RunTests.run(folder + "/parts", plan)
      #expect(try Self.weights(folder + "/parts/model") == exported)
    }
  }

  @Test func zLossReducesTheLogPartitionFunction() throws {
    try withTemporaryFolder { folder in
      var last: [Double] = []
      for weight in [1e-9, 0.1] {
        try Self.run(folder + "/\(weight)", Self.plan(80) { $0.zLoss = weight }, RandomBatches())
        last.append(try #require(try Self.log(folder + "/\(weight)").last?.zLoss) / weight)
      }
      #expect(last[1] < 0.5 * last[0], "ln² of the partition function: \(last)")
      #expect(throws: WeirError.self) {
        try Self.run(folder + "/a", Self.plan(1) { ($0.zLoss, $0.annealing) = (0.1, Annealing(lambda: 1)) })
      }
    }
  }

  @Test func onlyLayerMatricesDecay() {
    var c = Self.shape
    c.qkNorm = true
    let model = randomModel(c, rows: 1, sequence: 4), before = model.parameters.values
    let optimizer = AdamW(model.layout, betas: (0.9, 0.95), epsilon: 1e-8, weightDecay: 0.5)
    optimizer.update(model.parameters, gradients: model.gradients, scale: 1, learningRate: 0.1, pool: ThreadPool(threads: 1))
    for tensor in model.layout.tensors {
      let shrunk = zip(model.parameters[tensor.range], before[tensor.range]).allSatisfy { abs($0 - 0.95 * $1) < 1e-6 }
      let same = model.parameters[tensor.range] == Array(before[tensor.range])
      let isMatrix = tensor.name.contains("_proj")
      #expect(isMatrix ? shrunk : same, "\(tensor.name)")
    }
  }

  @Test func oneBatchIsMemorized() throws {
    try withTemporaryFolder { folder in
      let report = try Self.run(folder + "/run", Self.plan(250) { $0.learningRate = 0.02 })
      // Two documents begin with the same token and continue differently, so that the loss cannot fall below 2·ln 2 / 40.
      #expect(report.loss < 0.04)
    }
  }

  @Test func theBestLearningRateIsInTheMiddle() throws {
    try withTemporaryFolder { folder in
      let rates = [1e-5, 1e-3, 1e-2, 3.0]
      let losses = rates.map { rate -> Double in
        (try? Self.run(folder + "/\(rate)", Self.plan(60) { $0.learningRate = rate }).loss) ?? .infinity
      }
      let best = losses.indices.min { losses[$0] < losses[$1] }
      #expect(best == 2, "\(losses)")
      #expect(losses[0] > losses[1] && losses[3] > losses[2])
    }
  }
}
