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
struct OrderBlindMixtureLaw: Law {
  var id: String { "F4" }
  var title: String { "order-blind mixture" }
  var formula: String { "E + A/N^α + B/(D + D′)^β + 1/(C₁h₁^γ₁ + C₂h₂^γ₂), h = (D, D′)/(D + D′)" }
  var separatesSpecialization: Bool { true }
  // With γ₂ > 1 the first specialization tokens gain less than the next ones.
  var isConvexInSpecialization: Bool { false }

  func parameters(for scale: LawScale) -> [LawParameter] {
    LawParameter.chinchilla(scale, logTokens: scale.logTokens) + [
      LawParameter("C₁", .log, center: 5 / scale.loss, spread: 2), LawParameter("γ₁", .softplus, center: 0.5, spread: 1),
      LawParameter("C₂", .log, center: 20 / scale.loss, spread: 2), LawParameter("γ₂", .softplus, center: 0.5, spread: 1),
    ]
  }

  func evaluate(_ p: [Double], at x: LawPoint, gradient: inout [Double]) -> LawValue {
    let tokens = x.d + x.dPrime
    let base = chinchilla(p, at: x, tokens: tokens, gradient: &gradient)
    let logGeneral = x.logD - base.logTokens
    let special = x.dPrime > 0
    let logSpecial = special ? log(x.dPrime) - base.logTokens : 0
    let powerGeneral = exp(p[6] * logGeneral)
    let powerSpecial = special ? exp(p[8] * logSpecial) : 0
    let mix = p[5] * powerGeneral + p[7] * powerSpecial
    // ∂(1/mix) = −∂mix/mix²
    let byMix = -1 / (mix * mix)
    gradient[5] = byMix * powerGeneral
    gradient[6] = byMix * p[5] * powerGeneral * logGeneral
    gradient[7] = byMix * powerSpecial
    gradient[8] = byMix * p[7] * powerSpecial * logSpecial
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
      loss: base.loss + 1 / mix, byN: base.byN, byD: base.byTokens + byMix * mixByD, byDPrime: base.byTokens + byMix * mixByDPrime)
  }
}
