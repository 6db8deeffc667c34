import Primitives

/// Which of the evaluated models a run ends with, and when it stops early.
///
/// Every decision is a function of the evaluations on record, so that an interrupted run decides the same.
package struct CheckpointSelection: Codable, Sendable, Equatable {
  package enum Rule: String, Codable, Sendable, CaseIterable {
    /// The model after the last step.
    case last
    /// The model with the lowest loss on a held-out set; with a budget, of those within it.
    case best
    /// The last model within the budget.
    case budget
  }

  /// A validation set that decides. Its content belongs to the run: on other documents, the run would be another one.
  package struct Judge: Codable, Sendable, Equatable {
    package var name: String
    /// The fingerprint of its documents.
    package var data: String

    package init(_ set: ValidationSet) { (name, data) = (set.name, set.fingerprint) }
  }

  package var rule: Rule
  /// The set whose lowest loss is the best, and whose improvements `patience` counts.
  package var target: Judge?
  /// The most that the loss on any of `sources` may rise above that of the initial model, in nats/token. The run stops at the first evaluation
  /// that is above it.
  package var budget: Double?
  /// The sets that the budget applies to.
  package var sources: [Judge]
  /// Evaluations in a row without a new lowest loss on `target` after which the run stops.
  package var patience: Int?

  package init(_ rule: Rule, target: Judge? = nil, budget: Double? = nil, sources: [Judge] = [], patience: Int? = nil) {
    (self.rule, self.target, self.budget, self.sources, self.patience) = (rule, target, budget, sources, patience)
  }

  func validate() throws {
    func require(_ condition: Bool, _ property: String, _ reason: @autoclosure () -> String) throws {
      if !condition { throw WeirError(property, reason()) }
    }
    if let budget {
      try require(budget >= 0 && budget.isFinite, "selection.budget", "must be a finite number of nats ≥ 0, not \(budget)")
      try require(!sources.isEmpty, "selection.budget", "needs held-out documents of what the model knew")
      try require(rule != .last, "selection.rule", "with a budget, the last model may be beyond it; use budget or best")
    } else {
      try require(rule != .budget, "selection.rule", "budget needs a budget for the rise of the loss")
    }
    if let patience { try require(patience > 0, "selection.patience", "must be at least 1 evaluation, not \(patience)") }
    try require(
      target != nil || rule != .best && patience == nil, "selection.rule", "the best model, or patience, needs held-out documents")
  }
}

extension CheckpointSelection {
  package enum StopReason: String, Codable, Sendable {
    case budget, patience
  }

  /// What the evaluations up to a step decide.
  package struct Decision: Codable, Sendable, Equatable {
    /// The step of the model to keep, 0 for the initial one; for the rule `last`, the step of the last evaluation.
    package var step: Int
    /// The largest rise of the loss on `sources` at that step, in nats/token; nil without a budget.
    package var rise: Double?
    /// Why the run stops; nil if it continues.
    package var stop: StopReason?
    /// The step of the evaluation that stops it.
    package var stopStep: Int?
    /// The largest rise at that step.
    package var stopRise: Double?
  }

  /// The decision after the evaluations in `records`; nil before the first one.
  /// - Throws: `WeirError` if the loss of the initial model is missing.
  package func decide(_ records: [EvaluationRecord], place: String) throws -> Decision? {
    func losses(_ judge: Judge) -> [Int: Double] {
      Dictionary(records.filter { $0.name == judge.name && $0.data == judge.data }.map { ($0.step, $0.result.loss) }) { $1 }
    }
    let onTarget = target.map(losses), onSources = sources.map(losses)
    let judged = [onTarget].compactMap(\.self) + onSources
    let steps = (judged.first.map { Array($0.keys) } ?? []).filter { step in judged.allSatisfy { $0[step] != nil } }.sorted()
    guard let first = steps.first else { return nil }
    guard first == 0 else {
      throw WeirError(
        place, "lacks the losses of the initial model, which decide which model the run keeps", remedy: "remove the run and train again")
    }
    func rise(_ step: Int) -> Double? {
      budget == nil ? nil : onSources.compactMap { losses in losses[step].flatMap { loss in losses[0].map { loss - $0 } } }.max()
    }
    var decision = Decision(step: 0, rise: rise(0)), lowest = Double.infinity, lowestKept = Double.infinity, idle = 0
    for step in steps {
      let rise = rise(step), loss = onTarget?[step] ?? .infinity
      let isWithin = budget.map { (rise ?? .infinity) <= $0 } ?? true
      if isWithin, rule != .best || loss < lowestKept {
        (decision.step, decision.rise, lowestKept) = (step, rise, loss)
      }
      idle = loss < lowest ? 0 : idle + 1
      lowest = min(lowest, loss)
      let stop: StopReason? = !isWithin ? .budget : patience.map { idle >= $0 } ?? false ? .patience : nil
      if let stop {
        (decision.stop, decision.stopStep, decision.stopRise) = (stop, step, rise)
        break
      }
    }
    return decision
  }
}
