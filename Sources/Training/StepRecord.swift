import Foundation
import Storage

/// One training step; a line of `log.jsonl`.
package struct StepRecord: Decodable, Sendable, Equatable {
  /// Steps done, this one included.
  package var step: Int
  /// Tokens seen, including those of skipped steps.
  package var tokens: Int
  /// Mean cross-entropy of the batch, in nats/token. NaN and infinities are `null` in the log and read as NaN.
  package var loss: Double
  package var learningRate: Double
  /// Global norm of the gradient before clipping; NaN as for `loss`.
  package var gradientNorm: Double
  /// Mean divergence from the initial model, in nats/token; nil without label annealing.
  package var divergence: Double?
  /// The same from all tokens of the initial model, in the first steps of a run that stores only some; otherwise nil.
  package var wholeDivergence: Double?
  /// The z-loss term of the loss; nil if it is not used.
  package var zLoss: Double?
  /// Why the step did not update the weights; nil if it did.
  package var skipped: LossGuard.Rejection?
  /// Wall time of the step.
  package var seconds: Double
  package var tokensPerSecond: Double

  enum CodingKeys: String, CodingKey {
    case step, tokens, loss, divergence, skipped, seconds
    case learningRate = "lr"
    case gradientNorm = "grad_norm"
    case wholeDivergence = "divergence_whole"
    case zLoss = "z_loss"
    case tokensPerSecond = "tokens_per_second"
  }
}

extension StepRecord {
  package init(from decoder: any Decoder) throws {
    let members = try decoder.container(keyedBy: CodingKeys.self)
    func number(_ key: CodingKeys) throws -> Double { try members.decodeIfPresent(Double.self, forKey: key) ?? .nan }
    func optional(_ key: CodingKeys) throws -> Double? { members.contains(key) ? try number(key) : nil }
    self.init(
      step: try members.decode(Int.self, forKey: .step), tokens: try members.decode(Int.self, forKey: .tokens), loss: try number(.loss),
      learningRate: try number(.learningRate), gradientNorm: try number(.gradientNorm), divergence: try optional(.divergence),
      wholeDivergence: try optional(.wholeDivergence), zLoss: try optional(.zLoss),
      skipped: try members.decodeIfPresent(LossGuard.Rejection.self, forKey: .skipped),
      seconds: try number(.seconds), tokensPerSecond: try number(.tokensPerSecond))
  }

  /// The line in the log, without its newline. It is not written by JSONEncoder, which cannot keep the order of the members, write `null`
  /// for NaN, or round the timings.
  package var line: String {
    func exact(_ value: Double) -> String { value.isFinite ? "\(value)" : "null" }
    func rounded(_ value: Double) -> String { String(format: "%.4g", value) }
    var members: [(CodingKeys, String)] = [
      (.step, "\(step)"), (.tokens, "\(tokens)"), (.loss, exact(loss)), (.learningRate, exact(learningRate)),
      (.gradientNorm, exact(gradientNorm)),
    ]
    if let divergence { members.append((.divergence, exact(divergence))) }
    if let wholeDivergence { members.append((.wholeDivergence, exact(wholeDivergence))) }
    if let zLoss { members.append((.zLoss, exact(zLoss))) }
    if let skipped { members.append((.skipped, "\"\(skipped.rawValue)\"")) }
    members += [(.seconds, rounded(seconds)), (.tokensPerSecond, rounded(tokensPerSecond))]
    return "{" + members.map { "\"\($0.rawValue)\": \($1)" }.joined(separator: ", ") + "}"
  }

  /// The steps in a log; rollbacks are left out.
  package static func read(_ path: String) throws -> [StepRecord] {
    try LogEntry.read(path).compactMap { if case .step(let record) = $0 { record } else { nil } }
  }
}

/// A line of `log.jsonl`.
package enum LogEntry: Decodable, Sendable, Equatable {
  case step(StepRecord)
  case rollback(RollbackRecord)

  package init(from decoder: any Decoder) throws {
    enum Kind: String, CodingKey { case event }
    if try decoder.container(keyedBy: Kind.self).contains(.event) {
      self = .rollback(try RollbackRecord(from: decoder))
    } else {
      self = .step(try StepRecord(from: decoder))
    }
  }

  /// All lines of a log, in order.
  package static func read(_ path: String) throws -> [LogEntry] { try RunLog.records(LogEntry.self, path) }
}

/// A rollback; a line of `log.jsonl` after the line of the last step that was kept.
package struct RollbackRecord: Codable, Sendable, Equatable {
  /// The last step that was kept.
  package var step: Int
  package var event = "rollback"
  /// The step after which the run rolled back.
  package var from: Int
  /// The step of the checkpoint it rolled back to.
  package var to: Int
  package var reason: String
}
