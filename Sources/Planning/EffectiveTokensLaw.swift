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
/// Source: Chinchilla (arXiv 2203.15556, section 3.3) for N and D; the terms in D′ are this project's own.
package struct EffectiveTokensLaw: Law {
  package var id: String { "F2" }
  package var title: String { "effective tokens and shift" }
  package var formula: String { "E + A/N^α + B/(D + κD′)^β + G·(1 + D′/s)^(−γ)" }
  package var separatesSpecialization: Bool { true }
  package var isConvexInSpecialization: Bool { true }

  package init() {}

  package func parameters(for scale: LawScale) -> [LawParameter] {
    [
      .floor(scale), .sizeTerm(scale, exponent: 2), .exponent("α"),
      .dataTerm(scale, exponent: 4, reference: scale.logTokens), .exponent("β"),
      LawParameter("κ", .log, center: 2, spread: 1.5),
      .gap(scale), .onset(scale), .exponent("γ"),
    ]
  }

  package func evaluate(_ p: [Double], at x: LawPoint, gradient: inout [Double]) -> LawValue {
    let perSize = exp(-p[2] * x.logN)
    let tokens = x.d + p[5] * x.dPrime
    let logTokens = log(tokens)
    let perData = exp(-p[4] * logTokens)
    let onset = log1p(x.dPrime / p[7])
    let decay = exp(-p[8] * onset)
    let byTokens = -p[4] * p[3] * perData / tokens
    gradient[0] = 1
    gradient[1] = perSize
    gradient[2] = -p[1] * perSize * x.logN
    gradient[3] = perData
    gradient[4] = -p[3] * perData * logTokens
    gradient[5] = byTokens * x.dPrime
    gradient[6] = decay
    gradient[7] = p[6] * decay * p[8] * x.dPrime / (p[7] * (p[7] + x.dPrime))
    gradient[8] = -p[6] * decay * onset
    return LawValue(
      loss: p[0] + p[1] * perSize + p[3] * perData + p[6] * decay,
      byN: -p[2] * p[1] * perSize / x.n,
      byD: byTokens,
      byDPrime: byTokens * p[5] - p[6] * decay * p[8] / (p[7] + x.dPrime))
  }
}
