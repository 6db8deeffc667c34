import Primitives

/// How `LawFitter` fits and compares laws.
package struct FitConfiguration: Codable, Sendable, Equatable {
  /// δ: the log-loss residual at which the Huber loss turns from quadratic to linear.
  package var delta = 1e-3
  /// Starting points of the optimization: a grid, then random points drawn from the priors.
  package var starts = 80
  /// Starting points that advance from a short optimization to the full one.
  package var refined = 8
  /// Maximum L-BFGS iterations of the full optimization.
  package var iterations = 1_000
  /// Bootstrap resamples of the trunks or runs; 0 for no intervals.
  package var bootstrap = 200
  /// Coverage of the bootstrap intervals, 0…1.
  package var level = 0.9
  /// Weight of the priors; 0 for none. A fit that diverges without is repeated with weight 1, and says so.
  package var priorWeight = 0.0
  /// R* of repeated tokens: where its fit starts, and its value where it is not fitted.
  package var repetition = Repetition.standard
  /// Whether to fit R* where runs repeat tokens.
  package var fitsRepetition = true
  /// Whether to select the law by its error on held-out runs.
  package var holdsOut = true
  /// Random seed of the starting points and the resamples.
  package var seed: UInt64 = 0

  package init() {}

  /// - Throws: `WeirError` that names the first invalid property.
  package func validate() throws {
    guard delta.isFinite, delta > 0 else { throw WeirError("delta", "is \(delta), not a finite number above 0") }
    guard starts > 0 else { throw WeirError("starts", "is \(starts), not 1 or more") }
    guard refined > 0 else { throw WeirError("refined", "is \(refined), not 1 or more") }
    guard (1...1_000_000).contains(iterations) else { throw WeirError("iterations", "is \(iterations), not from 1 to 1000000") }
    guard bootstrap >= 0 else { throw WeirError("bootstrap", "is \(bootstrap), not 0 or more") }
    guard level > 0, level < 1 else { throw WeirError("level", "is \(level), not between 0 and 1") }
    guard priorWeight.isFinite, priorWeight >= 0 else { throw WeirError("priorWeight", "is \(priorWeight), not 0 or more") }
    guard repetition.isFinite, repetition > 0 else { throw WeirError("repetition", "is \(repetition), not a finite number above 0") }
  }
}
