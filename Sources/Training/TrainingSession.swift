import CKernels
import Foundation
import Kernels
import Pipeline
import Primitives
import Storage
import Tokens

/// The loop of one run: batch, forward, loss, backward, clip, update, log; evaluations and checkpoints at their steps.
final class TrainingSession {
  let identity: TrainingRun.Identity
  let source: any BatchSource
  let folder: String
  let tokenizer: String?
  let endOfDocument: Int?
  let model: Transformer
  let optimizer: AdamW
  let adapter: LowRankAdapter?
  /// The moving average of the weights.
  let average: FloatBuffer?
  let total: Int
  var log: RunLog
  var evaluations: RunLog
  var state: Checkpoint.State
  var lastDivergence: Double?
  var configuration: TrainingConfiguration { identity.configuration }
  var batchTokens: Int { source.rows * source.sequence }
  /// The weights that are evaluated and exported.
  var exported: FloatBuffer { average ?? model.parameters }

  let crew: Crew
  private let initial: ModelInitialisation
  private let validation: [ValidationSet]
  private let pool: ThreadPool
  private let anchor: FloatBuffer?
  private let gradient: BatchGradient
  private let evaluator: Evaluator?
  private var meter: SpeedMeter

  init(
    identity: TrainingRun.Identity, initial: ModelInitialisation, source: any BatchSource, validation: [ValidationSet], folder: String,
    tokenizer: String?, endOfDocument: Int?, threads: Int, recompute: Bool = false, crew: Crew
  ) throws {
    self.crew = crew
    self.identity = identity
    self.initial = initial
    self.source = source
    self.validation = validation
    self.folder = folder
    self.tokenizer = tokenizer
    self.endOfDocument = endOfDocument
    pool = ThreadPool(threads: threads)
    let c = identity.model, plan = identity.configuration
    let pieces = BatchPieces(rows: source.rows, microBatches: plan.microBatches, ranks: crew.count), rows = pieces.rows
    total = plan.stepCount(batchTokens: source.rows * source.sequence)
    model = Transformer(
      c, rows: rows, sequence: source.sequence, training: true, recompute: recompute, precision: plan.precision ?? .float32,
      pool: pool)
    meter = SpeedMeter(model: c, precision: model.precision, sequence: source.sequence, pool: pool)
    let scaling = WidthScaling(c, baseWidth: plan.baseWidth, baseHeadWidth: plan.baseHeadWidth)
    let whole = AdamW(
      model.layout, betas: (plan.beta1, plan.beta2), epsilon: plan.epsilon, weightDecay: plan.weightDecay, rates: scaling.rate)
    let run = Checksum.hex(Checksum.xxh3(try JSONFile.encode(identity)))
    state = Checkpoint.State(model: c, run: run)
    if crew.leads { try Self.begin(model, initial, plan, optimizer: plan.lowRank == nil ? whole : nil) }
    crew.share(model.parameters)
    // The frozen model is the initial one, so it is kept before a checkpoint of this run is read.
    anchor = plan.annealing != nil || plan.pull > 0 || plan.lowRank != nil ? FloatBuffer(copying: model.parameters) : nil
    if let lowRank = plan.lowRank, let anchor {
      let factors = LowRankAdapter(model.layout, lowRank, base: anchor, seed: plan.seed)
      adapter = factors
      optimizer = AdamW(
        tensors: factors.ranges.map { ($0, 1, 1) }, count: factors.factors.count, betas: (plan.beta1, plan.beta2),
        epsilon: plan.epsilon, weightDecay: plan.weightDecay)
    } else {
      adapter = nil
      optimizer = whole
    }
    var frozen: Transformer.Frozen?
    if plan.annealing != nil, let anchor {
      frozen = Transformer.Frozen(
        Transformer(c, rows: rows, sequence: source.sequence, training: false, pool: pool, parameters: anchor))
    }
    gradient = BatchGradient(model, frozen: frozen, plan, pieces: pieces, crew: crew, pool: pool)
    average = plan.average == nil ? nil : FloatBuffer(copying: model.parameters)
    evaluator =
      validation.isEmpty ? nil : Evaluator(c, parameters: average ?? model.parameters, sequence: source.sequence, pool: pool)
    for (step, path) in try crew.leads ? Checkpoint.all(in: folder).reversed() : [] where step <= total {
      guard Checkpoint.isUsable(path, run: run) else { continue }
      state = try Checkpoint.read(
        path, configuration: c, parameters: model.parameters, optimizer: optimizer, adapter: adapter, average: average)
      break
    }
    (log, evaluations) = (RunLog(), RunLog())
    try spread()
    try openLogs()
  }

  /// Gives every rank what the leading one has read.
  func spread() throws {
    state = try crew.share { state }
    optimizer.steps = try crew.share { optimizer.steps }
    for block in [model.parameters, optimizer.first, optimizer.second, adapter?.factors, average] {
      if let block { crew.share(block) }
    }
  }

  /// Opens the logs as they were after the last step.
  func openLogs() throws {
    guard crew.leads else { return }
    log = try RunLog(folder + "/log.jsonl", through: state.step, incidents: state.incidents ?? [])
    evaluations = try RunLog(folder + "/evaluations.jsonl", through: state.step)
  }

  /// Gives the model its first weights, and the optimiser the moments that a trunk's checkpoint hands on.
  private static func begin(
    _ model: Transformer, _ initial: ModelInitialisation, _ plan: TrainingConfiguration, optimizer: AdamW?
  ) throws {
    switch initial {
    case .scratch: model.initialise(seed: plan.seed, baseWidth: plan.baseWidth, baseHeadWidth: plan.baseHeadWidth)
    case .folder(let path): try ModelFolder.readWeights(path, configuration: model.configuration, into: model.parameters)
    case .checkpoint(let path, let moments):
      _ = try Checkpoint.read(
        path, configuration: model.configuration, parameters: model.parameters, optimizer: moments ? optimizer : nil)
    }
  }

  /// Back to the first step.
  func restart() throws {
    optimizer.clear()
    adapter?.reset()
    try Self.begin(model, initial, configuration, optimizer: adapter == nil ? optimizer : nil)
    average?.copy(from: model.parameters)
  }

  func run(_ progress: Pipeline.Progress) throws -> TrainingReport {
    let evaluateAt = Set(configuration.evaluateAt.map { steps(for: $0) })
    if state.step == 0, configuration.checkpointAt.contains(0) { try checkpoint(.kept) }
    while true {
      while state.step < total {
        if crew.any(progress.isStopping) {
          try checkpoint(.passing)
          throw Stopped()
        }
        guard try step(progress) else { continue }
        let done = state.step
        if done < total, configuration.evaluateEvery > 0 && done % configuration.evaluateEvery == 0 || evaluateAt.contains(done) {
          guard try evaluate(progress) else { continue }
        }
        try checkpointIfDue()
      }
      if model.parameters.isFinite {
        if try crew.share({ try evaluatedAtTheEnd() }) { return try crew.share { try finish() } }
        if try evaluate(progress) { continue }
      } else {
        try goBack("a weight is no number", progress)
      }
    }
  }

  /// The first step after which `tokens` tokens are seen.
  func steps(for tokens: Int) -> Int { max(1, (tokens + batchTokens - 1) / batchTokens) }

  /// One step; false where the run went back instead.
  private func step(_ progress: Pipeline.Progress) throws -> Bool {
    let begin = DispatchTime.now().uptimeNanoseconds
    let index = state.step, rate = configuration.rate(step: index, total: total)
    let sums = try gradient.compute(try source.batch(step: index + (state.passed ?? 0)), place: "step \(index + 1)")
    if let anchor, configuration.pull > 0 {
      _ = weir_pull(model.gradients.base, model.parameters.base, anchor.base, anchor.count, Float(configuration.pull))
    }
    adapter?.project(model.gradients, pool: pool)
    let parameters = adapter?.factors ?? model.parameters, gradients = adapter?.gradients ?? model.gradients
    let norm = optimizer.norm(gradients, pool: pool), loss = sums.mean
    let settings = configuration.guarding ?? LossGuard.Settings()
    let refusal = (state.watch ?? LossGuard()).judge(loss: loss, norm: norm, vocabulary: identity.model.vocabulary, settings)
    if refusal == nil {
      let scale = configuration.clip > 0 ? min(1, configuration.clip / (norm + 1e-6)) : 1
      optimizer.update(parameters, gradients: gradients, scale: scale, learningRate: rate, pool: pool)
      adapter?.apply(to: model.parameters, pool: pool)
      moveAverage()
      state.watch = state.watch ?? LossGuard()
      state.watch?.accept(loss)
      state.failures = 0
    } else {
      state.failures += 1
    }
    let seconds = Double(DispatchTime.now().uptimeNanoseconds - begin) * 1e-9
    state.step += 1
    state.seconds += seconds
    let speed = Double(batchTokens) / max(seconds, 1e-9)
    var line = [
      ("step", "\(state.step)"), ("tokens", "\(state.step * batchTokens)"), ("loss", RunLog.number(loss)), ("lr", RunLog.number(rate)),
      ("grad_norm", RunLog.number(norm)),
    ]
    if configuration.annealing != nil {
      lastDivergence = sums.divergence / Double(sums.targets)
      line.append(("divergence", RunLog.number(lastDivergence ?? 0)))
    }
    if let weight = configuration.zLoss { line.append(("z_loss", RunLog.number(weight * sums.squares / Double(sums.targets)))) }
    if let refusal {
      line.append(("skipped", "\"\(refusal.rawValue)\""))
      let what = refusal == .spike ? "loss \(String(format: "%.4f", loss)) is a spike" : "the loss or its gradient is no number"
      progress.note("\(folder): step \(state.step): \(what); the step is passed over")
    }
    try log.append(line + [("seconds", RunLog.rounded(seconds)), ("tokens_per_second", RunLog.rounded(speed))])
    progress.update(
      Double(state.step * batchTokens), of: Double(total * batchTokens), unit: "tokens",
      detail: "loss \(String(format: "%.4f", loss))" + meter.text(tokens: batchTokens, seconds: seconds))
    guard state.failures <= configuration.patience else {
      try goBack("\(state.failures) steps in a row whose loss is \(refusal == .spike ? "a spike" : "no number")", progress)
      return false
    }
    return true
  }

  /// average ← d·average + (1 − d)·weights, with d = min(decay, (1 + n)/(10 + n)) in update n, so that the first weights do not stay long.
  private func moveAverage() {
    guard let average, let decay = configuration.average else { return }
    let n = Double(optimizer.steps), share = Float(1 - min(decay, (1 + n) / (10 + n)))
    pool.ranges(average.count, grain: 65_536) { range in
      weir_move_average(average.base + range.lowerBound, model.parameters.base + range.lowerBound, range.count, share)
    }
  }

  /// Evaluates every set; false where a loss is no number and the run went back instead.
  private func evaluate(_ progress: Pipeline.Progress) throws -> Bool {
    guard let evaluator else { return true }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    for set in validation {
      let record = EvaluationRecord(
        step: state.step, tokens: state.step * batchTokens, name: set.name, result: try evaluator.evaluate(set.documents, crew: crew))
      guard record.result.loss.isFinite else {
        try goBack("the loss on \(set.name) is no number", progress)
        return false
      }
      let result = String(decoding: try encoder.encode(record.result), as: UTF8.self)
      let name = String(decoding: try encoder.encode(set.name), as: UTF8.self)
      try evaluations.append([("step", "\(record.step)"), ("tokens", "\(record.tokens)"), ("name", name), ("result", result)])
    }
    return true
  }

  /// Whether the last evaluation is in the file; there is none without sets.
  private func evaluatedAtTheEnd() throws -> Bool {
    try validation.isEmpty || records().contains { $0.step == total }
  }

  func records() throws -> [EvaluationRecord] {
    try Files.read(folder + "/evaluations.jsonl").split(separator: 0x0A).map {
      try JSONDecoder().decode(EvaluationRecord.self, from: Data($0))
    }
  }
}
