import Foundation

/// F4, a null hypothesis: only the shares of the two corpora matter, not their order. More general tokens can raise the loss.
///
///     L = E + A/N^α + B/(D + D′)^β + 1/(C₁h₁^γ₁ + C₂h₂^γ₂)
///
/// - h₁ = D/(D + D′), h₂ = D′/(D + D′): shares of general and specialization tokens, 0…1.
/// - C₁, C₂: weights of the shares, tokens/nat.
/// - γ₁, γ₂: exponents of the shares.
///
/// Source: Shukor et al. 2025 (arXiv 2507.09404), the additive law of data mixtures, with two sources.
package struct OrderBlindMixtureLaw: Law {
  package var id: String { "F4" }
  package var title: String { "order-blind mixture" }
  package var formula: String { "E + A/N^α + B/(D + D′)^β + 1/(C₁h₁^γ₁ + C₂h₂^γ₂), h = (D, D′)/(D + D′)" }
  package var separatesSpecialization: Bool { true }
  // With γ₂ > 1 the first specialization tokens gain less than the next ones.
  package var isConvexInSpecialization: Bool { false }

  package init() {}

  package func parameters(for scale: LawScale) -> [LawParameter] {
    [
      .floor(scale), .sizeTerm(scale, exponent: 2), .exponent("α"),
      .dataTerm(scale, exponent: 4, reference: scale.logTokens), .exponent("β"),
      LawParameter("C₁", .log, center: 5 / scale.loss, spread: 2), LawParameter("γ₁", .softplus, center: 0.5, spread: 1),
      LawParameter("C₂", .log, center: 20 / scale.loss, spread: 2), LawParameter("γ₂", .softplus, center: 0.5, spread: 1),
    ]
  }

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
    // ∂h₁/∂D = h₂/(D + D′) and ∂h₁/∂D′ = −h₁/(D + D′); h₂ = 1 − h₁ has the opposite signs.
    let general = p[5] * p[6] * powerGeneral
    let specialized = p[7] * p[8] * powerSpecial
    let shareGeneral = x.d / tokens
    let shareSpecial = x.dPrime / tokens
    let mixByD = (general * shareSpecial / shareGeneral - specialized) / tokens
    let mixByDPrime: Double
    if special {
      mixByDPrime = (-general + specialized * shareGeneral / shareSpecial) / tokens
    } else {
      // The slope of h₂^γ₂ at 0 is 0 for γ₂ > 1 and infinite for γ₂ < 1.
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
