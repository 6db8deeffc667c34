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
    guard model.trainable.isFinite, Checkpoint.problem(path, step: state.step, run: state.run) != nil else { return }
    state.isPermanent = kind == .permanent
    state.isInterruption = kind == .interruption ? true : nil
    try writeCheckpoint(path)
    let checkpoints = try folder.allCheckpoints().map { (step: $0.step, path: $0.path, state: try? Checkpoint.state($0.path)) }
    for old in checkpoints where old.step < state.step && (old.state?.isInterruption ?? (old.state == nil)) {
      try folder.removeCheckpoint(old.path)
    }
    // Which regular ones exist must not depend on interruptions, because rollbacks return to them.
    guard kind != .interruption else { return }
    try removeUnselected()
    let regular = checkpoints.filter { $0.state.map { !$0.isPermanent && $0.isInterruption != true } ?? false }
    var spare: Set<Int> = []
    if guardSettings.rollbacks > 0 {
      // A rollback for damage returns to a step before the window in which the damage shows; the next one will soon be that old.
      let old = regular.last { $0.step <= state.step - LossGuard.window }?.step
      let next = regular.first { $0.step > old ?? 0 }?.step
      spare = Set([old, next].compactMap { $0 })
    }
    for old in regular.dropLast(configuration.keepLast) where !spare.contains(old.step) { try folder.removeCheckpoint(old.path) }
  }

  /// Reads the newest intact checkpoint. A run never starts over silently because its checkpoints are damaged.
  /// - Throws: `WeirError` if there are checkpoints, but none is intact.
  func resume(_ progress: Pipeline.Progress) throws {
    if Files.exists(folder.checkpoints), !Files.isFolder(folder.checkpoints) {
      throw WeirError(folder.checkpoints, "is a file, not the folder of the run's checkpoints", remedy: "remove it or restore the folder")
    }
    try folder.removeUnfinishedCheckpoints()
    let hasBegun = try Files.exists(folder.log) && Files.size(folder.log) > 0
    var problems: [(path: String, reason: String)] = []
    for (step, path) in try folder.allCheckpoints().reversed() {
      if let problem = Checkpoint.problem(path, step: step, run: state.run) {
        problems.append((path, problem))
        continue
      }
      try read(path)
      for problem in problems {
        let aside = try folder.setAside(checkpoint: problem.path)
        progress.note("\(problem.reason); resuming from the checkpoint of step \(step) instead; the damaged one is now \(aside)")
      }
      return
    }
    guard let newest = problems.first else {
      if hasBegun { progress.note("\(folder.path): has no checkpoint; starting from the first step") }
      return
    }
    throw WeirError(
      folder.checkpoints, "none of \(problems.count) checkpoints is intact; the newest: \(newest.reason)",
      remedy: "restore one from a copy, or remove \(folder.checkpoints) to start over from the first step")
  }

  func read(_ checkpoint: String) throws {
    state = try Checkpoint.read(
      checkpoint, configuration: identity.model, parameters: model.parameters, optimizer: optimizer, adapter: adapter, average: average)
  }

  func writeCheckpoint(_ path: String) throws {
    state.optimizerSteps = optimizer.steps
    try Checkpoint.write(
      path, state: state, parameters: model.parameters, optimizer: optimizer, adapter: adapter, average: average,
      origin: initial.folder, tokenizer: tokenizer, endOfDocument: endOfDocument)
  }

  /// Rolls back if the loss shows that the model was damaged, unless it was as high on other batches after a rollback.
  func rollBackIfDamaged(_ progress: Pipeline.Progress) throws -> Bool {
    guard let limit = state.lossGuard?.damage(guardSettings) else { return false }
    let text = String(format: "%.3f", limit)
    if state.lossGuard?.isRetry(step: state.step) ?? false {
      state.lossGuard?.acceptLevel()
      progress.note("\(folder.path): step \(state.step): the loss is above \(text) on other batches too: training continues")
      return false
    }
    guard (state.rollbacks ?? []).count < guardSettings.rollbacks else {
      state.lossGuard?.acceptLevel()
      progress.note("\(folder.path): step \(state.step): the loss stays above \(text), but no rollback is left; training continues")
      return false
    }
    try rollBack("the loss stays above \(text)", damage: true, progress)
    return true
  }

  /// Rolls back to the last good checkpoint, or to the initial model, and skips the batches seen since.
  ///
  /// Checkpoints of interruptions are not candidates, so that an interrupted run ends with the same bits. Later checkpoints are removed
  /// before the chosen one is rewritten with its new state: a run that is killed in between rolls back again when it resumes.
  /// - Parameter damage: whether the damage is older than the window of the loss guard, so that no checkpoint within it is good.
  /// - Throws: `WeirError` if the run has used up its rollbacks.
  func rollBack(_ reason: String, damage: Bool = false, _ progress: Pipeline.Progress) throws {
    guard ranks.isRoot else { return try broadcastState() }
    let failed = state.step, skipped = state.skippedBatches ?? 0, seconds = state.seconds, rollbacks = state.rollbacks ?? []
    guard rollbacks.count < guardSettings.rollbacks else {
      let tried = rollbacks.isEmpty ? "" : " after \(rollbacks.count) rollbacks"
      throw WeirError(
        folder.path, "training failed at step \(failed)\(tried): \(reason)", remedy: "lower the learning rate or check the data")
    }
    let last = damage ? failed - LossGuard.window : failed - 1
    let good = try folder.allCheckpoints().filter {
      guard $0.step <= last, Checkpoint.problem($0.path, step: $0.step, run: state.run) == nil else { return false }
      let state = try Checkpoint.state($0.path)
      return state.consecutiveSkips == 0 && state.isInterruption != true
    }
    // If the newest checkpoint was the target of the previous rollback and the run failed again, the damage may be older: go back further.
    let isStuck = !damage && good.last?.step == rollbacks.last?.to
    if let newest = isStuck ? good.dropLast().last ?? good.last : good.last {
      try read(newest.path)
    } else {
      try restart()
      state = Checkpoint.State(model: identity.model, run: state.run)
    }
    let target = state.step
    for later in try folder.allCheckpoints() + folder.allSelected() where later.step > target { try folder.removeCheckpoint(later.path) }
    if damage {
      state.lossGuard = state.lossGuard ?? LossGuard()
      state.lossGuard?.retry(from: target)
    }
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
  func finish(_ decision: CheckpointSelection.Decision?, _ progress: Pipeline.Progress) throws -> TrainingReport {
    try log.synchronize()
    try evaluations.synchronize()
    let c = identity.model, last = state, tokens = tokens
    let steps = try StepRecord.read(folder.log), loss = try recentLoss(steps)
    let errors = steps.compactMap { step in step.wholeDivergence.flatMap { whole in step.divergence.map { whole - $0 } } }
    if let step = decision?.step, step != last.step { try load(selected: step) }
    state = last
    guard steps.isEmpty || steps.contains(where: { $0.skipped == nil }) else {
      throw WeirError(
        folder.path, "no step trained anything: all \(steps.count) had NaN/Inf losses or gradients",
        remedy: "use a smaller weight of the loss's terms or a lower learning rate")
    }
    let skipped = Dictionary(steps.compactMap(\.skipped).map { ($0.rawValue, 1) }, uniquingKeysWith: +)
    let inputs = ["run": state.run, "data": source.fingerprint, "initial": identity.initial]
    for (path, weights) in [(folder.model, exported)] + (average == nil ? [] : [(folder.lastModel, model.parameters)]) {
      try ModelFolder.write(
        path, configuration: c, parameters: weights, adapter: adapter, origin: initial.folder, tokenizer: tokenizer,
        endOfDocument: endOfDocument, inputs: inputs, counts: ["steps": decision?.step ?? last.step, "tokens": tokens])
    }
    if let adapter {
      try AdapterFolder.write(folder.adapter, adapter, base: identity.initial, origin: initial.folder ?? "", inputs: ["run": state.run])
    }
    let evaluations = records.current(validation)
    let report = TrainingReport(
      steps: last.step, tokens: tokens, parameters: c.parameters, nonEmbeddingParameters: c.nonEmbeddingParameters,
      flops: Double(last.step * batchTokens) * configuration.flopsPerToken(c, context: source.sequence), loss: loss,
      divergence: lastDivergence, divergenceError: errors.isEmpty ? nil : errors.reduce(0, +) / Double(errors.count),
      evaluations: evaluations, seconds: state.seconds, tokensPerSecond: Double(tokens) / max(state.seconds, 1e-9),
      model: folder.model, rollbacks: state.rollbacks, skipped: skipped.isEmpty ? nil : skipped,
      batches: last.step + (state.skippedBatches ?? 0), selection: decision,
      changes: evaluatesInitial ? LossChange.all(evaluations, step: decision?.step ?? last.step) : nil)
    try JSONFile.write(report, to: folder.report)
    try folder.seal()
    try folder.removePassingCheckpoints()
    if let (from, to) = rise(of: loss, report), to > from + guardSettings.margin {
      let rise = String(format: "from %.3f to %.3f", from, to)
      progress.note("\(folder.path): the loss rose \(rise); lower the learning rate or check the data")
    }
    return report
  }

  /// The fewest steps whose first and last losses are compared; in shorter runs they are those of different data.
  private static let comparedSteps = 20

  /// The loss before and after the run: on held-out text of the target if there is any, else of its own steps, if they are enough.
  private func rise(of loss: Double, _ report: TrainingReport) -> (from: Double, to: Double)? {
    if let target = report.changes?.first(where: { $0.role == nil }) { return (target.start, target.end) }
    guard report.steps >= Self.comparedSteps, let first = state.lossGuard?.first else { return nil }
    return (first, loss)
  }

  /// The mean loss of the last tenth of the steps, at most 100.
  private func recentLoss(_ steps: [StepRecord]) throws -> Double {
    let losses = steps.suffix(min(100, max(1, state.step / 10))).map(\.loss).filter(\.isFinite)
    guard !losses.isEmpty else {
      throw WeirError(folder.path, "the loss of the last steps is NaN or infinite", remedy: "lower the learning rate or check the data")
    }
    return losses.reduce(0, +) / Double(losses.count)
  }
}
