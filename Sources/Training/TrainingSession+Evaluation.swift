import Foundation
import Pipeline
import Storage

extension TrainingSession {
  /// Evaluates all validation sets.
  /// - Returns: false if a loss was NaN or infinite and the run rolled back.
  func evaluate(_ progress: Pipeline.Progress) throws -> Bool {
    guard let evaluator else { return true }
    for set in validation {
      let result = try evaluator.evaluate(set.documents, ranks: ranks)
      guard result.loss.isFinite else {
        try rollBack("the loss on \(set.name) is NaN or infinite", progress)
        return false
      }
      func json(_ value: some Encodable) throws -> String { String(decoding: try JSONFile.encode(value), as: UTF8.self) }
      let members = [
        ("step", "\(state.step)"), ("tokens", "\(state.step * batchTokens)"), ("name", try json(set.name)), ("result", try json(result)),
      ]
      try evaluations.append("{" + members.map { "\"\($0)\": \($1)" }.joined(separator: ", ") + "}")
    }
    return true
  }

  /// Whether the evaluation after the last step is on record; true without validation sets.
  func isFinalEvaluationDone() throws -> Bool { try validation.isEmpty || evaluationRecords().contains { $0.step == total } }

  func evaluationRecords() throws -> [EvaluationRecord] { try RunLog.records(EvaluationRecord.self, folder.evaluations) }
}
