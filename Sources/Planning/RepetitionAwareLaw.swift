import Foundation

/// F8: specialization tokens, repeated or not, mixed into the general ones.
///
///     L = E + A/N^α + B·N^ν/(D + τD′)^β + γ·h,    h = D′/(D + D′)
///
/// - ν: exponent by which larger models gain less from data, and overfit sooner.
/// - τ: general tokens that one specialization token is worth.
/// - γ: cost of the share h of specialization tokens, nats/token.
///
/// D′ in D + τD′ is effective tokens (`Repetition`, whose R* is the paper's r₁), and in h it counts every repetition.
///
/// Source: Sedova et al. 2026 (arXiv 2605.12715), for a target mixed in rather than trained on at the end.
struct RepetitionAwareLaw: Law {
  var id: String { "F8" }
  var title: String { "repetition-aware mixture" }
  var formula: String { "E + A/N^α + B·N^ν/(D + τD′)^β + γ·D′/(D + D′)" }
  var separatesSpecialization: Bool { true }
  // The last term is concave in D′.
  var isConvexInSpecialization: Bool { false }

  func parameters(for scale: LawScale) -> [LawParameter] {
    var parameters = LawParameter.chinchilla(scale, logTokens: scale.logTokens)
    parameters[3].form = .ratio(exponent: 4, reference: scale.logTokens, growth: 6, growthReference: scale.logN)
    return parameters + [
      LawParameter("τ", .log, center: 2, spread: 1.5), LawParameter("ν", .softplus, center: 0.05, spread: 1.5),
      LawParameter("γ", .log, center: 0.05 * scale.loss, spread: 2),
    ]
  }

  func evaluate(_ p: [Double], at x: LawPoint, gradient: inout [Double]) -> LawValue {
    let size = sizeTerms(p, at: x, gradient: &gradient)
    let tokens = x.d + p[5] * x.dPrime
    let logTokens = log(tokens)
    let perData = exp(p[6] * x.logN - p[4] * logTokens)
    let data = p[3] * perData
    let byTokens = -p[4] * data / tokens
    let total = x.d + x.trained
    let share = x.trained / total
    gradient[3] = perData
    gradient[4] = -data * logTokens
    gradient[5] = byTokens * x.dPrime
    gradient[6] = data * x.logN
    gradient[7] = share
    return LawValue(
      loss: size.loss + data + p[7] * share, byN: size.byN + p[6] * data / x.n, byD: byTokens - p[7] * share / total,
      byDPrime: byTokens * p[5], byTrained: p[7] * x.d / (total * total))
  }
}
