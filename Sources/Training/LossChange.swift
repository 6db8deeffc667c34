/// The loss on a held-out set before a run, at its lowest, and of the model that the run ends with.
package struct LossChange: Codable, Sendable, Equatable {
  /// The name of the validation set.
  package var name: String
  /// Nil for held-out text of the target.
  package var role: ValidationSet.Role?
  /// Of the initial model, in nats/token.
  package var start: Double
  /// The lowest at any evaluation.
  package var best: Double
  /// The step of the lowest.
  package var bestStep: Int
  /// Of the run's model.
  package var end: Double
  /// end − start: forgetting on a source, the negative gain on a target.
  package var rise: Double

  /// The changes on every set that was evaluated before the first step, in the order of the records.
  /// - Parameter step: the step of the run's model.
  static func all(_ records: [EvaluationRecord], step: Int) -> [LossChange] {
    records.filter { $0.step == 0 }.compactMap { first in
      let same = records.filter { $0.name == first.name && $0.data == first.data }
      guard let end = same.last(where: { $0.step == step }),
        let best = same.min(by: { ($0.result.loss, $0.step) < ($1.result.loss, $1.step) })
      else { return nil }
      return LossChange(
        name: first.name, role: first.role, start: first.result.loss, best: best.result.loss, bestStep: best.step,
        end: end.result.loss, rise: end.result.loss - first.result.loss)
    }
  }
}
