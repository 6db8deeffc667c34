import Pipeline
import Primitives
import Storage

extension TrainingSession {
  /// Decides by the evaluations so far, and keeps the model if it is the one to end with.
  /// - Parameter atEnd: whether the run ends now, so that its last model needs no copy.
  /// - Returns: the decision; nil if evaluations decide nothing.
  func select(atEnd: Bool = false, _ progress: Pipeline.Progress) throws -> CheckpointSelection.Decision? {
    guard let selection = configuration.selection else { return nil }
    return try ranks.broadcast {
      let decision = try selection.decide(records, place: folder.evaluations)
      guard let decision, selection.rule != .last else { return decision }
      let path = folder.selected(step: decision.step)
      let isKept = decision.step == 0 || atEnd && decision.step == state.step
      let isMissing = !isKept && Checkpoint.problem(path, step: decision.step, run: state.run) != nil
      if isMissing {
        guard decision.step == state.step else {
          throw WeirError(
            path, "the model that the run would end with is missing or damaged", remedy: "restore it, or remove the run and train again")
        }
        try writeCheckpoint(path)
        try removeUnselected()
      }
      if !atEnd, let stop = decision.stop, decision.stopStep == state.step {
        let reason =
          stop == .budget
          ? "a source loss is \(Format.fixed(decision.stopRise, 3)) nats above the initial model's" : "the target loss no longer falls"
        progress.note("\(folder.path): step \(state.step): \(reason); keeping the model of step \(decision.step)")
      }
      return decision
    }
  }

  /// Removes the kept models that neither the run nor a rollback can end with: those that no checkpoint's evaluations choose.
  func removeUnselected() throws {
    guard ranks.isRoot, let selection = configuration.selection, selection.rule != .last else { return }
    var needed: Set<Int> = []
    for step in try folder.allCheckpoints().map(\.step) + [state.step] {
      if let chosen = try selection.decide(records.filter { $0.step <= step }, place: folder.evaluations) { needed.insert(chosen.step) }
    }
    for old in try folder.allSelected() where !needed.contains(old.step) { try folder.removeCheckpoint(old.path) }
  }

  /// Loads the model to end with.
  func load(selected step: Int) throws {
    try step == 0 ? restart() : read(folder.selected(step: step))
  }
}
