import Foundation
import Pipeline
import Primitives
import Storage

extension TrainingSession {
  /// How long a checkpoint stays.
  enum Kind {
    /// For good.
    case kept
    /// Until there are enough newer ones.
    case regular
    /// Until there is a newer one: the run was asked to stop.
    case passing
  }

  /// Writes the checkpoint of the steps at which there is one. Within a series of steps that the guard refuses only those for good are
  /// written, so that a run always goes back to a sound one.
  func checkpointIfDue() throws {
    let done = state.step
    if configuration.checkpointAt.contains(where: { $0 > 0 && steps(for: $0) == done })
      || configuration.keepEvery.map({ done % $0 == 0 }) ?? false
    {
      try checkpoint(.kept)
    } else if configuration.checkpointEvery > 0, done % configuration.checkpointEvery == 0, done < total, state.failures == 0 {
      try checkpoint(.regular)
    }
  }

  /// Writes a checkpoint unless it is there or a weight is no number, and removes those that need not stay.
  func checkpoint(_ kind: Kind) throws {
    guard crew.leads else { return }
    try log.synchronize()
    try evaluations.synchronize()
    let path = folder + "/checkpoints/" + Checkpoint.name(state.step)
    guard model.parameters.isFinite, !Checkpoint.isUsable(path, run: state.run) else { return }
    state.kept = kind == .kept
    state.passing = kind == .passing ? true : nil
    try writeCheckpoint(path)
    let others = try Checkpoint.all(in: folder).compactMap { entry in
      (try? Checkpoint.state(entry.path)).map { (entry: entry, state: $0) }
    }
    let regular = others.filter { !$0.state.kept && $0.state.passing != true }
    let passing = others.filter { $0.state.passing == true && $0.entry.step < state.step }
    for old in regular.dropLast(configuration.keep) + passing { try Files.remove(old.entry.path) }
  }

  private func writeCheckpoint(_ path: String) throws {
    state.optimizerSteps = optimizer.steps
    try Checkpoint.write(
      path, state: state, parameters: model.parameters, optimizer: optimizer, adapter: adapter, average: average, tokenizer: tokenizer,
      endOfDocument: endOfDocument)
  }

  /// Returns to the last sound checkpoint, or to the start, and passes over the batches seen since.
  ///
  /// Only checkpoints count whose steps follow from the configuration, not those of an interruption, so that an interrupted run goes the
  /// same way. What lies behind the checkpoint is removed before the checkpoint is written anew with its new state: a run that is killed
  /// in between comes here once more.
  /// - Throws: `WeirError` where the run has gone back often enough.
  func goBack(_ reason: String, _ progress: Pipeline.Progress) throws {
    guard crew.leads else { return try spread() }
    let failed = state.step, passed = state.passed ?? 0, seconds = state.seconds, incidents = state.incidents ?? []
    let settings = configuration.guarding ?? LossGuard.Settings()
    guard incidents.count < settings.rollbacks else {
      let tried = incidents.isEmpty ? "" : ", after \(incidents.count) returns to earlier checkpoints"
      throw WeirError(folder, "\(reason), to step \(failed)\(tried); the run is given up", remedy: "lower --lr or check the data")
    }
    let all = try Checkpoint.all(in: folder).filter { $0.step < failed && Checkpoint.isUsable($0.path, run: state.run) }
    let sound = try all.filter {
      let state = try Checkpoint.state($0.path)
      return state.failures == 0 && state.passing != true
    }
    // Where the run came from the newest one and failed again, the damage may be older.
    let newest = sound.last?.step == incidents.last?.to ? sound.dropLast().last ?? sound.last : sound.last
    if let newest {
      state = try Checkpoint.read(
        newest.path, configuration: identity.model, parameters: model.parameters, optimizer: optimizer, adapter: adapter,
        average: average)
    } else {
      try restart()
      state = Checkpoint.State(model: identity.model, run: state.run)
    }
    let target = state.step
    for later in try Checkpoint.all(in: folder) where later.step > target { try Files.remove(later.path) }
    state.seconds = seconds
    state.passed = passed + failed - target
    state.incidents =
      incidents.map {
        var earlier = $0
        earlier.place = min(earlier.place, target)
        return earlier
      } + [LossGuard.Incident(from: failed, to: target, reason: reason, place: target)]
    try writeCheckpoint(folder + "/checkpoints/" + Checkpoint.name(target))
    try openLogs()
    try spread()
    progress.note("\(folder): \(reason), to step \(failed); back to step \(target), \(failed - target) batches are passed over")
  }

  /// Writes the model and the report, and removes the checkpoints that need not stay.
  func finish() throws -> TrainingReport {
    try log.synchronize()
    try evaluations.synchronize()
    let c = identity.model, tokens = total * batchTokens, loss = try recentLoss()
    let inputs = ["run": state.run, "data": source.fingerprint, "initial": identity.initial]
    for (name, weights) in [("/model", exported)] + (average == nil ? [] : [("/model-last", model.parameters)]) {
      try ModelFolder.write(
        folder + name, configuration: c, parameters: weights, tokenizer: tokenizer, endOfDocument: endOfDocument, inputs: inputs,
        counts: ["steps": total, "tokens": tokens])
    }
    let report = TrainingReport(
      steps: total, tokens: tokens, parameters: c.parameters, nonEmbeddingParameters: c.nonEmbeddingParameters,
      flops: Double(tokens) * c.flopsPerToken(context: source.sequence), loss: loss, divergence: lastDivergence,
      evaluations: try records(), seconds: state.seconds, tokensPerSecond: Double(tokens) / max(state.seconds, 1e-9),
      model: folder + "/model", rollbacks: state.incidents)
    try JSONFile.write(report, to: folder + "/report.json")
    for old in try Checkpoint.all(in: folder) where (try? Checkpoint.state(old.path).kept) == false { try Files.remove(old.path) }
    return report
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
