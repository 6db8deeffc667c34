import Foundation

/// F2: a domain token counts as κ general tokens, and a separate term closes the shift between the corpora.
///
///     L = E + A/N^α + B/(D + κD′)^β + G·(1 + D′/s)^(−γ)
///
/// - κ: general tokens that one specialization token is worth.
/// - G: loss due to the shift from the general corpus to the domain, nats/token.
/// - s: specialization tokens at which the shift starts to close, tokens.
/// - γ: exponent of specialization.
///
/// Source: Chinchilla (arXiv 2203.15556, section 3.3) for N and D; the terms in D′ are extensions of Weir.
struct EffectiveTokensLaw: Law {
  var id: String { "F2" }
  var title: String { "effective tokens and shift" }
  var formula: String { "E + A/N^α + B/(D + κD′)^β + G·(1 + D′/s)^(−γ)" }
  var separatesSpecialization: Bool { true }
  var isConvexInSpecialization: Bool { true }

  func parameters(for scale: LawScale) -> [LawParameter] {
    LawParameter.chinchilla(scale, logTokens: scale.logTokens)
      + [LawParameter("κ", .log, center: 2, spread: 1.5), .gap(scale), .onset(scale), .exponent("γ")]
  }

  func evaluate(_ p: [Double], at x: LawPoint, gradient: inout [Double]) -> LawValue {
    let base = chinchilla(p, at: x, tokens: x.d + p[5] * x.dPrime, gradient: &gradient)
    let onset = log1p(x.dPrime / p[7])
    let decay = exp(-p[8] * onset)
    gradient[5] = base.byTokens * x.dPrime
    gradient[6] = decay
    gradient[7] = p[6] * decay * p[8] * x.dPrime / (p[7] * (p[7] + x.dPrime))
    gradient[8] = -p[6] * decay * onset
    return LawValue(
      loss: base.loss + p[6] * decay, byN: base.byN, byD: base.byTokens,
      byDPrime: base.byTokens * p[5] - p[6] * decay * p[8] / (p[7] + x.dPrime))
  }
}
