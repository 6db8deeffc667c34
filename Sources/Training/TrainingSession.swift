import CKernels
import Corpus
import Foundation
import Kernels
import Pipeline
import Primitives
import Storage

/// The loop of one run: batch, forward, loss, backward, clip, update, log; evaluations and checkpoints at their steps.
final class TrainingSession {
  private let identity: TrainingRun.Identity
  private let source: any BatchSource
  private let validation: [ValidationSet]
  private let folder: String
  private let tokenizer: String?
  private let endOfDocument: Int?
  private let pool: ThreadPool
  private let model: Transformer
  private let optimizer: AdamW
  private let anchor: FloatBuffer?
  private let frozen: Transformer.Frozen?
  private let adapter: LowRankAdapter?
  private let evaluator: Evaluator?
  private let log: RunLog
  private let evaluations: RunLog
  private let total: Int
  private var state: Checkpoint.State
  private var configuration: TrainingConfiguration { identity.configuration }
  private var batchTokens: Int { source.rows * source.sequence }
  private var lastDivergence: Double?

  init(
    identity: TrainingRun.Identity, initial: ModelInitialisation, source: any BatchSource, validation: [ValidationSet], folder: String,
    tokenizer: String?, endOfDocument: Int?, threads: Int
  ) throws {
    self.identity = identity
    self.source = source
    self.validation = validation
    self.folder = folder
    self.tokenizer = tokenizer
    self.endOfDocument = endOfDocument
    pool = ThreadPool(threads: threads)
    let c = identity.model, plan = identity.configuration
    total = plan.stepCount(batchTokens: source.rows * source.sequence)
    model = Transformer(c, rows: source.rows, sequence: source.sequence, training: true, pool: pool)
    let ratio = plan.baseWidth.map { Double($0) / Double(c.width) } ?? 1
    let run = Checksum.hex(Checksum.xxh3(try JSONFile.encode(identity)))
    state = Checkpoint.State(step: 0, optimizerSteps: 0, failures: 0, seconds: 0, kept: false, model: c, run: run)
    let whole = AdamW(
      model.layout, betas: (plan.beta1, plan.beta2), epsilon: plan.epsilon, weightDecay: plan.weightDecay,
      rates: { $0.decays || $0.name == "model.norm.weight" ? ratio : 1 })
    switch initial {
    case .scratch: model.initialise(seed: plan.seed, baseWidth: plan.baseWidth)
    case .folder(let path): try ModelFolder.readWeights(path, configuration: c, into: model.parameters)
    case .checkpoint(let path, let moments):
      let wanted = moments && plan.lowRank == nil
      _ = try Checkpoint.read(path, configuration: c, parameters: model.parameters, optimizer: wanted ? whole : nil)
    }
    // The frozen model is the initial one, so it is kept before a checkpoint of this run is read.
    if plan.annealing != nil || plan.pull > 0 || plan.lowRank != nil {
      let copy = FloatBuffer(model.parameters.count)
      copy.copy(from: model.parameters)
      anchor = copy
    } else {
      anchor = nil
    }
    if plan.annealing != nil, let anchor {
      frozen = Transformer.Frozen(
        Transformer(c, rows: source.rows, sequence: source.sequence, training: false, pool: pool, parameters: anchor))
    } else {
      frozen = nil
    }
    if let lowRank = plan.lowRank, let anchor {
      let factors = LowRankAdapter(model.layout, lowRank, base: anchor, seed: plan.seed)
      adapter = factors
      optimizer = AdamW(
        tensors: factors.ranges.map { ($0, true, 1) }, count: factors.factors.count, betas: (plan.beta1, plan.beta2),
        epsilon: plan.epsilon, weightDecay: plan.weightDecay)
    } else {
      adapter = nil
      optimizer = whole
    }
    for (step, path) in try Checkpoint.all(in: folder).reversed() where step <= total {
      guard Checkpoint.isUsable(path, run: run) else { continue }
      state = try Checkpoint.read(path, configuration: c, parameters: model.parameters, optimizer: optimizer, adapter: adapter)
      break
    }
    evaluator =
      validation.isEmpty ? nil : Evaluator(c, parameters: model.parameters, sequence: source.sequence, pool: pool)
    log = try RunLog(folder + "/log.jsonl", through: state.step)
    evaluations = try RunLog(folder + "/evaluations.jsonl", through: state.step)
  }

  func run(_ progress: Pipeline.Progress) throws -> TrainingReport {
    let evaluateAt = Set(configuration.evaluateAt.map { steps(for: $0) }), keepAt = Set(configuration.checkpointAt.map { steps(for: $0) })
    if state.step == 0, configuration.checkpointAt.contains(0) { try checkpoint(kept: true) }
    while state.step < total {
      if progress.isStopping {
        try checkpoint(kept: false)
        throw Stopped()
      }
      try step(progress)
      let done = state.step
      if done < total, configuration.evaluateEvery > 0 && done % configuration.evaluateEvery == 0 || evaluateAt.contains(done) {
        try evaluate(progress)
      }
      if keepAt.contains(done) {
        try checkpoint(kept: true)
      } else if configuration.checkpointEvery > 0, done % configuration.checkpointEvery == 0, done < total {
        try checkpoint(kept: false)
      }
    }
    return try finish(progress)
  }

  /// The first step after which `tokens` tokens are seen.
  private func steps(for tokens: Int) -> Int { max(1, (tokens + batchTokens - 1) / batchTokens) }

  private func step(_ progress: Pipeline.Progress) throws {
    let begin = DispatchTime.now().uptimeNanoseconds
    let index = state.step, rate = configuration.rate(step: index, total: total)
    let batch = try source.batch(step: index)
    try model.check(batch, place: "step \(index + 1)")
    frozen?.model.forward(tokens: batch.tokens, starts: batch.starts)
    model.forward(tokens: batch.tokens, starts: batch.starts)
    let sums = model.loss(targets: batch.targets, gradient: true, annealing: configuration.annealing, frozen: frozen)
    guard sums.targets > 0 else { throw WeirError("step \(index + 1)", "the batch has no target to learn from") }
    model.backward()
    if let anchor, configuration.pull > 0 {
      _ = weir_pull(model.gradients.base, model.parameters.base, anchor.base, anchor.count, Float(configuration.pull))
    }
    adapter?.project(model.gradients, pool: pool)
    let parameters = adapter?.factors ?? model.parameters, gradients = adapter?.gradients ?? model.gradients
    let norm = optimizer.norm(gradients, pool: pool), loss = sums.mean
    if loss.isFinite && norm.isFinite {
      let scale = configuration.clip > 0 ? min(1, configuration.clip / (norm + 1e-6)) : 1
      optimizer.update(parameters, gradients: gradients, scale: scale, learningRate: rate, pool: pool)
      adapter?.apply(to: model.parameters, pool: pool)
      state.failures = 0
    } else {
      state.failures += 1
      guard state.failures <= configuration.patience else {
        throw WeirError(
          folder, "the loss of \(state.failures) steps in a row, to step \(index + 1), is no number", remedy: "lower --lr or check the data"
        )
      }
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
    try log.append(line + [("seconds", RunLog.rounded(seconds)), ("tokens_per_second", RunLog.rounded(speed))])
    progress.update(
      Double(state.step * batchTokens), of: Double(total * batchTokens), unit: "tokens",
      detail: "loss \(String(format: "%.4f", loss))")
  }

  private func evaluate(_ progress: Pipeline.Progress) throws {
    guard let evaluator else { return }
    for set in validation {
      let record = EvaluationRecord(
        step: state.step, tokens: state.step * batchTokens, name: set.name, result: try evaluator.evaluate(set.documents))
      guard record.result.loss.isFinite else {
        throw WeirError(folder, "the loss on \(set.name) after step \(state.step) is no number", remedy: "lower --lr")
      }
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      let result = String(decoding: try encoder.encode(record.result), as: UTF8.self)
      let name = String(decoding: try encoder.encode(set.name), as: UTF8.self)
      try evaluations.append([("step", "\(record.step)"), ("tokens", "\(record.tokens)"), ("name", name), ("result", result)])
    }
  }

  private func checkpoint(kept: Bool) throws {
    try log.synchronize()
    try evaluations.synchronize()
    let path = folder + "/checkpoints/" + Checkpoint.name(state.step)
    if Checkpoint.isUsable(path, run: state.run) { return }
    state.optimizerSteps = optimizer.steps
    state.kept = kept
    try Checkpoint.write(
      path, state: state, parameters: model.parameters, optimizer: optimizer, adapter: adapter, tokenizer: tokenizer,
      endOfDocument: endOfDocument)
    let passing = try Checkpoint.all(in: folder).filter { (try? Checkpoint.state($0.path).kept) == false }
    for old in passing.dropLast(configuration.keep) { try Files.remove(old.path) }
  }

  private func finish(_ progress: Pipeline.Progress) throws -> TrainingReport {
    let path = folder + "/evaluations.jsonl"
    if try !records(path).contains(where: { $0.step == total }) { try evaluate(progress) }
    try log.synchronize()
    try evaluations.synchronize()
    let c = identity.model, tokens = total * batchTokens
    try ModelFolder.write(
      folder + "/model", configuration: c, parameters: model.parameters, tokenizer: tokenizer, endOfDocument: endOfDocument,
      inputs: ["run": state.run, "data": source.fingerprint, "initial": identity.initial], counts: ["steps": total, "tokens": tokens])
    let report = TrainingReport(
      steps: total, tokens: tokens, parameters: c.parameters, nonEmbeddingParameters: c.nonEmbeddingParameters,
      flops: Double(tokens) * c.flopsPerToken(context: source.sequence), loss: try recentLoss(), divergence: lastDivergence,
      evaluations: try records(path), seconds: state.seconds, tokensPerSecond: Double(tokens) / max(state.seconds, 1e-9),
      model: folder + "/model")
    try JSONFile.write(report, to: folder + "/report.json")
    for old in try Checkpoint.all(in: folder) where (try? Checkpoint.state(old.path).kept) == false { try Files.remove(old.path) }
    return report
  }

  private func records(_ path: String) throws -> [EvaluationRecord] {
    try Files.read(path).split(separator: 0x0A).map { try JSONDecoder().decode(EvaluationRecord.self, from: Data($0)) }
  }

  /// The mean loss of the last tenth of the log.
  private func recentLoss() throws -> Double {
    struct Line: Codable { var loss: Double? }
    let lines = try Files.read(folder + "/log.jsonl").split(separator: 0x0A).suffix(min(100, max(1, total / 10)))
    let losses = try lines.compactMap { try JSONDecoder().decode(Line.self, from: Data($0)).loss }
    guard !losses.isEmpty else {
      throw WeirError(folder, "the loss of the last steps is no number", remedy: "lower --lr or check the data")
    }
    return losses.reduce(0, +) / Double(losses.count)
  }
}
