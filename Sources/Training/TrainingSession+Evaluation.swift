import Foundation
import Pipeline
import Storage

extension TrainingSession {
  /// Evaluates validation sets.
  /// - Returns: false if a loss was NaN or infinite and the run rolled back.
  func evaluate(_ sets: [ValidationSet], _ progress: Pipeline.Progress) throws -> Bool {
    guard let evaluator else { return true }
    for set in sets {
      let result = try evaluator.evaluate(set.documents, ranks: ranks)
      guard result.loss.isFinite else {
        try rollBack("the loss on \(set.name) is NaN or infinite", progress)
        return false
      }
      let record = EvaluationRecord(
        step: state.step, tokens: state.step * batchTokens, name: set.name, data: set.fingerprint, result: result)
      try evaluations.append(record.line)
      records.append(record)
    }
    return true
  }
}

extension EvaluationRecord {
  /// The line in the log, without its newline, with the members in the order of their declaration.
  var line: String {
    get throws {
      func json(_ value: some Encodable) throws -> String { String(decoding: try JSONFile.encode(value), as: UTF8.self) }
      let members = [
        ("step", "\(step)"), ("tokens", "\(tokens)"), ("name", try json(name)), ("data", try json(data)), ("result", try json(result)),
      ]
      return "{" + members.map { "\"\($0)\": \($1)" }.joined(separator: ", ") + "}"
    }
  }
}
