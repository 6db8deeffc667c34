import Primitives

/// How laws are fitted and compared.
package struct FitConfiguration: Codable, Sendable, Equatable {
  /// Where Huber's loss of a log-loss residual turns from square to straight.
  package var delta = 1e-3
  /// Places the descent starts from: a grid, then random draws around the priors.
  package var starts = 80
  /// Of those, how many the short first descent hands on to the long one.
  package var refined = 8
  /// L-BFGS steps of the long descent, at most.
  package var iterations = 1_000
  /// Bootstrap resamples of the runs for intervals; 0 for none.
  package var bootstrap = 200
  /// The share of resamples inside an interval.
  package var level = 0.9
  /// The weight of the priors; 0 for none, which needs many clean runs.
  package var priorWeight = 1.0
  /// R* of repeated tokens: where the fit starts, and the value where it is not fitted.
  package var repetition = Repetition.standard
  /// Whether R* is fitted where runs repeat tokens.
  package var fitsRepetition = true
  /// Whether laws are compared by what they predict beyond the runs they are fitted to.
  package var holdsOut = true
  /// The seed of starts and resamples.
  package var seed: UInt64 = 0

  /// Creates the defaults.
  package init() {}

  /// Checks every value.
  /// - Throws: `WeirError` naming the flag.
  package func validate() throws {
    guard delta.isFinite, delta > 0 else { throw WeirError("--delta", "is \(delta), but has to be above 0") }
    guard starts > 0 else { throw WeirError("--starts", "is \(starts), but has to be 1 or more") }
    guard refined > 0 else { throw WeirError("--refined", "is \(refined), but has to be 1 or more") }
    guard (1...1_000_000).contains(iterations) else {
      throw WeirError("--iterations", "is \(iterations), but has to be from 1 to 1000000")
    }
    guard bootstrap >= 0 else { throw WeirError("--bootstrap", "is \(bootstrap), but can't be negative") }
    guard level > 0, level < 1 else { throw WeirError("--level", "is \(level), but has to be between 0 and 1") }
    guard priorWeight.isFinite, priorWeight >= 0 else { throw WeirError("--prior", "is \(priorWeight), but can't be negative") }
    guard repetition.isFinite, repetition > 0 else { throw WeirError("--repetition", "is \(repetition), but has to be above 0") }
  }
}
