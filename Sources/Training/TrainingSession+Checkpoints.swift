import Foundation
import Pipeline
import Primitives
import Storage

extension TrainingSession {
  /// How long a checkpoint is kept.
  enum CheckpointKind {
    case permanent
    /// Until `keepLast` newer ones exist.
    case regular
    /// Until a newer one exists: written because the run was asked to stop.
    case interruption
  }

  /// Writes the checkpoint due after this step, if any. While steps are being rejected, only permanent ones are written, so that a
  /// rollback always finds a good one.
  func checkpointIfDue() throws {
    let done = state.step
    if configuration.checkpointAt.contains(where: { $0 > 0 && steps(for: $0) == done })
      || configuration.keepEvery.map({ done % $0 == 0 }) ?? false
    {
      try checkpoint(.permanent)
    } else if configuration.checkpointEvery > 0, done % configuration.checkpointEvery == 0, done < total, state.consecutiveSkips == 0 {
      try checkpoint(.regular)
    }
  }

  /// Writes a checkpoint, unless it exists or the weights contain NaN/Inf, and removes those that are no longer needed.
  func checkpoint(_ kind: CheckpointKind) throws {
    guard ranks.isRoot else { return }
    try log.synchronize()
    try evaluations.synchronize()
    let path = folder.checkpoint(step: state.step)
    guard model.parameters.isFinite, !Checkpoint.isUsable(path, run: state.run) else { return }
    state.isPermanent = kind == .permanent
    state.isInterruption = kind == .interruption ? true : nil
    try writeCheckpoint(path)
    let others = try folder.allCheckpoints().compactMap { entry in (try? Checkpoint.state(entry.path)).map { (entry: entry, state: $0) } }
    let regular = others.filter { !$0.state.isPermanent && $0.state.isInterruption != true }
    let interruptions = others.filter { $0.state.isInterruption == true && $0.entry.step < state.step }
    for old in regular.dropLast(configuration.keepLast) + interruptions { try Files.remove(old.entry.path) }
  }

  private func writeCheckpoint(_ path: String) throws {
    state.optimizerSteps = optimizer.steps
    try Checkpoint.write(
      path, state: state, parameters: model.parameters, optimizer: optimizer, adapter: adapter, average: average,
      origin: initial.folder, tokenizer: tokenizer, endOfDocument: endOfDocument)
  }

  /// Rolls back to the last good checkpoint, or to the initial model, and skips the batches seen since.
  ///
  /// Checkpoints of interruptions are not candidates, so that an interrupted run ends with the same bits. Later checkpoints are removed
  /// before the chosen one is rewritten with its new state: a run that is killed in between rolls back again when it resumes.
  /// - Throws: `WeirError` if the run has used up its rollbacks.
  func rollBack(_ reason: String, _ progress: Pipeline.Progress) throws {
    guard ranks.isRoot else { return try broadcastState() }
    let failed = state.step, skipped = state.skippedBatches ?? 0, seconds = state.seconds, rollbacks = state.rollbacks ?? []
    let settings = configuration.lossGuard ?? LossGuard.Settings()
    guard rollbacks.count < settings.rollbacks else {
      let tried = rollbacks.isEmpty ? "" : " after \(rollbacks.count) rollbacks"
      throw WeirError(
        folder.path, "training failed at step \(failed)\(tried): \(reason)", remedy: "lower the learning rate or check the data")
    }
    let good = try folder.allCheckpoints().filter { $0.step < failed && Checkpoint.isUsable($0.path, run: state.run) }.filter {
      let state = try Checkpoint.state($0.path)
      return state.consecutiveSkips == 0 && state.isInterruption != true
    }
    // If the newest checkpoint was the target of the previous rollback and the run failed again, the damage may be older: go back further.
    let newest = good.last?.step == rollbacks.last?.to ? good.dropLast().last ?? good.last : good.last
    if let newest {
      state = try Checkpoint.read(
        newest.path, configuration: identity.model, parameters: model.parameters, optimizer: optimizer, adapter: adapter, average: average)
    } else {
      try restart()
      state = Checkpoint.State(model: identity.model, run: state.run)
    }
    let target = state.step
    for later in try folder.allCheckpoints() where later.step > target { try Files.remove(later.path) }
    state.seconds = seconds
    state.skippedBatches = skipped + failed - target
    state.rollbacks =
      rollbacks.map {
        var earlier = $0
        earlier.logStep = min(earlier.logStep, target)
        return earlier
      } + [LossGuard.Rollback(from: failed, to: target, reason: reason, logStep: target)]
    try writeCheckpoint(folder.checkpoint(step: target))
    try openLogs()
    try broadcastState()
    progress.note("\(folder.path): \(reason); rolled back from step \(failed) to step \(target), skipping \(failed - target) batches")
  }

  /// Writes the model and the report, and removes the checkpoints that are not permanent.
  func finish() throws -> TrainingReport {
    try log.synchronize()
    try evaluations.synchronize()
    let c = identity.model, tokens = total * batchTokens, loss = try recentLoss()
    let inputs = ["run": state.run, "data": source.fingerprint, "initial": identity.initial]
    for (path, weights) in [(folder.model, exported)] + (average == nil ? [] : [(folder.lastModel, model.parameters)]) {
      try ModelFolder.write(
        path, configuration: c, parameters: weights, origin: initial.folder, tokenizer: tokenizer, endOfDocument: endOfDocument,
        inputs: inputs, counts: ["steps": total, "tokens": tokens])
    }
    let report = TrainingReport(
      steps: total, tokens: tokens, parameters: c.parameters, nonEmbeddingParameters: c.nonEmbeddingParameters,
      flops: Double(tokens) * c.flopsPerToken(context: source.sequence), loss: loss, divergence: lastDivergence,
      evaluations: try evaluationRecords(), seconds: state.seconds, tokensPerSecond: Double(tokens) / max(state.seconds, 1e-9),
      model: folder.model, rollbacks: state.rollbacks)
    try JSONFile.write(report, to: folder.report)
    for old in try folder.allCheckpoints() where (try? Checkpoint.state(old.path).isPermanent) == false { try Files.remove(old.path) }
    return report
  }

  /// The mean loss of the last tenth of the log, at most 100 lines.
  private func recentLoss() throws -> Double {
    let losses = try LogEntry.read(folder.log).suffix(min(100, max(1, total / 10))).compactMap { entry -> Double? in
      guard case .step(let record) = entry, record.loss.isFinite else { return nil }
      return record.loss
    }
    guard !losses.isEmpty else {
      throw WeirError(folder.path, "the loss of the last steps is NaN or infinite", remedy: "lower the learning rate or check the data")
    }
    return losses.reduce(0, +) / Double(losses.count)
  }
}
