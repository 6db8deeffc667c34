import Foundation
import Primitives

/// Where a law is evaluated: a model of N parameters trained on D general and then D′ specialization tokens, or on D tokens of a mixture.
package struct LawPoint: Sendable, Equatable {
  /// N: non-embedding parameters.
  package let n: Double
  /// D: general tokens.
  package let d: Double
  /// D′: specialization tokens; effective tokens where they repeat.
  package var dPrime: Double
  /// D′ with every repetition counted.
  package let trained: Double
  /// The shares of the sources of a mixture; empty where D is of one corpus.
  package let mixture: [Double]
  /// ln N, kept because a fit evaluates the same points many times.
  let logN: Double
  /// ln D.
  let logD: Double
  /// ln of the mixture's shares.
  let logMixture: [Double]

  /// Creates a point.
  /// - Parameters:
  ///   - n: non-embedding parameters, above 0.
  ///   - d: general tokens, above 0.
  ///   - dPrime: specialization tokens, 0 or more.
  ///   - trained: the same with every repetition; nil where none repeat.
  ///   - mixture: the shares of the sources.
  package init(n: Double, d: Double, dPrime: Double, trained: Double? = nil, mixture: [Double] = []) {
    self.n = n
    self.d = d
    self.dPrime = dPrime
    self.trained = trained ?? dPrime
    self.mixture = mixture
    logN = log(n)
    logD = log(d)
    logMixture = mixture.map { log($0) }
  }
}

/// A predicted loss and its derivatives.
package struct LawValue: Sendable, Equatable {
  /// L, nats/token.
  package var loss: Double
  /// ∂L/∂N.
  package var byN: Double
  /// ∂L/∂D.
  package var byD: Double
  /// ∂L/∂D′, where D′ is effective tokens.
  package var byDPrime: Double
  /// ∂L/∂D′ through `LawPoint.trained`.
  package var byTrained = 0.0
}

/// A scaling law for the loss on a domain as a function of N, D and D′, with analytic derivatives.
///
/// The laws share these symbols:
///
/// | Symbol | Meaning | Unit |
/// |---|---|---|
/// | L | held-out loss on the domain | nats/token |
/// | N | non-embedding parameters | parameters |
/// | D | general tokens, seen by the trunk | tokens |
/// | D′ | specialization tokens, seen after them | tokens |
/// | E | irreducible loss | nats/token |
/// | A, α | coefficient and exponent of model size | nats/token · parameters^α, 1 |
/// | B, β | coefficient and exponent of data | nats/token · tokens^β, 1 |
///
/// All parameters are positive, and every law is finite at D′ = 0. There F1 to F5 reduce to E + A/N^α + B/D^β plus a constant: the Chinchilla
/// law (Hoffmann et al. 2022, arXiv 2203.15556, section 3.3) with the domain as its test set. The law of the split-training paper (Seto et al.,
/// arXiv 2603.19149) is not published, so several candidates are fitted and held-out runs select one.
package protocol Law: Sendable {
  /// `F1` … `F8`, `M1` or `M2`.
  var id: String { get }
  /// The law's name in words.
  var title: String { get }
  /// The formula.
  var formula: String { get }
  /// Whether D′ enters other than through D + D′, so that a fit needs runs with several D′.
  var separatesSpecialization: Bool { get }
  /// Whether the law is one of the shares of a mixture.
  var takesMixture: Bool { get }
  /// Whether the loss is convex in D′, so that the marginal gain falls with every token.
  var isConvexInSpecialization: Bool { get }
  /// The parameters, in order, with their coordinates and priors.
  func parameters(for scale: LawScale) -> [LawParameter]
  /// The loss at a point.
  /// - Parameters:
  ///   - p: the parameter values, in order.
  ///   - x: the point.
  ///   - gradient: ∂L/∂p, overwritten; at least as many elements as parameters.
  func evaluate(_ p: [Double], at x: LawPoint, gradient: inout [Double]) -> LawValue
  /// The losses of many points, column by column, which is several times as fast.
  /// - Parameters:
  ///   - p: the parameter values, in order.
  ///   - points: the points.
  ///   - losses: receives the loss of every point.
  ///   - gradient: receives ∂L/∂p of every point, one column per parameter.
  func evaluate(_ p: [Double], at points: LawColumns, losses: LawColumns.Column, gradient: [LawColumns.Column])
}

extension Law {
  package var takesMixture: Bool { false }

  /// The symbols of the parameters, in order.
  /// - Parameter sources: the number of sources of the mixture.
  package func parameterNames(sources: Int = 0) -> [String] {
    var scale = LawScale.unit
    scale.sources = sources
    return parameters(for: scale).map(\.name)
  }

  package func evaluate(_ p: [Double], at points: LawColumns, losses: LawColumns.Column, gradient: [LawColumns.Column]) {
    var each = [Double](repeating: 0, count: p.count)
    for index in points.points.indices {
      losses[index] = evaluate(p, at: points.points[index], gradient: &each).loss
      for parameter in p.indices { gradient[parameter][index] = each[parameter] }
    }
  }

  /// The loss at a point, without ∂L/∂p.
  package func value(_ p: [Double], at x: LawPoint) -> LawValue {
    var gradient = [Double](repeating: 0, count: p.count)
    return evaluate(p, at: x, gradient: &gradient)
  }

  /// E + A/N^α and its derivative; sets the first three elements of the gradient.
  func sizeTerms(_ p: [Double], at x: LawPoint, gradient: inout [Double]) -> (loss: Double, byN: Double) {
    let perSize = exp(-p[2] * x.logN)
    gradient[0] = 1
    gradient[1] = perSize
    gradient[2] = -p[1] * perSize * x.logN
    return (p[0] + p[1] * perSize, -p[2] * p[1] * perSize / x.n)
  }

  /// E + A/N^α + B/tokens^β and its derivatives; sets the first five elements of the gradient.
  func chinchilla(
    _ p: [Double], at x: LawPoint, tokens: Double, gradient: inout [Double]
  ) -> (loss: Double, byN: Double, byTokens: Double, logTokens: Double) {
    let size = sizeTerms(p, at: x, gradient: &gradient), logTokens = log(tokens), perData = exp(-p[4] * logTokens)
    gradient[3] = perData
    gradient[4] = -p[3] * perData * logTokens
    return (size.loss + p[3] * perData, size.byN, -p[4] * p[3] * perData / tokens, logTokens)
  }
}

/// The candidate laws.
package enum Laws {
  /// F1 … F8, the default first, then the laws of mixtures.
  package static let all: [any Law] = [
    TransferGapLaw(), EffectiveTokensLaw(), SaturatingProductLaw(), OrderBlindMixtureLaw(), ChinchillaLaw(), SkalingLaw(),
    CoupledTransferGapLaw(), RepetitionAwareLaw(), AdditiveMixtureLaw(), JointMixtureLaw(),
  ]

  /// The law with an id, in any case.
  /// - Throws: `WeirError` at `place` where there is none.
  package static func named(_ id: String, place: String = "law") throws -> any Law {
    guard let law = all.first(where: { $0.id == id.uppercased() }) else {
      throw WeirError(place, "there is no law \"\(id)\"", remedy: "use one of \(all.map(\.id).joined(separator: ", "))")
    }
    return law
  }
}
