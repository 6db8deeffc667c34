/// The direction of the divergence in label annealing.
package enum AnnealingDirection: String, Codable, Sendable, CaseIterable {
  /// KL(p_θ ‖ p_θ0), as in the paper.
  case student
  /// KL(p_θ0 ‖ p_θ).
  case teacher
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

/// The additional loss term of label annealing (Yang et al., FITML 2024): λ·KL between the model and its frozen initial weights on the
/// same batch, mean over the same targets, at temperature T. Unlike in distillation, there is no factor T².
package struct Annealing: Codable, Sendable, Equatable {
  /// λ, constant over the run.
  package var lambda: Double
  /// T, constant over the run.
  package var temperature: Double
  package var direction: AnnealingDirection
  package var side: AnnealingSide

  package init(lambda: Double, temperature: Double = 1, direction: AnnealingDirection = .student, side: AnnealingSide = .both) {
    self.lambda = lambda
    self.temperature = temperature
    self.direction = direction
    self.side = side
  }
}
