import Foundation

/// The scale of the runs that a law is fitted to. It centers coordinates and priors, so that neither depends on the units.
package struct LawScale: Sendable, Equatable {
  /// Mean of ln N.
  package var logN: Double
  /// Mean of ln D.
  package var logD: Double
  /// Mean of ln(D + D′).
  package var logTokens: Double
  /// Geometric mean of the positive D′.
  package var dPrime: Double
  /// The lowest measured loss, nats/token.
  package var loss: Double
  /// The number of sources of the mixture; 0 where there is none.
  package var sources = 0

  /// All references at 1, for uses that do not depend on the scale.
  package static let unit = LawScale(logN: 0, logD: 0, logTokens: 0, dPrime: 1, loss: 1)
}

/// One parameter of a law: the map from an unconstrained coordinate, and the prior.
///
/// A prior is normal in ln v, where v is the parameter at the scale of the data. One spread from its center it costs as much as a residual of
/// one δ. Starting points are drawn from the priors; a fit uses them only where it is asked to, or where it diverges without. The priors are
/// extensions of Weir.
package struct LawParameter: Sendable {
  /// The map from a coordinate u to the scaled value v, on which the prior is defined, and to the parameter θ.
  package enum Form: Sendable, Equatable {
    /// θ = v = exp u.
    case log
    /// v = exp u, θ = v·exp(θ_exponent·reference): a coefficient of x^(−exponent). v is the value of that term at ln x = reference, which
    /// removes the correlation between coefficient and exponent.
    case coefficient(exponent: Int, reference: Double)
    /// The same for a coefficient of y^growth/x^exponent.
    case ratio(exponent: Int, reference: Double, growth: Int, growthReference: Double)
    /// θ = v = ln(1 + exp u).
    case softplus
    /// v = ln(1 + exp u), θ = v + θ_slope·reference: an exponent θ − θ_slope·ln x that is positive at ln x = reference.
    case shifted(slope: Int, reference: Double)
  }

  /// The symbol in the formula.
  package var name: String
  package var form: Form
  /// The prior's median of v.
  package var center: Double
  /// The prior's standard deviation of ln v.
  package var spread: Double

  package init(_ name: String, _ form: Form, center: Double, spread: Double) {
    self.name = name
    self.form = form
    self.center = center
    self.spread = spread
  }
}

extension LawParameter {
  // The parameters that laws share. The exponents' center, 0.35, is near those of the Chinchilla refit (Besiroglu et al., arXiv 2404.10102).

  /// E, A, α, B and β, with which the parameters of every law begin.
  /// - Parameter logTokens: the mean of ln x in the data term B/x^β.
  static func chinchilla(_ scale: LawScale, logTokens: Double) -> [LawParameter] {
    [
      LawParameter("E", .log, center: 0.5 * scale.loss, spread: 1),
      LawParameter("A", .coefficient(exponent: 2, reference: scale.logN), center: 0.2 * scale.loss, spread: 2), exponent("α"),
      LawParameter("B", .coefficient(exponent: 4, reference: logTokens), center: 0.2 * scale.loss, spread: 2), exponent("β"),
    ]
  }
  static func exponent(_ name: String) -> LawParameter { LawParameter(name, .softplus, center: 0.35, spread: 1) }
  static func gap(_ scale: LawScale) -> LawParameter { LawParameter("G", .log, center: 0.1 * scale.loss, spread: 2) }
  static func onset(_ scale: LawScale) -> LawParameter { LawParameter("s", .log, center: 0.3 * scale.dPrime, spread: 2) }
  /// k of Skaling's coupling.
  static let coupling = LawParameter("k", .softplus, center: 0.6, spread: 0.7)
  /// C₁, γ₁, C₂ … of a mixture's sources.
  static func shares(_ scale: LawScale) -> [LawParameter] {
    (0..<scale.sources).flatMap { source in
      [
        LawParameter("C\(subscripted(source + 1))", .log, center: 3 / scale.loss, spread: 2),
        LawParameter("γ\(subscripted(source + 1))", .softplus, center: 0.4, spread: 1),
      ]
    }
  }
  /// R* of repeated tokens.
  static let repetition = LawParameter("R*", .log, center: Repetition.standard, spread: 0.5)
}
