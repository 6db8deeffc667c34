import CKernels
import Foundation
import Kernels
import Pipeline
import Primitives
import Storage
import Tokens

/// The training loop of one run: batch, forward, loss, backward, clip, update, log, and periodically evaluations and checkpoints.
final class TrainingSession {
  let identity: TrainingRun.Identity
  let source: any BatchSource
  let folder: RunFolder
  let tokenizer: String?
  let endOfDocument: Int?
  let model: Transformer
  let optimizer: AdamW
  let adapter: LowRankAdapter?
  /// The exponential moving average of the weights.
  let average: FloatBuffer?
  /// Steps of the run.
  let total: Int
  let ranks: RankGroup
  let validation: [ValidationSet]
  let evaluator: Evaluator?
  var log: RunLog
  var evaluations: RunLog
  /// The content of `evaluations` on the root.
  var records: [EvaluationRecord] = []
  var state: Checkpoint.State
  var lastDivergence: Double?
  var configuration: TrainingConfiguration { identity.configuration }
  var guardSettings: LossGuard.Settings { configuration.lossGuard ?? LossGuard.Settings() }
  /// Positions per batch, padding included.
  var batchTokens: Int { source.rows * source.sequence }
  /// Tokens seen.
  var tokens: Int { state.tokens ?? state.step * batchTokens }
  /// The weights that are evaluated and exported.
  var exported: FloatBuffer { average ?? model.parameters }

  let initial: ModelInitialization
  /// Whether to evaluate the initial model.
  let evaluatesInitial: Bool
  private let pool: ThreadPool
  /// The initial weights, if the loss refers to them.
  private let initialWeights: FloatBuffer?
  private let penalty: WeightPenalty?
  /// The adapter folder that training starts from.
  private let initialAdapter: String?
  private let gradient: BatchGradient
  private var meter: SpeedMeter

  init(
    identity: TrainingRun.Identity, initial: ModelInitialization, adapter initialAdapter: String? = nil, fisher data: FisherData? = nil,
    source: any BatchSource, validation: [ValidationSet], folder: RunFolder, tokenizer: String?, endOfDocument: Int?,
    evaluatesInitial: Bool, threads: Int, recompute: Bool = false, ranks: RankGroup, progress: Pipeline.Progress
  ) throws {
    self.ranks = ranks
    self.identity = identity
    self.initial = initial
    self.evaluatesInitial = evaluatesInitial
    self.source = source
    self.validation = validation
    self.folder = folder
    self.tokenizer = tokenizer
    self.endOfDocument = endOfDocument
    pool = ThreadPool(threads: threads)
    let c = identity.model, plan = identity.configuration
    let microBatches = MicroBatches(rows: source.rows, requested: plan.microBatches, ranks: ranks.count), rows = microBatches.rows
    total = plan.stepCount(batchTokens: source.rows * source.sequence)
    let precision = plan.precision ?? .float32
    adapter = plan.lowRank.map { LowRankAdapter(c, $0, randomSeed: plan.randomSeed) }
    self.initialAdapter = initialAdapter
    model = Transformer(
      c, rows: rows, sequence: source.sequence, training: true, recompute: recompute, precision: precision, pool: pool, adapter: adapter)
    meter = SpeedMeter(model)
    let scaling = WidthScaling(c, baseWidth: plan.baseWidth, baseHeadWidth: plan.baseHeadWidth)
    if let adapter {
      optimizer = AdamW(
        tensors: adapter.ranges.map { ($0, 1, 1) }, count: adapter.factors.count, betas: (plan.beta1, plan.beta2), epsilon: plan.epsilon,
        weightDecay: plan.weightDecay)
    } else {
      optimizer = AdamW(
        model.layout, betas: (plan.beta1, plan.beta2), epsilon: plan.epsilon, weightDecay: plan.weightDecay, rates: scaling.rate)
    }
    state = Checkpoint.State(model: c, run: try identity.key)
    if ranks.isRoot {
      try Self.initialize(model, initial, plan, optimizer: adapter == nil ? optimizer : nil)
      if let adapter, let initialAdapter { try AdapterFolder.read(initialAdapter, into: adapter) }
    }
    ranks.broadcast(model.parameters)
    // Copied before a checkpoint of this run overwrites the parameters.
    initialWeights = plan.keepsInitialWeights ? FloatBuffer(copying: model.parameters) : nil
    var fisher: FloatBuffer?
    if plan.ewc != nil, let data {
      let (model, pool) = (model, pool)
      fisher =
        ranks.isRoot
        ? try FisherInformation.load(folder.fisher, model.layout, data: data, run: state.run, pool: pool, progress: progress) {
          Transformer(
            c, rows: 1, sequence: source.sequence, training: true, recompute: recompute, precision: precision, pool: pool,
            parameters: model.parameters, gradients: model.gradients)
        } : FloatBuffer(model.layout.count)
      fisher.map(ranks.broadcast)
    }
    penalty = initialWeights.flatMap { plan.l2 > 0 || plan.ewc != nil ? WeightPenalty(plan, initial: $0, fisher: fisher) : nil }
    let frozen =
      plan.annealing == nil
      ? nil
      : Transformer(
        c, rows: rows, sequence: source.sequence, training: false, precision: precision, pool: pool,
        parameters: initialWeights ?? model.parameters)
    var cache: TeacherCache?
    if let annealing = plan.annealing, let k = annealing.cached, let frozen {
      guard ranks.count == 1 else { throw WeirError("annealing.cached", "is not supported on several ranks", remedy: "leave it out") }
      guard k <= c.vocabulary else { throw WeirError("annealing.cached", "is \(k), more than the \(c.vocabulary) tokens of the model") }
      cache = try TeacherCache(
        folder.teacher, k: k, temperature: annealing.side == .student ? 1 : annealing.temperature, teacher: frozen, source: source,
        steps: total, run: state.run, progress: progress)
    }
    gradient = BatchGradient(model, frozen: frozen, cache: cache, plan, microBatches: microBatches, ranks: ranks, pool: pool)
    average = plan.emaDecay == nil ? nil : FloatBuffer(copying: model.parameters)
    evaluator =
      validation.isEmpty
      ? nil : Evaluator(c, parameters: average ?? model.parameters, adapter: adapter, sequence: source.sequence, pool: pool)
    (log, evaluations) = (RunLog(), RunLog())
    if ranks.isRoot { try resume(progress) }
    try broadcastState()
    try openLogs()
    if ranks.isRoot, log.keptSteps < state.step {
      progress.note(
        "warning: \(folder.log): has \(log.keptSteps) of the first \(state.step) steps; the others are lost, and the report leaves them out"
      )
    }
  }

  /// Copies the root's state, parameters and moments to all ranks.
  func broadcastState() throws {
    state = try ranks.broadcast { state }
    optimizer.steps = try ranks.broadcast { optimizer.steps }
    for block in [model.parameters, optimizer.first, optimizer.second, adapter?.factors, average] {
      if let block { ranks.broadcast(block) }
    }
  }

  /// Opens the logs, truncated to the current step.
  func openLogs() throws {
    guard ranks.isRoot else { return }
    try folder.unseal()
    log = try RunLog(folder.log, through: state.step, rollbacks: (state.rollbacks ?? []).map(\.record))
    evaluations = try RunLog(folder.evaluations, through: state.step)
    records = try RunLog.records(EvaluationRecord.self, folder.evaluations)
  }

  /// Sets the initial weights, and the optimizer's moments if they come from a checkpoint.
  private static func initialize(
    _ model: Transformer, _ initial: ModelInitialization, _ plan: TrainingConfiguration, optimizer: AdamW?
  ) throws {
    switch initial {
    case .scratch: model.initialize(randomSeed: plan.randomSeed, baseWidth: plan.baseWidth, baseHeadWidth: plan.baseHeadWidth)
    case .folder(let path): try ModelFolder.readWeights(path, configuration: model.configuration, into: model.parameters)
    case .checkpoint(let path, let moments):
      _ = try Checkpoint.read(path, configuration: model.configuration, parameters: model.parameters, optimizer: moments ? optimizer : nil)
    }
  }

  /// Resets weights and moments to those before the first step.
  func restart() throws {
    optimizer.clear()
    adapter?.reset()
    if let adapter, let initialAdapter { try AdapterFolder.read(initialAdapter, into: adapter) }
    try Self.initialize(model, initial, configuration, optimizer: adapter == nil ? optimizer : nil)
    average?.copy(from: model.parameters)
  }

  func run(_ progress: Pipeline.Progress) throws -> TrainingReport {
    let evaluateAt = Set(configuration.evaluateAt.map { steps(for: $0) })
    if evaluatesInitial || configuration.selection != nil { try evaluateInitialModel() }
    if state.step == 0, configuration.checkpointAt.contains(0) { try checkpoint(.permanent) }
    while true {
      var decision = try select(at: .start, progress)
      while state.step < total, decision?.stop == nil {
        if ranks.any(progress.isStopping) {
          try checkpoint(.interruption)
          throw Stopped()
        }
        guard try step(progress) else { continue }
        let done = state.step
        if done < total, configuration.evaluateEvery > 0 && done % configuration.evaluateEvery == 0 || evaluateAt.contains(done) {
          guard try evaluate(validation, progress) else { continue }
          decision = try select(at: .evaluation, progress)
        }
        try checkpointIfDue()
      }
      if model.trainable.isFinite {
        let missing = Set(try ranks.broadcast { records.missing(validation, step: state.step).map(\.name) })
        if try evaluate(validation.filter { missing.contains($0.name) }, progress) {
          decision = try select(at: .end, progress)
          return try ranks.broadcast { try finish(decision, progress) }
        }
      } else {
        try rollBack("the weights contain NaN or infinity", progress)
      }
    }
  }

  /// The first step after which `tokens` tokens have been seen.
  func steps(for tokens: Int) -> Int { max(1, (tokens + batchTokens - 1) / batchTokens) }

  /// Runs one step.
  /// - Returns: false if the run rolled back.
  private func step(_ progress: Pipeline.Progress) throws -> Bool {
    let begin = DispatchTime.now().uptimeNanoseconds
    let index = state.step, rate = configuration.rate(step: index, total: total)
    let batch = try source.batch(step: index + (state.skippedBatches ?? 0)), count = source.tokenCount(of: batch), seen = tokens
    let sums = try gradient.compute(batch, place: "step \(index + 1)", step: (index, total))
    penalty?.addGradient(of: model.parameters, to: model.gradients, pool: pool)
    let norm = optimizer.norm(model.gradients, pool: pool), loss = sums.mean
    var lossGuard = state.lossGuard ?? LossGuard()
    let rejection = lossGuard.judge(step: index + 1, loss: loss, norm: norm, guardSettings)
    if rejection == nil {
      let scale = configuration.clip > 0 ? min(1, configuration.clip / (norm + 1e-6)) : 1
      optimizer.update(model.trainable, gradients: model.gradients, scale: scale, learningRate: rate, pool: pool)
      updateAverage()
      lossGuard.accept(loss)
      state.consecutiveSkips = 0
    } else {
      state.consecutiveSkips += 1
    }
    state.lossGuard = lossGuard
    let seconds = Double(DispatchTime.now().uptimeNanoseconds - begin) * 1e-9
    state.step += 1
    state.tokens = seen + count
    state.seconds += seconds
    if configuration.annealing != nil { lastDivergence = sums.divergence / Double(sums.targets) }
    let record = StepRecord(
      step: state.step, tokens: tokens, loss: loss, learningRate: rate, gradientNorm: norm,
      divergence: configuration.annealing == nil ? nil : lastDivergence,
      wholeDivergence: configuration.annealing?.cached == nil || index >= TeacherCache.probes
        ? nil : sums.wholeDivergence / Double(sums.targets),
      zLoss: configuration.zLoss.map { $0 * sums.squares / Double(sums.targets) }, skipped: rejection, seconds: seconds,
      tokensPerSecond: Double(count) / max(seconds, 1e-9))
    try log.append(record.line)
    report(record, progress)
    guard state.consecutiveSkips <= configuration.patience else {
      try rollBack("\(state.consecutiveSkips) steps in a row with NaN/Inf losses or gradients", progress)
      return false
    }
    return try !rollBackIfDamaged(progress)
  }

  private func report(_ record: StepRecord, _ progress: Pipeline.Progress) {
    let loss = String(format: "%.4f", record.loss)
    if let rejection = record.skipped {
      let cause = rejection == .spike ? "loss spike (\(loss))" : "NaN/Inf loss or gradient"
      progress.note("\(folder.path): step \(record.step): \(cause); step skipped")
    }
    progress.update(
      Double(record.tokens), of: Double(record.tokens) / Double(record.step) * Double(total), unit: "tokens",
      detail: "loss \(loss)" + meter.text(tokens: batchTokens, seconds: record.seconds))
  }

  /// average ← d·average + (1 − d)·weights, with d = min(decay, (1 + n)/(10 + n)) in update n, so that the first weights fade quickly.
  private func updateAverage() {
    guard let average, let decay = configuration.emaDecay else { return }
    let n = Double(optimizer.steps), share = Float(1 - min(decay, (1 + n) / (10 + n)))
    pool.ranges(average.count, grain: 65_536) { range in
      weir_move_average(average.base + range.lowerBound, model.parameters.base + range.lowerBound, range.count, share)
    }
  }
}
