import Foundation

/// F4, a null after 2507.09404 with two sources: L = E + A/N^α + B/(D + D′)^β + 1/(C₁h₁^γ₁ + C₂h₂^γ₂), where
/// h = (D, D′)/(D + D′). Only the shares count, not the order; more general tokens may raise the loss.
package struct OrderBlindMixtureLaw: Law {
  /// `F4`.
  package var id: String { "F4" }
  /// In words.
  package var title: String { "order-blind mixture" }
  /// The formula.
  package var formula: String { "E + A/N^α + B/(D + D′)^β + 1/(C₁h₁^γ₁ + C₂h₂^γ₂), h = (D, D′)/(D + D′)" }
  /// True.
  package var separatesSpecialisation: Bool { true }
  /// False: with γ₂ > 1 the first specialisation tokens do less than the next.
  package var isConvexInSpecialisation: Bool { false }

  /// Creates the law.
  package init() {}

  /// E, A, α, B, β, C₁, γ₁, C₂, γ₂.
  package func parameters(for scale: LawScale) -> [LawParameter] {
    [
      .floor(scale), .sizeTerm(scale, exponent: 2), .exponent("α"),
      .dataTerm(scale, exponent: 4, reference: scale.logTokens), .exponent("β"),
      LawParameter("C₁", .log, centre: 5 / scale.loss, spread: 2), LawParameter("γ₁", .softplus, centre: 0.5, spread: 1),
      LawParameter("C₂", .log, centre: 20 / scale.loss, spread: 2), LawParameter("γ₂", .softplus, centre: 0.5, spread: 1),
    ]
  }

  /// The loss and its gradients.
  package func evaluate(_ p: [Double], at x: LawPoint, gradient: inout [Double]) -> LawValue {
    let perSize = exp(-p[2] * x.logN)
    let tokens = x.d + x.dPrime
    let logTokens = log(tokens)
    let perData = exp(-p[4] * logTokens)
    let logGeneral = x.logD - logTokens
    let special = x.dPrime > 0
    let logSpecial = special ? log(x.dPrime) - logTokens : 0
    let powerGeneral = exp(p[6] * logGeneral)
    let powerSpecial = special ? exp(p[8] * logSpecial) : 0
    let mix = p[5] * powerGeneral + p[7] * powerSpecial
    // ∂(1/mix) = −∂mix/mix²
    let byMix = -1 / (mix * mix)
    gradient[0] = 1
    gradient[1] = perSize
    gradient[2] = -p[1] * perSize * x.logN
    gradient[3] = perData
    gradient[4] = -p[3] * perData * logTokens
    gradient[5] = byMix * powerGeneral
    gradient[6] = byMix * p[5] * powerGeneral * logGeneral
    gradient[7] = byMix * powerSpecial
    gradient[8] = byMix * p[7] * powerSpecial * logSpecial
    let byTokens = -p[4] * p[3] * perData / tokens
    // ∂h₁/∂D = h₂/(D + D′), ∂h₁/∂D′ = −h₁/(D + D′), and the other way round for h₂ = 1 − h₁.
    let general = p[5] * p[6] * powerGeneral
    let specialised = p[7] * p[8] * powerSpecial
    let shareGeneral = x.d / tokens
    let shareSpecial = x.dPrime / tokens
    let mixByD = (general * shareSpecial / shareGeneral - specialised) / tokens
    let mixByDPrime: Double
    if special {
      mixByDPrime = (-general + specialised * shareGeneral / shareSpecial) / tokens
    } else {
      // h₂^γ₂ at 0: no slope above 1, infinite below.
      let first = p[8] > 1 ? 0 : p[8] == 1 ? p[7] : .infinity
      mixByDPrime = (-general + first) / tokens
    }
    return LawValue(
      loss: p[0] + p[1] * perSize + p[3] * perData + 1 / mix,
      byN: -p[2] * p[1] * perSize / x.n,
      byD: byTokens + byMix * mixByD,
      byDPrime: byTokens + byMix * mixByDPrime)
  }
}
