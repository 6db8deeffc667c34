import Foundation

/// Where a law is evaluated: a model of N parameters, D general tokens, D′ specialisation tokens.
package struct LawPoint: Sendable, Equatable {
  /// Non-embedding parameters, N.
  package let n: Double
  /// General tokens, D.
  package let d: Double
  /// Specialisation tokens, D′; effective ones where tokens repeat.
  package var dPrime: Double
  /// ln N, kept because a fit evaluates the same points many times.
  let logN: Double
  /// ln D.
  let logD: Double

  /// Creates a point.
  /// - Parameters:
  ///   - n: non-embedding parameters, above 0.
  ///   - d: general tokens, above 0.
  ///   - dPrime: specialisation tokens, 0 or more.
  package init(n: Double, d: Double, dPrime: Double) {
    self.n = n
    self.d = d
    self.dPrime = dPrime
    logN = log(n)
    logD = log(d)
  }
}

/// A predicted loss and its slopes.
package struct LawValue: Sendable, Equatable {
  /// Nats a token.
  package var loss: Double
  /// ∂L/∂N, nats a parameter.
  package var byN: Double
  /// ∂L/∂D, nats a token.
  package var byD: Double
  /// ∂L/∂D′, nats a token.
  package var byDPrime: Double
}

/// A law of the loss in N, D and D′, with analytic gradients. Every law is finite at D′ = 0 and reduces there to
/// E + A/N^α + B/D^β (plus a constant) on its domain. The form of the paper (2603.19149) is not public; the family is ours.
package protocol Law: Sendable {
  /// The short name: `F1` … `F5`.
  var id: String { get }
  /// What it is, in words.
  var title: String { get }
  /// The formula.
  var formula: String { get }
  /// Whether D′ enters in a way of its own, so that runs need several D′ for it to be fitted.
  var separatesSpecialisation: Bool { get }
  /// Whether the loss is convex in D′, so that the last token's gain falls with every token.
  var isConvexInSpecialisation: Bool { get }
  /// The parameters, in order, with their ways into unconstrained coordinates and their priors.
  func parameters(for scale: LawScale) -> [LawParameter]
  /// The loss at a point.
  /// - Parameters:
  ///   - p: the parameters, natural units, in order.
  ///   - x: the point.
  ///   - gradient: ∂L/∂p, overwritten; as many entries as parameters at least.
  func evaluate(_ p: [Double], at x: LawPoint, gradient: inout [Double]) -> LawValue
}

extension Law {
  /// The names of the parameters, in order.
  package var parameterNames: [String] { parameters(for: .unit).map(\.name) }

  /// The loss at a point without the gradient in the parameters.
  package func value(_ p: [Double], at x: LawPoint) -> LawValue {
    var gradient = [Double](repeating: 0, count: p.count)
    return evaluate(p, at: x, gradient: &gradient)
  }
}

/// The laws to choose from.
package enum Laws {
  /// All five, the default first.
  package static let all: [any Law] = [
    TransferGapLaw(), EffectiveTokensLaw(), SaturatingProductLaw(), OrderBlindMixtureLaw(), ChinchillaLaw(),
  ]

  /// The law named `id` (`F1` … `F5`, any case).
  /// - Throws: `WeirError` where there is none.
  package static func named(_ id: String, place: String = "--law") throws -> any Law {
    guard let law = all.first(where: { $0.id == id.uppercased() }) else {
      throw unknownLaw(id, place)
    }
    return law
  }
}
