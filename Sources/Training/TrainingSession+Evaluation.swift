import Foundation
import Pipeline
import Primitives
import Storage

extension TrainingSession {
  /// Evaluates the initial model on the sets that have no record of it.
  func evaluateInitialModel() throws {
    guard let evaluator, state.step == 0 else { return }
    let missing = Set(try ranks.broadcast { records.missing(validation, step: 0).map(\.name) })
    for set in validation where missing.contains(set.name) {
      let result = try evaluator.evaluate(set.documents, ranks: ranks)
      guard result.loss.isFinite else {
        throw WeirError(initial.folder ?? folder.path, "the loss of the initial model on \(set.name) is NaN or infinite")
      }
      try add(EvaluationRecord(step: 0, tokens: 0, set, result))
    }
  }

  private func add(_ record: EvaluationRecord) throws {
    try evaluations.append(record.line)
    records.append(record)
  }

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
      try add(EvaluationRecord(step: state.step, tokens: tokens, set, result))
    }
    return true
  }
}

extension EvaluationRecord {
  package init(step: Int, tokens: Int, _ set: ValidationSet, _ result: Evaluation) {
    self.init(step: step, tokens: tokens, name: set.name, data: set.fingerprint, role: set.role, result: result)
  }

  /// The line in the log, without its newline, with the members in the order of their declaration.
  var line: String {
    get throws {
      func json(_ value: some Encodable) throws -> String { String(decoding: try JSONFile.encode(value), as: UTF8.self) }
      let role = try role.map { [("role", try json($0))] } ?? []
      let members =
        [("step", "\(step)"), ("tokens", "\(tokens)"), ("name", try json(name)), ("data", try json(data))] + role
        + [("result", try json(result))]
      return "{" + members.map { "\"\($0)\": \($1)" }.joined(separator: ", ") + "}"
    }
  }
}
