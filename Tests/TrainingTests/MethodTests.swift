import CKernels
import Foundation
import Kernels
import Primitives
import Storage
import TestSupport
import Testing
import Tokens
import Training

/// Low-rank adapters, elastic weight consolidation, and what all methods have in common.
@Suite struct MethodTests {
  static let shape = RunTests.shape
  static let fisher: FisherData = {
    let documents = (0..<6).map { document in (0..<(3 + 9 * document)).map { Int32(($0 * 3 + document * 11) % 40) } }
    return FisherData(documents: documents, length: 24, limit: 5, name: "documents")
  }()

  static let documents: any BatchSource = {
    let documents = (0..<9).map { document in (0..<(5 + 6 * document)).map { Int32(($0 * $0 + document * 7) % 40) } }
    guard let source = try? DocumentBatches(documents: documents, name: "d", rows: 2, sequence: 24, epochs: 9, randomSeed: 1) else {
      preconditionFailure("the documents make no batch")
    }
    return source
  }()

  /// An adapter whose factors are all large enough to have significant gradients.
  static func randomAdapter(_ c: ModelConfiguration, _ setting: LowRank, training: Bool = true, seed: UInt64 = 4) -> LowRankAdapter {
    let adapter = LowRankAdapter(c, setting, randomSeed: seed, training: training)
    var random = SequentialRandom(seed: seed, stream: 7)
    for i in 0..<adapter.factors.count { adapter.factors.base[i] = Float(0.5 * (random.uniform() - 0.5)) }
    return adapter
  }

  private static func model(
    _ c: ModelConfiguration, rows: Int = 2, sequence: Int = 16, training: Bool = true, recompute: Bool = false, threads: Int = 2,
    adapter: LowRankAdapter?
  ) -> Transformer {
    let base = randomModel(c, rows: 1, sequence: 4, training: false)
    return Transformer(
      c, rows: rows, sequence: sequence, training: training, recompute: recompute, pool: ThreadPool(threads: threads),
      parameters: base.parameters, adapter: adapter)
  }

  static let settings = [
    LowRank(rank: 3, alpha: 6), LowRank(rank: 2, alpha: 5, targets: [.query, .value]), LowRank(rank: 1, alpha: 1, targets: [.down]),
    LowRank(rank: 9, alpha: 4, targets: [.gate, .output]),
  ]

  @Test(arguments: settings, GradientTests.shapes) func anAdaptedModelEqualsTheMergedOne(_ setting: LowRank, _ c: ModelConfiguration) {
    let adapter = Self.randomAdapter(c, setting, training: false),
      batch = randomBatch(rows: 2, sequence: 16, vocabulary: c.vocabulary, seed: 3)
    let adapted = Self.model(c, training: false, adapter: adapter), merged = Self.model(c, training: false, adapter: nil)
    adapter.merge(into: merged.parameters, of: c)
    for model in [adapted, merged] { model.forward(tokens: batch.tokens, starts: batch.starts) }
    var difference: Float = 0
    for t in 0..<32 { for (a, b) in zip(adapted.logits(at: t), merged.logits(at: t)) { difference = max(difference, abs(a - b)) } }
    #expect(difference < 5e-5)
  }

  /// The gradients of the factors equal finite differences of the merged model's loss in double precision.
  @Test(arguments: settings, [false, true]) func factorGradientsEqualFiniteDifferences(_ setting: LowRank, _ recompute: Bool) {
    let c = GradientTests.shapes[2], adapter = Self.randomAdapter(c, setting)
    let batch = randomBatch(rows: 2, sequence: 16, vocabulary: c.vocabulary, seed: 5)
    let model = Self.model(c, recompute: recompute, adapter: adapter), frozen = Self.model(c, training: false, adapter: nil)
    let annealing = Annealing(lambda: 0.6, temperature: 2), before = model.parameters.values
    frozen.forward(tokens: batch.tokens, starts: batch.starts)
    let frozenLogits = Reference(frozen).logits(batch)
    model.forward(tokens: batch.tokens, starts: batch.starts)
    _ = model.loss(targets: batch.targets, gradient: true, annealing: annealing, frozen: frozen)
    model.backward()
    #expect(model.parameters.values == before)
    let names = model.layout.tensors.filter { tensor in setting.adapted.contains { tensor.name.hasSuffix($0.rawValue + ".weight") } }
    var plain = Reference(model), random = SequentialRandom(seed: 11)
    func loss(_ factors: [Double]) -> Double {
      plain.parameters = before.map(Double.init)
      var at = 0
      for tensor in names {
        let (to, from) = (tensor.shape[0], tensor.shape[1]), b = at + setting.rank * from
        for i in 0..<to {
          for j in 0..<from {
            let update = (0..<setting.rank).reduce(0.0) { $0 + factors[b + i * setting.rank + $1] * factors[at + $1 * from + j] }
            plain.parameters[tensor.range.lowerBound + i * from + j] += setting.alpha / Double(setting.rank) * update
          }
        }
        at = b + to * setting.rank
      }
      return plain.loss(batch, annealing: annealing, frozen: frozenLogits)
    }
    var factors = adapter.factors.values.map(Double.init)
    for _ in 0..<24 {
      let index = Int.random(in: 0..<factors.count, using: &random), value = factors[index], step = 1e-4
      factors[index] = value + step
      let above = loss(factors)
      factors[index] = value - step
      let below = loss(factors)
      factors[index] = value
      let expected = (above - below) / (2 * step), found = Double(model.gradients.base[index])
      #expect(abs(expected - found) < 1e-5 + 1e-3 * abs(expected), "factor \(index)")
    }
  }

  @Test(arguments: [1, 2, 3] as [UInt64]) func dropoutZeroesItsShare(_ key: UInt64) {
    let tokens = 64, width = 100, x = [Float](repeating: 2, count: tokens * width)
    var out = x, parts = x
    weir_dropout(x, &out, tokens, width, key, 0, 0.25, 0)
    let zeros = out.count { $0 == 0 }
    #expect(abs(Double(zeros) / Double(out.count) - 0.25) < 0.02)
    #expect(out.allSatisfy { $0 == 0 || abs($0 - 8 / 3) < 1e-6 })
    // No two rows or columns are alike, and a division into parts changes nothing.
    #expect(Set((0..<tokens).map { Array(out[$0 * width..<($0 + 1) * width]) }).count == tokens)
    #expect(Set((0..<width).map { column in (0..<tokens).map { out[$0 * width + column] } }).count == width)
    parts.withUnsafeMutableBufferPointer { parts in
      for first in stride(from: 0, to: tokens, by: 16) {
        weir_dropout(x, parts.baseAddress! + first * width, 16, width, key, UInt64(first), 0.25, 0)
      }
    }
    #expect(parts == out)
    weir_dropout(x, &parts, tokens, width, key, 0, 0.25, 1)
    #expect(zip(parts, out).allSatisfy { abs($0 - 2 * $1) < 1e-6 })
    weir_dropout(x, &parts, tokens, width, key &+ 1, 0, 0.25, 0)
    #expect(parts != out)
  }

  /// With dropout, the gradients equal finite differences of the model's own loss, with the same masks in every pass.
  @Test(arguments: [false, true]) func gradientsWithDropoutEqualFiniteDifferences(_ recompute: Bool) {
    let c = GradientTests.shapes[0], adapter = Self.randomAdapter(c, LowRank(rank: 3, alpha: 6, dropout: 0.3))
    let batch = randomBatch(rows: 2, sequence: 16, vocabulary: c.vocabulary, seed: 5)
    let model = Self.model(c, recompute: recompute, adapter: adapter)
    func loss() -> Double {
      model.forward(tokens: batch.tokens, starts: batch.starts)
      return model.loss(targets: batch.targets, gradient: false).mean
    }
    _ = loss()
    _ = model.loss(targets: batch.targets, gradient: true)
    model.backward()
    let gradients = model.gradients.values
    var random = SequentialRandom(seed: 3), products = (expected: 0.0, found: 0.0, both: 0.0)
    for _ in 0..<60 {
      let index = Int.random(in: 0..<gradients.count, using: &random), value = adapter.factors.base[index]
      adapter.factors.base[index] = value + 0.02
      let above = loss()
      adapter.factors.base[index] = value - 0.02
      let expected = (above - loss()) / 0.04, found = Double(gradients[index])
      adapter.factors.base[index] = value
      #expect(abs(expected - found) < 1e-3 + 2e-2 * abs(expected), "factor \(index)")
      products = (products.expected + expected * expected, products.found + found * found, products.both + expected * found)
    }
    #expect(products.both > 0.999 * (products.expected * products.found).squareRoot())
    let first = loss()
    model.dropoutPosition.step = 1
    #expect(loss() != first)
  }

  /// The division into micro-batches and the number of threads do not change the masks.
  @Test func dropoutDoesNotDependOnTheDivision() throws {
    func gradients(parts: Int, threads: Int) throws -> [Float] {
      let setting = LowRank(rank: 2, alpha: 4, dropout: 0.5), adapter = Self.randomAdapter(Self.shape, setting)
      let model = Self.model(Self.shape, rows: 4 / parts, sequence: 24, threads: threads, adapter: adapter)
      let gradient = BatchGradient(
        model, frozen: nil, TrainingConfiguration(steps: 1), microBatches: MicroBatches(rows: 4, requested: parts, ranks: 1),
        ranks: RankGroup(), pool: ThreadPool(threads: threads))
      _ = try gradient.compute(randomBatch(rows: 4, sequence: 24, vocabulary: 40, seed: 8), place: "test", step: (3, 9))
      return model.gradients.values
    }
    let whole = try gradients(parts: 1, threads: 2), largest = whole.map(abs).max() ?? 0
    #expect(try gradients(parts: 1, threads: 1) == whole)
    for parts in [2, 4] { for (a, b) in zip(whole, try gradients(parts: parts, threads: 2)) { #expect(abs(a - b) <= 1e-5 * largest) } }
  }

  /// Training an adapter changes neither the weights of the base nor, with annealing, those of the teacher.
  @Test(arguments: [true, false]) func theTeacherNeverChanges(_ adapted: Bool) throws {
    let adapter = adapted ? Self.randomAdapter(Self.shape, LowRank(rank: 2, alpha: 4)) : nil, pool = ThreadPool(threads: 2)
    let model = Self.model(Self.shape, sequence: 24, adapter: adapter), before = model.parameters.values
    let frozen = Transformer(
      Self.shape, rows: 2, sequence: 24, training: false, pool: pool,
      parameters: adapted ? model.parameters : FloatBuffer(copying: model.parameters))
    var plan = TrainingConfiguration(steps: 5)
    plan.annealing = Annealing(lambda: 1)
    let gradient = BatchGradient(
      model, frozen: frozen, plan, microBatches: MicroBatches(rows: 2, requested: 1, ranks: 1), ranks: RankGroup(), pool: pool)
    var divergences: [Double] = []
    for step in 0..<5 {
      divergences.append(try gradient.compute(RandomBatches().batch(step: step), place: "test").divergence)
      for i in 0..<model.trainable.count { model.trainable.base[i] -= 0.1 * model.gradients.base[i] }
    }
    #expect(frozen.parameters.values == before)
    #expect((model.parameters.values == before) == adapted)
    if !adapted { #expect(abs(divergences[0]) < 1e-9) }
    #expect(divergences[4] > 0)
  }

  @Test func aDivergenceFromItselfIsZero() {
    let batch = randomBatch(rows: 2, sequence: 16, vocabulary: 40, seed: 5)
    for annealing in GradientTests.annealings where annealing.side == .both {
      let model = Self.model(Self.shape, adapter: nil), frozen = Self.model(Self.shape, training: false, adapter: nil)
      for model in [model, frozen] { model.forward(tokens: batch.tokens, starts: batch.starts) }
      let sums = model.loss(targets: batch.targets, gradient: true, annealing: annealing, frozen: frozen)
      #expect(abs(sums.divergence) < 1e-4)
    }
  }

  /// The divergence from k known tokens and one event for all others, and its gradient against finite differences.
  @Test(arguments: [1, 5, 36], [0.5, 1, 2.0]) func storedPredictionsHaveTheGradientOfTheirDivergence(_ k: Int, _ temperature: Double) {
    let n = 37, target = 4
    var random = SequentialRandom(seed: UInt64(k))
    let z = (0..<n).map { _ in 6 * random.uniform() - 3 }, y = (0..<n).map { _ in Float(6 * random.uniform() - 3) }
    var ids = [Int32](repeating: 0, count: k), logs = [Float](repeating: 0, count: k)
    weir_top_log_softmax(y, 1, n, Float(temperature), k, &ids, &logs)
    let teacher = Reference.logSoftmax(y.map(Double.init), temperature: temperature),
      order = teacher.indices.sorted { teacher[$0] > teacher[$1] }
    #expect(ids.map(Int.init) == Array(order.prefix(k)))
    for (id, log) in zip(ids, logs) { #expect(abs(Double(log) - teacher[Int(id)]) < 1e-5) }
    for forward in [false, true] {
      func parts(_ all: [Double]) -> [Double] {
        let known = ids.map { exp(all[Int($0)]) }
        return known + [1 - known.reduce(0, +)]
      }
      func divergence(_ z: [Double]) -> Double {
        let q = parts(Reference.logSoftmax(z, temperature: temperature)), r = parts(teacher)
        return zip(q, r).reduce(0) { $0 + (forward ? $1.1 * log($1.1 / $1.0) : $1.0 * log($1.0 / $1.1)) }
      }
      func objective(_ z: [Double]) -> Double { -Reference.logSoftmax(z)[target] + 0.7 * divergence(z) }
      var logits = z.map(Float.init), loss: Float = 0, found: Float = 0
      weir_cross_entropy_cached(
        &logits, [0], ids, logs, k, 1, n, [Int32(target)], &loss, &found, 1, 0.7, Float(temperature), forward ? 1 : 0, 0)
      #expect(abs(Double(found) - divergence(z)) < 1e-4)
      for j in 0..<n {
        var (above, below) = (z, z)
        above[j] += 1e-4
        below[j] -= 1e-4
        #expect(abs(Double(logits[j]) - (objective(above) - objective(below)) / 2e-4) < 1e-4)
      }
    }
  }

  /// Stored predictions of all tokens train like the frozen model; fewer have a smaller divergence, by what the report says.
  @Test func storedPredictionsTrainLikeTheTeacher() throws {
    try withTemporaryFolder { folder in
      let c = Self.shape, base = randomModel(c, rows: 1, sequence: 24, training: false)
      try ModelFolder.write(folder + "/base", configuration: c, parameters: base.parameters, tokenizer: nil)
      func tune(_ k: Int?, _ source: any BatchSource = Self.documents) throws -> TrainingReport {
        let plan = RecipeTests.plan(16) {
          $0.annealing = Annealing(lambda: 1, temperature: 2, side: .teacher)
          $0.annealing?.cached = k
        }
        return try RecipeTests.run(folder + "/\(k ?? 0)", plan, source, initial: .folder(folder + "/base"))
      }
      let whole = try tune(nil), all = try tune(40), few = try tune(4)
      #expect(whole.divergenceError == nil && abs(whole.loss - all.loss) < 1e-4)
      #expect(abs(try #require(whole.divergence) - #require(all.divergence)) < 1e-4)
      #expect(abs(try #require(all.divergenceError)) < 1e-5)
      #expect(try #require(few.divergenceError) > 1e-3)
      #expect(try RecipeTests.log(folder + "/4").filter { $0.wholeDivergence != nil }.count == 8)
      let error = #expect(throws: WeirError.self) { try tune(3, RandomBatches()) }
      #expect(error?.place == "annealing.cached")
    }
  }

  @Test func lambdaFallsAsScheduled() throws {
    try withTemporaryFolder { folder in
      let c = Self.shape, base = randomModel(c, rows: 1, sequence: 24, training: false)
      try ModelFolder.write(folder + "/base", configuration: c, parameters: base.parameters, tokenizer: nil)
      func tune(_ name: String, _ annealing: Annealing) throws -> [StepRecord] {
        try RecipeTests.run(
          folder + "/" + name, RecipeTests.plan(12) { $0.annealing = annealing }, RandomBatches(), initial: .folder(folder + "/base"))
        return try RecipeTests.log(folder + "/" + name)
      }
      let constant = try tune("constant", Annealing(lambda: 4))
      for schedule in [AnnealingSchedule.linear, .cosine] {
        let falling = try tune("\(schedule)", Annealing(lambda: 4, schedule: schedule))
        #expect(falling[0].gradientNorm == constant[0].gradientNorm)
        #expect(try #require(falling[11].divergence) > #require(constant[11].divergence))
      }
      // The final divergence falls as λ grows, in both directions.
      for direction in AnnealingDirection.allCases {
        let last = try [0, 0.3, 3, 30].map { lambda in
          try tune("\(direction) \(lambda)", Annealing(lambda: lambda, direction: direction))[11].divergence ?? 0
        }
        #expect(last == last.sorted(by: >) && last[0] > 2 * last[3], "\(last)")
      }
    }
  }

  /// The Fisher information equals the mean of squared finite differences of each sequence's mean loss.
  @Test func fisherInformationEqualsSquaredFiniteDifferences() throws {
    let c = GradientTests.shapes[0],
      documents = (0..<4).map { document in (0..<(4 + 7 * document)).map { Int32(($0 * 5 + document) % 37) } }
    let data = FisherData(documents: documents, length: 16, limit: nil, name: "d")
    #expect(data.sequences.map(\.count) == [4, 11, 16, 3, 16, 10])
    let model = Self.model(c, rows: 1, adapter: nil)
    let fisher = try FisherInformation.compute(model, data.sequences, pool: ThreadPool(threads: 2))
    #expect(try FisherInformation.compute(model, data.sequences, pool: ThreadPool(threads: 1)).values == fisher.values)
    var reference = Reference(model), random = SequentialRandom(seed: 2)
    func loss(_ tokens: [Int32]) -> Double {
      var batch = Batch(rows: 1, sequence: tokens.count)
      for (t, token) in tokens.enumerated() {
        (batch.tokens[t], batch.starts[t], batch.targets[t]) = (token, 0, t + 1 < tokens.count ? tokens[t + 1] : -1)
      }
      return reference.loss(batch)
    }
    for tensor in model.layout.tensors {
      let index = Int.random(in: tensor.range, using: &random), value = reference.parameters[index]
      var sum = 0.0
      for tokens in data.sequences {
        reference.parameters[index] = value + 1e-4
        let above = loss(tokens)
        reference.parameters[index] = value - 1e-4
        let gradient = (above - loss(tokens)) / 2e-4
        reference.parameters[index] = value
        sum += gradient * gradient / Double(data.sequences.count)
      }
      #expect(abs(sum - Double(fisher.base[index])) < 1e-7 + 2e-3 * sum, "\(tensor.name)")
    }
  }

  @Test func pullsAreGradientsOfTheirPenalties() {
    let p: [Float] = [1, 2, -3, 0.5, 9], anchor: [Float] = [0, 2, 1, 1, 8], weights: [Float] = [1, 5, 0, 2, 0.5]
    var y: [Float] = [0, 1, 2, 3, 4]
    weir_pull(&y, p, anchor, nil, 5, 0.5, 0)
    #expect(y == [0.5, 1, 0, 2.75, 4.5])
    weir_pull(&y, p, anchor, weights, 5, 0.5, 2)
    for (i, value) in y.enumerated() {
      let expected = [0.5, 1, 0, 2.75, 4.5][i] + (0.5 + 2 * weights[i]) * (p[i] - anchor[i])
      #expect(abs(value - expected) < 1e-6)
    }
  }

  /// The larger its weight, the closer consolidation keeps what matters, and a damaged Fisher folder is computed again to the same bits.
  @Test func consolidationKeepsTheModelClose() throws {
    try withTemporaryFolder { folder in
      let c = Self.shape, base = randomModel(c, rows: 1, sequence: 24, training: false), data = Self.fisher
      try ModelFolder.write(folder + "/base", configuration: c, parameters: base.parameters, tokenizer: nil)
      let fisher = try FisherInformation.compute(
        Self.model(c, rows: 1, sequence: 24, adapter: nil), data.sequences, pool: ThreadPool(threads: 1))
      func distance(_ weight: Double) throws -> Double {
        var plan = RecipeTests.plan(20)
        plan.ewc = ElasticConsolidation(weight: weight, data: data.fingerprint, sequences: data.sequences.count)
        _ = try TrainingRun.run(
          configuration: plan, initial: .folder(folder + "/base"), fisher: data, source: MostlySame(), folder: folder + "/\(weight)")
        let weights = try RecipeTests.weights(folder + "/\(weight)/model")
        return (0..<weights.count).reduce(0) {
          $0 + Double(fisher.base[$1] * (weights[$1] - base.parameters.base[$1]) * (weights[$1] - base.parameters.base[$1]))
        }
      }
      let distances = try [0, 100, 10_000].map(distance)
      #expect(distances[1] < 0.7 * distances[0] && distances[2] < 0.3 * distances[0], "\(distances)")
      let stored = folder + "/0.0/fisher/fisher.safetensors", bytes = try Files.read(stored)
      var damaged = bytes
      damaged[bytes.count - 1] ^= 1
      try Files.write(damaged, to: stored)
      try Files.remove(folder + "/0.0/report.json")
      let model = try Files.read(folder + "/0.0/model/model.safetensors")
      _ = try distance(0)
      #expect(try Files.read(stored) == bytes && Files.read(folder + "/0.0/model/model.safetensors") == model)
      let error = #expect(throws: WeirError.self) {
        var plan = RecipeTests.plan(20)
        plan.ewc = ElasticConsolidation(weight: 1, data: "other", sequences: 1)
        _ = try TrainingRun.run(
          configuration: plan, initial: .folder(folder + "/base"), fisher: data, source: MostlySame(), folder: folder + "/other")
      }
      #expect(error?.place == "ewc")
    }
  }

  /// An adapter that a run has written is read back, continues a run, and merges to the run's model.
  @Test func adapterFoldersAreReadBack() throws {
    try withTemporaryFolder { folder in
      let c = Self.shape, base = randomModel(c, rows: 1, sequence: 24, training: false), first = folder + "/first"
      try ModelFolder.write(folder + "/base", configuration: c, parameters: base.parameters, tokenizer: nil)
      var plan = RecipeTests.plan(8)
      plan.lowRank = LowRank(rank: 3, alpha: 12, dropout: 0.1, targets: [.key, .up])
      func run(_ path: String, adapter: String? = nil) throws {
        _ = try TrainingRun.run(
          configuration: plan, initial: .folder(folder + "/base"), adapter: adapter, source: RandomBatches(),
          validation: RunTests.validation,
          folder: path)
      }
      try run(first)
      let file = try SafetensorsFile(first + "/adapter/adapter_model.safetensors")
      #expect(file.shape("base_model.model.model.layers.1.self_attn.k_proj.lora_A.weight") == [3, 16])
      #expect(file.shape("base_model.model.model.layers.0.mlp.up_proj.lora_B.weight") == [32, 3])
      #expect(file.names.count == 8)
      var setting = try AdapterFolder.setting(first + "/adapter")
      #expect(setting.initial == (try AdapterFolder.fingerprint(first + "/adapter")))
      let merged = try AdapterFolder.merged(first + "/adapter", into: folder + "/base").parameters
      #expect(merged.values == (try RecipeTests.weights(first + "/model")))
      // The evaluation after the last step applies the adapter without merging it.
      let record = try #require(try JSONFile.read(TrainingReport.self, from: first + "/report.json").final.first)
      let evaluator = Evaluator(c, parameters: merged, sequence: 24, pool: ThreadPool(threads: 1))
      #expect(abs(try evaluator.evaluate(RunTests.validation[0].documents).loss - record.result.loss) < 1e-5)

      setting.dropout = nil
      plan.lowRank = setting
      plan.learningRate = 1e-9
      plan.weightDecay = 0
      try run(folder + "/second", adapter: first + "/adapter")
      for (a, b) in zip(try RecipeTests.weights(folder + "/second/model"), merged.values) { #expect(abs(a - b) < 1e-6) }

      let other = folder + "/other", wide = ModelConfiguration(vocabulary: 40, width: 32, layers: 2, heads: 2, ffn: 32, sequence: 24)
      try ModelFolder.write(
        other, configuration: wide, parameters: randomModel(wide, rows: 1, sequence: 24, training: false).parameters, tokenizer: nil)
      var error = #expect(throws: WeirError.self) { try AdapterFolder.merged(first + "/adapter", into: other) }
      #expect(error?.reason.contains("but the model needs [3, 32]") == true, "\(error.map { "\($0)" } ?? "")")
      try ModelFolder.write(
        other, configuration: c, parameters: randomModel(c, rows: 1, sequence: 24, training: false, seed: 9).parameters, tokenizer: nil)
      error = #expect(throws: WeirError.self) { try AdapterFolder.merged(first + "/adapter", into: other) }
      #expect(error?.reason.contains("another model") == true)
    }
  }

  @Test(arguments: [
    (#""peft_type": "LORA""#, #""peft_type": "IA3""#, "IA3"), (#""use_dora": false"#, #""use_dora": true"#, "use_dora"),
    (#""bias": "none""#, #""bias": "all""#, "biases"), (#""q_proj""#, #""lm_head""#, "lm_head"),
    (#""r": 8"#, #""r": 0"#, "1…4096"), (#""task_type""#, #""modules_to_save": ["lm_head"], "task_type""#, "modules_to_save"),
  ])
  func adaptersOfOtherKindsAreRefused(_ old: String, _ new: String, _ reason: String) throws {
    try withTemporaryFolder { folder in
      let text = #"""
        {"peft_type": "LORA", "task_type": "CAUSAL_LM", "r": 8, "lora_alpha": 16, "bias": "none", "use_dora": false, "rank_pattern": {},
         "target_modules": ["q_proj"]}
        """#
      try Files.createFolder(folder + "/a")
      try Files.write([], to: folder + "/a/adapter_model.safetensors")
      try Files.write(Array(text.utf8), to: folder + "/a/adapter_config.json")
      #expect(try AdapterFolder.setting(folder + "/a").targets == [.query])
      let scaled = text.replacingOccurrences(of: #""bias""#, with: #""use_rslora": true, "bias""#)
      try Files.write(Array(scaled.utf8), to: folder + "/a/adapter_config.json")
      #expect(try AdapterFolder.setting(folder + "/a").alpha == 16 * 8.0.squareRoot())
      try Files.write(Array(text.replacingOccurrences(of: old, with: new).utf8), to: folder + "/a/adapter_config.json")
      let error = #expect(throws: WeirError.self) { try AdapterFolder.setting(folder + "/a") }
      #expect(error.map { "\($0)".contains(reason) } == true, "\(error.map { "\($0)" } ?? "")")
    }
  }
}
