import Pipeline
import Primitives
import Storage

extension TrainingSession {
  /// When a decision is made.
  enum SelectionMoment {
    /// Before a step, when the run starts, resumes or has rolled back.
    case start
    case evaluation
    /// After the last step, so that the last model needs no copy.
    case end
  }

  /// Decides by the evaluations so far, and keeps the model if it is the one to end with.
  /// - Returns: the decision; nil if evaluations decide nothing.
  func select(at moment: SelectionMoment, _ progress: Pipeline.Progress) throws -> CheckpointSelection.Decision? {
    guard let selection = configuration.selection else { return nil }
    return try ranks.broadcast {
      guard let decision = try selection.decide(records, place: folder.evaluations) else { return nil }
      if selection.rule != .last { try keep(decision, at: moment) }
      if moment == .evaluation, let stop = decision.stop, decision.stopStep == state.step {
        let reason =
          stop == .budget
          ? "a source loss is \(Format.fixed(decision.stopRise, 3)) nats above the initial model's" : "the target loss no longer falls"
        progress.note("\(folder.path): step \(state.step): \(reason); keeping the model of step \(decision.step)")
      }
      return decision
    }
  }

  /// Writes the chosen model beside the checkpoints, unless it is there.
  private func keep(_ decision: CheckpointSelection.Decision, at moment: SelectionMoment) throws {
    let path = folder.selected(step: decision.step)
    if decision.step == 0 || moment == .end && decision.step == state.step { return }
    // The checksums of a large model take time, so they are not computed at every evaluation.
    if moment == .evaluation ? Files.exists(path) : Checkpoint.problem(path, step: decision.step, run: state.run) == nil { return }
    guard decision.step == state.step else {
      throw WeirError(
        path, "the model that the run would end with is missing or damaged", remedy: "restore it, or remove the run and train again")
    }
    try writeCheckpoint(path)
    try removeUnselected()
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
