import Foundation

/// M1: the shares h of a mixture's sources add a term of their own.
///
///     L = E + A/N^α + B/D^β + 1/Σ Cᵢhᵢ^γᵢ
///
/// - Cᵢ, γᵢ: weight and exponent of source i.
///
/// Source: Shukor et al. 2025 (arXiv 2507.09404), the additive law.
package struct AdditiveMixtureLaw: Law {
  package var id: String { "M1" }
  package var title: String { "additive mixture" }
  package var formula: String { "E + A/N^α + B/D^β + 1/Σ Cᵢhᵢ^γᵢ" }
  package var separatesSpecialization: Bool { false }
  package var isConvexInSpecialization: Bool { true }
  package var takesMixture: Bool { true }

  package init() {}

  package func parameters(for scale: LawScale) -> [LawParameter] {
    LawParameter.chinchilla(scale, logTokens: scale.logTokens) + LawParameter.shares(scale)
  }

  package func evaluate(_ p: [Double], at x: LawPoint, gradient: inout [Double]) -> LawValue {
    let base = chinchilla(p, at: x, tokens: x.d + x.dPrime, gradient: &gradient)
    let mix = shares(p, from: 5, at: x, gradient: &gradient)
    return LawValue(loss: base.loss + mix, byN: base.byN, byD: base.byTokens, byDPrime: base.byTokens)
  }
}

/// M2: M1 where the terms of size and data depend on the mixture as well.
///
///     L = E + A_h/N^α + B_h/D^β + 1/Σ Cᵢhᵢ^γᵢ,    A_h = A·(Σ aᵢhᵢ)^μ,  B_h = B·(Σ bᵢhᵢ)^ν
///
/// - aᵢ, bᵢ: the weights of source i in the two terms, with a₁ = b₁ = 1.
/// - μ, ν: exponents of the two terms.
///
/// Source: Shukor et al. 2025 (arXiv 2507.09404), the joint law, with one weight of each term drawn out as its coefficient.
package struct JointMixtureLaw: Law {
  package var id: String { "M2" }
  package var title: String { "joint mixture" }
  package var formula: String { "E + A·(Σ aᵢhᵢ)^μ/N^α + B·(Σ bᵢhᵢ)^ν/D^β + 1/Σ Cᵢhᵢ^γᵢ" }
  package var separatesSpecialization: Bool { false }
  package var isConvexInSpecialization: Bool { true }
  package var takesMixture: Bool { true }

  package init() {}

  package func parameters(for scale: LawScale) -> [LawParameter] {
    func weights(_ name: String, _ exponent: String) -> [LawParameter] {
      [LawParameter(exponent, .softplus, center: 0.5, spread: 1)]
        + (1..<max(1, scale.sources)).map { LawParameter("\(name)\(subscripted($0 + 1))", .log, center: 1, spread: 1) }
    }
    return LawParameter.chinchilla(scale, logTokens: scale.logTokens) + LawParameter.shares(scale) + weights("a", "μ") + weights("b", "ν")
  }

  package func evaluate(_ p: [Double], at x: LawPoint, gradient: inout [Double]) -> LawValue {
    let tokens = x.d + x.dPrime
    let logTokens = log(tokens)
    let perSize = exp(-p[2] * x.logN), perData = exp(-p[4] * logTokens)
    let mix = shares(p, from: 5, at: x, gradient: &gradient)
    let count = x.mixture.count
    let size = scaled(p, from: 5 + 2 * count, factor: p[1] * perSize, at: x, gradient: &gradient)
    let data = scaled(p, from: 5 + 3 * count, factor: p[3] * perData, at: x, gradient: &gradient)
    gradient[0] = 1
    gradient[1] = size / p[1]
    gradient[2] = -size * x.logN
    gradient[3] = data / p[3]
    gradient[4] = -data * logTokens
    let byTokens = -p[4] * data / tokens
    return LawValue(loss: p[0] + size + data + mix, byN: -p[2] * size / x.n, byD: byTokens, byDPrime: byTokens)
  }

  /// factor·(Σ wᵢhᵢ)^μ with w₁ = 1, where μ and w₂ … are the parameters from `first`; sets their elements of the gradient.
  private func scaled(_ p: [Double], from first: Int, factor: Double, at x: LawPoint, gradient: inout [Double]) -> Double {
    var sum = x.mixture[0]
    for source in 1..<x.mixture.count { sum += p[first + source] * x.mixture[source] }
    let logSum = log(sum)
    let value = factor * exp(p[first] * logSum)
    gradient[first] = value * logSum
    for source in 1..<x.mixture.count { gradient[first + source] = value * p[first] * x.mixture[source] / sum }
    return value
  }
}

extension Law {
  /// 1/Σ Cᵢhᵢ^γᵢ, where C₁, γ₁, C₂ … are the parameters from `first`; sets their elements of the gradient.
  func shares(_ p: [Double], from first: Int, at x: LawPoint, gradient: inout [Double]) -> Double {
    var sum = 0.0
    for source in x.mixture.indices {
      let at = first + 2 * source
      let power = x.mixture[source] > 0 ? exp(p[at + 1] * x.logMixture[source]) : 0
      sum += p[at] * power
      gradient[at] = power
      gradient[at + 1] = x.mixture[source] > 0 ? p[at] * power * x.logMixture[source] : 0
    }
    for index in first..<first + 2 * x.mixture.count { gradient[index] *= -1 / (sum * sum) }
    return 1 / sum
  }
}

/// A number as subscript digits.
func subscripted(_ number: Int) -> String {
  String(String.UnicodeScalarView("\(number)".unicodeScalars.compactMap { Unicode.Scalar($0.value - 0x30 + 0x2080) }))
}
