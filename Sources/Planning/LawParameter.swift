import Foundation

/// The scale of the runs that a law is fitted to: it centres coordinates and priors, so that neither depends on units.
package struct LawScale: Sendable, Equatable {
  /// Mean of ln N.
  package var logN: Double
  /// Mean of ln D.
  package var logD: Double
  /// Mean of ln(D + D′).
  package var logTokens: Double
  /// Geometric mean of the positive D′.
  package var dPrime: Double
  /// The lowest measured loss, nats a token.
  package var loss: Double

  /// A scale of ones, for what does not depend on it.
  package static let unit = LawScale(logN: 0, logD: 0, logTokens: 0, dPrime: 1, loss: 1)
}

/// One parameter of a law: its way into an unconstrained coordinate, and its prior.
///
/// The priors are ours. Each is a normal in ln v, v the parameter at the scale of the data, and weighs as half a squared
/// residual of one δ at one spread: a run counts for more, so that many runs drown it, and a dozen runs that leave an
/// exponent open do not send it to infinity.
package struct LawParameter: Sendable {
  /// How an unconstrained coordinate u becomes the parameter θ. v is the positive value that the prior speaks of.
  package enum Form: Sendable, Equatable {
    /// θ = v = exp u.
    case log
    /// v = exp u, θ = v·exp(θ_exponent·reference): a coefficient of x^(−exponent) as its term's size at ln x = reference,
    /// which takes the correlation of coefficient and exponent away.
    case coefficient(exponent: Int, reference: Double)
    /// θ = v = ln(1 + exp u).
    case softplus
    /// v = ln(1 + exp u), θ = v + θ_slope·reference: positive at ln x = reference.
    case shifted(slope: Int, reference: Double)
  }

  /// The symbol.
  package var name: String
  /// The way into the coordinate.
  package var form: Form
  /// The prior's median of v.
  package var centre: Double
  /// The prior's standard deviation of ln v.
  package var spread: Double

  /// Creates a parameter.
  package init(_ name: String, _ form: Form, centre: Double, spread: Double) {
    self.name = name
    self.form = form
    self.centre = centre
    self.spread = spread
  }
}

extension LawParameter {
  // The parts that the laws share. An exponent of 0.35 is what the Chinchilla refit (2404.10102) found.
  static func floor(_ scale: LawScale) -> LawParameter { LawParameter("E", .log, centre: 0.5 * scale.loss, spread: 1) }
  static func sizeTerm(_ scale: LawScale, exponent: Int) -> LawParameter {
    LawParameter("A", .coefficient(exponent: exponent, reference: scale.logN), centre: 0.2 * scale.loss, spread: 2)
  }
  static func dataTerm(_ scale: LawScale, exponent: Int, reference: Double) -> LawParameter {
    LawParameter("B", .coefficient(exponent: exponent, reference: reference), centre: 0.2 * scale.loss, spread: 2)
  }
  static func exponent(_ name: String) -> LawParameter { LawParameter(name, .softplus, centre: 0.35, spread: 1) }
  static func gap(_ scale: LawScale) -> LawParameter { LawParameter("G", .log, centre: 0.1 * scale.loss, spread: 2) }
  static func onset(_ scale: LawScale) -> LawParameter { LawParameter("s", .log, centre: 0.3 * scale.dPrime, spread: 2) }
  /// R* of repeated tokens; 15.4 is Muennighoff et al.'s (2305.16264).
  static let repetition = LawParameter("R*", .log, centre: Repetition.standard, spread: 0.5)
}
