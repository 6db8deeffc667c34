import Foundation
import Primitives

/// The direction of the divergence in label annealing.
package enum AnnealingDirection: String, Codable, Sendable, CaseIterable {
  /// KL(p_θ ‖ p_θ0), as in the paper.
  case reverse = "student"
  /// KL(p_θ0 ‖ p_θ), as in knowledge distillation.
  case forward = "teacher"
}

/// The distributions that the temperature applies to.
package enum AnnealingSide: String, Codable, Sendable, CaseIterable {
  /// Both, as in the paper.
  case both
  /// Only the model being finetuned.
  case student
  /// Only the frozen model.
  case teacher
}

/// How λ changes over the run. The paper's is constant; the others are ours.
package enum AnnealingSchedule: String, Codable, Sendable, CaseIterable {
  case constant
  /// From λ in the first step to 0 after the last, linearly.
  case linear
  /// The same along half a cosine.
  case cosine
}

/// The additional loss term of label annealing (Yang et al., FITML 2024): λ·KL between the model and its frozen initial weights on the
/// same batch, mean over the same targets, at temperature T. Unlike in distillation, there is no factor T².
package struct Annealing: Codable, Sendable, Equatable {
  /// λ, in the first step if it has a schedule.
  package var lambda: Double
  /// T, constant over the run.
  package var temperature: Double
  package var direction: AnnealingDirection
  package var side: AnnealingSide
  /// nil for constant.
  package var schedule: AnnealingSchedule?
  /// The tokens per position whose probability under the frozen model is stored for all epochs (ours); nil to compute all in every step.
  package var cached: Int?

  package init(
    lambda: Double, temperature: Double = 1, direction: AnnealingDirection = .reverse, side: AnnealingSide = .both,
    schedule: AnnealingSchedule? = nil
  ) {
    (self.lambda, self.temperature, self.direction, self.side, self.schedule) = (lambda, temperature, direction, side, schedule)
  }

  /// The term in step `step` (from 0) of `total`.
  func at(step: Int, total: Int) -> Annealing {
    var now = self
    let fraction = Double(step) / Double(max(1, total))
    switch schedule ?? .constant {
    case .constant: break
    case .linear: now.lambda = lambda * (1 - fraction)
    case .cosine: now.lambda = lambda / 2 * (1 + cos(Double.pi * fraction))
    }
    return now
  }

  func validate() throws {
    guard lambda.isFinite, lambda >= 0 else { throw WeirError("annealing.lambda", "must be a finite number ≥ 0, not \(lambda)") }
    guard temperature.isFinite, temperature > 0 else {
      throw WeirError("annealing.temperature", "must be positive, not \(temperature)")
    }
    if let cached, !(1...TeacherCache.limit).contains(cached) {
      throw WeirError("annealing.cached", "must be in 1…\(TeacherCache.limit), not \(cached)")
    }
  }
}
