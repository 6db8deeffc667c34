import Foundation

/// F3: saturation. The more tokens the trunk has seen, the less specialization gains.
///
///     L = E + A/N^α + B·D^(−β)·(1 + D′/s)^(−γ + δ·ln D)
///
/// - s: specialization tokens at which the gain starts, tokens.
/// - γ: exponent of specialization at D = 1.
/// - δ: decrease of that exponent per e-fold of D.
///
/// The exponent −γ + δ·ln D is clamped to at most 0, so that D′ never hurts; D helps while δ·ln(1 + D′/s) < β.
///
/// Source: Liew and Kato 2025 (arXiv 2510.06548), the law A·D₁^(−α₁)·D₂^(−α₂ + α₃·ln D₁) + E of two-stage pretraining. Weir adds the
/// term in N, and 1 + D′/s in place of D₂, which is finite at D′ = 0.
struct SaturatingProductLaw: Law {
  var id: String { "F3" }
  var title: String { "saturating product" }
  var formula: String { "E + A/N^α + B·D^(−β)·(1 + D′/s)^(−γ + δ·ln D)" }
  var separatesSpecialization: Bool { true }
  var isConvexInSpecialization: Bool { true }

  func parameters(for scale: LawScale) -> [LawParameter] {
    LawParameter.chinchilla(scale, logTokens: scale.logD) + [
      .onset(scale), LawParameter("γ", .shifted(slope: 7, reference: scale.logD), center: 0.35, spread: 1),
      LawParameter("δ", .softplus, center: 0.02, spread: 1),
    ]
  }

  func evaluate(_ p: [Double], at x: LawPoint, gradient: inout [Double]) -> LawValue {
    let size = sizeTerms(p, at: x, gradient: &gradient)
    let onset = log1p(x.dPrime / p[5])
    let exponent = p[6] - p[7] * x.logD
    let acts = exponent > 0
    let perData = exp(-p[4] * x.logD - (acts ? exponent * onset : 0))
    let data = p[3] * perData
    gradient[3] = perData
    gradient[4] = -data * x.logD
    gradient[5] = acts ? data * exponent * x.dPrime / (p[5] * (p[5] + x.dPrime)) : 0
    gradient[6] = acts ? -data * onset : 0
    gradient[7] = acts ? data * onset * x.logD : 0
    return LawValue(
      loss: size.loss + data, byN: size.byN, byD: data * (-p[4] + (acts ? p[7] * onset : 0)) / x.d,
      byDPrime: acts ? -data * exponent / (p[5] + x.dPrime) : 0)
  }
}
