import Foundation
import Pipeline

/// The loss on a validation set at one step of a run; a line of `evaluations.jsonl`.
package struct EvaluationRecord: Codable, Sendable, Equatable {
  /// Steps done.
  package var step: Int
  /// Tokens seen.
  package var tokens: Int
  /// The name of the validation set.
  package var name: String
  /// The fingerprint of its documents; nil in records of earlier versions.
  package var data: String?
  /// The set's role; nil for held-out text of the target.
  package var role: ValidationSet.Role?
  package var result: Evaluation
}

/// The result of a finished run; `report.json`.
package struct TrainingReport: Codable, Sendable, Equatable {
  package var steps: Int
  /// Tokens seen; of finetuning data, those without padding.
  package var tokens: Int
  package var parameters: Int
  /// Parameters without the embedding and the output matrix: the N of the scaling laws.
  package var nonEmbeddingParameters: Int
  /// Floating-point operations of all steps, by formula.
  package var flops: Double
  /// Mean training loss of the last tenth of the log, at most 100 lines, in nats/token.
  package var loss: Double
  /// Mean divergence from the initial model in the last step, in nats/token; nil without label annealing.
  package var divergence: Double?
  /// By how much the divergence from stored predictions was below that from all tokens, on average over the first steps, in nats/token; nil
  /// without stored predictions.
  package var divergenceError: Double?
  /// All evaluations, in the order of the run.
  package var evaluations: [EvaluationRecord]
  /// Wall time of all steps.
  package var seconds: Double
  package var tokensPerSecond: Double
  /// The folder of the final model.
  package var model: String
  /// nil if there were none.
  package var rollbacks: [LossGuard.Rollback]?
  /// Skipped steps by reason, without those that a rollback discarded; nil if there were none.
  package var skipped: [String: Int]?
  /// Batches read, with those that rollbacks skipped; nil in reports of earlier versions.
  package var batches: Int?
  /// Which of the evaluated models this one is, if evaluations decided.
  package var selection: CheckpointSelection.Decision?
  /// The losses before and after, if the initial model was evaluated.
  package var changes: [LossChange]?

  /// What the loss guard did, in words; nil if it did nothing.
  package var guardSummary: String? {
    let reasons = (skipped ?? [:]).sorted { $0.key < $1.key }
    var parts: [String] = []
    if !reasons.isEmpty {
      let names = reasons.map { "\($0.value) \($0.key == LossGuard.Rejection.nan.rawValue ? "with NaN/Inf" : "with a loss spike")" }
      parts.append("skipped \(reasons.reduce(0) { $0 + $1.value }) of \(steps) steps (\(names.joined(separator: ", ")))")
    }
    if let rollbacks { parts.append("rolled back \(rollbacks.count == 1 ? "once" : "\(rollbacks.count) times")") }
    return parts.isEmpty ? nil : "loss guard: " + parts.joined(separator: ", ")
  }

  /// Which model evaluations chose, in words; nil if they decided nothing.
  package var selectionSummary: String? {
    guard let selection else { return nil }
    var text = selection.step == steps ? "kept the last model" : "kept the model of step \(selection.step)"
    if selection.step == 0 { text = "kept the initial model" }
    if let rise = selection.rise { text += ", judged source loss \(String(format: "%+.3f", rise)) nats" }
    switch selection.stop {
    case .budget: text += "; stopped at step \(steps), beyond the budget (\(String(format: "%+.3f", selection.stopRise ?? .nan)))"
    case .patience: text += "; stopped at step \(steps), as the target loss no longer fell"
    case nil: break
    }
    return text
  }

  /// The step of the run's model.
  package var modelStep: Int { selection?.step ?? steps }

  /// The evaluations of the run's model, one per validation set.
  package var final: [EvaluationRecord] { evaluations.filter { $0.step == modelStep } }
}
