import CKernels
import Foundation
import Kernels
import Pipeline
import Primitives
import Storage
import TestSupport
import Testing
import Training

@Suite struct TuningTests {
  @Test(arguments: [1, 2, 3] as [UInt64]) func everyEpochSeesEveryTargetOnce(_ seed: UInt64) throws {
    var random = SequentialRandom(seed: seed)
    let documents = (0..<12).map { index in
      let count = Int.random(in: 1...50, using: &random)
      return (0..<count).map { Int32(index * 100 + $0) }
    }
    let batches = try DocumentBatches(documents: documents, name: "d", rows: 3, sequence: 16, epochs: 2, randomSeed: seed)
    var seen: [Int32: Int] = [:]
    for step in 0..<batches.steps {
      let batch = try batches.batch(step: step)
      for t in 0..<batch.tokens.count where batch.targets[t] >= 0 {
        seen[batch.targets[t], default: 0] += 1
        #expect(batch.targets[t] == batch.tokens[t] + 1)
        #expect(batch.tokens[Int(batch.starts[t]) + t / 16 * 16] / 100 == batch.tokens[t] / 100)
      }
      #expect(try batches.batch(step: step) == batch)
    }
    for token in documents.flatMap({ $0.dropFirst() }) { #expect(seen[token] == 2) }
  }

  /// Whatever the share, every batch has a row of the documents, and the last one has the last row.
  @Test(arguments: [0.01, 0.1, 0.3, 0.5]) func noBatchIsOfReplayAlone(share: Double) throws {
    for (count, rows, epochs) in [(12, 2, 1), (12, 2, 5), (12, 4, 3), (7, 8, 2), (1, 2, 1)] {
      let batches = try DocumentBatches(
        documents: [[Int32]](repeating: [Int32](repeating: 39, count: 24), count: count), name: "d", rows: rows, sequence: 24,
        epochs: epochs,
        randomSeed: 1, replay: RandomBatches(rows: 1, sequence: 24), replayShare: share)
      #expect(batches.steps * rows - batches.replayedRows(before: batches.steps) >= count * epochs)
      let last = batches.steps - 1
      #expect(last * rows - batches.replayedRows(before: last) < count * epochs)
      #expect(try (0..<batches.steps).allSatisfy { try batches.batch(step: $0).targetCount > 0 })
    }
  }

  @Test func replayProvidesItsFractionOfRows() throws {
    let documents = [[Int32]](repeating: [Int32](repeating: 39, count: 24), count: 40)
    let batches = try DocumentBatches(
      documents: documents, name: "d", rows: 4, sequence: 24, epochs: 1, randomSeed: 1,
      replay: RandomBatches(rows: 1, sequence: 24), replayShare: 0.1)
    let source = RandomBatches(rows: 1, sequence: 24)
    var own = 0, rows = 0, replayed = 0
    for step in 0..<batches.steps {
      let batch = try batches.batch(step: step)
      // The rows of the replay source come last, in its order.
      for row in 4 - (batches.replayedRows(before: step + 1) - replayed)..<4 {
        #expect(batch.tokens[row * 24..<(row + 1) * 24].elementsEqual(source.batch(step: replayed).tokens))
        replayed += 1
      }
      for row in 0..<4 where batch.targets[row * 24] >= 0 || batch.targets[row * 24 + 1] >= 0 {
        rows += 1
        if batch.tokens[row * 24..<(row + 1) * 24].allSatisfy({ $0 == 39 }) { own += 1 }
      }
    }
    #expect(own == 40)
    #expect(rows - own >= 4 && rows - own <= 5)
    #expect(
      errorMessage {
        _ = try DocumentBatches(
          documents: documents, name: "d", rows: 4, sequence: 24, epochs: 1, randomSeed: 1,
          replay: RandomBatches(rows: 1, sequence: 24), replayShare: 0.8)
      }.contains("can replay at most 3 of them"))
  }

  /// A large λ keeps the finetuned model close to the initial one.
  @Test func annealingKeepsTheModelClose() throws {
    try withTemporaryFolder { folder in
      let c = ModelConfiguration(vocabulary: 40, width: 16, layers: 1, heads: 2, ffn: 32, sequence: 24)
      let base = randomModel(c, rows: 1, sequence: 24, training: false)
      try ModelFolder.write(folder + "/base", configuration: c, parameters: base.parameters, tokenizer: nil)
      let documents = (0..<6).map { index in (0..<20).map { Int32(($0 * 7 + index) % 40) } }
      let batches = try DocumentBatches(documents: documents, name: "d", rows: 2, sequence: 24, epochs: 8, randomSeed: 1)
      func tune(_ name: String, _ change: (inout TrainingConfiguration) -> Void) throws -> TrainingReport {
        var plan = TrainingConfiguration(steps: batches.steps)
        plan.learningRate = 3e-3
        plan.weightDecay = 0
        change(&plan)
        return try TrainingRun.run(
          configuration: plan, initial: .folder(folder + "/base"), source: batches, folder: folder + "/" + name)
      }
      let none = try tune("none") { $0.annealing = Annealing(lambda: 0) }
      let some = try tune("some") { $0.annealing = Annealing(lambda: 1) }
      let much = try tune("much") { $0.annealing = Annealing(lambda: 20) }
      let direct = try tune("direct") { _ in }
      #expect(direct.loss == none.loss)
      let weights = ["direct", "none"].map { folder + "/\($0)/model/model.safetensors" }
      #expect(try Files.read(weights[0]) == Files.read(weights[1]))
      #expect(try #require(none.divergence) > #require(some.divergence))
      #expect(try #require(some.divergence) > #require(much.divergence))
      #expect(direct.loss < much.loss && some.loss < much.loss)

      func distance(_ name: String) throws -> Double {
        let read = FloatBuffer(base.parameters.count)
        try ModelFolder.readWeights(folder + "/" + name + "/model", configuration: c, into: read)
        return zip(read.values, base.parameters.values).reduce(0.0) { $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)) }
      }
      _ = try tune("l2") { $0.l2 = 10 }
      #expect(try distance("l2") < 0.5 * distance("direct"))
    }
  }

  @Test func lowRankChangesOnlyMatricesAndResumes() throws {
    try withTemporaryFolder { folder in
      let c = ModelConfiguration(vocabulary: 40, width: 16, layers: 2, heads: 2, ffn: 32, sequence: 24)
      let base = randomModel(c, rows: 1, sequence: 24, training: false)
      try ModelFolder.write(folder + "/base", configuration: c, parameters: base.parameters, tokenizer: nil)
      var plan = RunTests.plan(14)
      plan.lowRank = LowRank(rank: 2, alpha: 4)
      let whole = folder + "/whole", parts = folder + "/parts", start = ModelInitialization.folder(folder + "/base")
      try RunTests.run(whole, plan, initial: start)
      #expect(throws: Stopped.self) { try RunTests.run(parts, plan, initial: start, stopAfter: 6 * 48) }
      try RunTests.run(parts, plan, threads: 1, initial: start)
      #expect(try Files.read(whole + "/model/model.safetensors") == Files.read(parts + "/model/model.safetensors"))
      let read = FloatBuffer(base.parameters.count)
      try ModelFolder.readWeights(whole + "/model", configuration: c, into: read)
      for tensor in base.layout.tensors {
        #expect((read[tensor.range] == base.parameters[tensor.range]) == !tensor.decays, "\(tensor.name)")
      }
      // Gaussian elimination of the difference finds two pivots: its rank is 2.
      let matrix = try #require(base.layout.tensors.first { $0.decays })
      let columns = matrix.shape[1]
      var rows = zip(read[matrix.range], base.parameters[matrix.range]).map { Double($0.0 - $0.1) }
      var ranks = 0
      for _ in 0..<3 {
        guard let pivot = rows.indices.max(by: { abs(rows[$0]) < abs(rows[$1]) }), abs(rows[pivot]) > 1e-4 else { break }
        let (row, column) = (pivot / columns, pivot % columns), pivots = Array(rows[row * columns..<(row + 1) * columns])
        for other in 0..<matrix.shape[0] {
          let factor = rows[other * columns + column] / pivots[column]
          for j in 0..<columns { rows[other * columns + j] -= factor * pivots[j] }
        }
        ranks += 1
      }
      #expect(ranks == 2)
    }
  }

  /// The closed-form solution of Yang et al. for over-parameterized linear regression with squared losses: with P the projection on the row
  /// space of X, direct finetuning converges to (I−P)θ0 + X⁺y, label annealing to (I−P)θ0 + (X⁺y + λPθ0)/(1+λ). Here by gradient descent
  /// with the trainer's matrix products, on random rows.
  @Test(arguments: [0, 0.5, 3.0], [1, 2, 3] as [UInt64]) func regressionConvergesToTheClosedForm(_ lambda: Double, _ seed: UInt64) {
    let n = 40, m = 7
    var random = SequentialRandom(seed: seed)
    func numbers(_ count: Int) -> [Float] { (0..<count).map { _ in Float(2 * random.uniform() - 1) } }
    let x = numbers(m * n), y = numbers(m), start = numbers(n)
    var theta = start, output = [Float](repeating: 0, count: m), initial = output, gradient = [Float](repeating: 0, count: n)
    weir_gemm(0, 1, m, 1, n, x, n, start, n, &initial, 1, 0)
    for _ in 0..<4_000 {
      weir_gemm(0, 1, m, 1, n, x, n, theta, n, &output, 1, 0)
      let errors = (0..<m).map { (output[$0] - y[$0]) + Float(lambda) * (output[$0] - initial[$0]) }
      weir_gemm(1, 0, n, 1, m, x, n, errors, 1, &gradient, 1, 0)
      for i in 0..<n { theta[i] -= 0.03 / Float(1 + lambda) * gradient[i] }
    }
    // θ − θ0 = Xᵀ·a with X·Xᵀ·a = (y − X·θ0)/(1 + λ), by Gaussian elimination.
    let rows = (0..<m).map { row in x[row * n..<(row + 1) * n].map(Double.init) }
    func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
    var system = (0..<m).map { i in
      rows.map { dot(rows[i], $0) } + [(Double(y[i]) - dot(rows[i], start.map(Double.init))) / (1 + lambda)]
    }
    for pivot in 0..<m {
      for other in 0..<m where other != pivot {
        let factor = system[other][pivot] / system[pivot][pivot]
        for j in 0...m { system[other][j] -= factor * system[pivot][j] }
      }
    }
    for i in 0..<n {
      let expected = (0..<m).reduce(Double(start[i])) { $0 + rows[$1][i] * system[$1][m] / system[$1][$1] }
      #expect(abs(Double(theta[i]) - expected) < 1e-4)
    }
  }
}
