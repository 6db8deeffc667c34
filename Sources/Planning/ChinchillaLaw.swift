import Foundation

/// F5, a null hypothesis: a specialization token is a token like any other.
///
///     L = E + A/N^α + B/(D + D′)^β
///
/// Source: Chinchilla (Hoffmann et al. 2022, arXiv 2203.15556, section 3.3), with D + D′ as the number of tokens.
package struct ChinchillaLaw: Law {
  package var id: String { "F5" }
  package var title: String { "Chinchilla on D + D′" }
  package var formula: String { "E + A/N^α + B/(D + D′)^β" }
  package var separatesSpecialization: Bool { false }
  package var isConvexInSpecialization: Bool { true }

  package init() {}

  package func parameters(for scale: LawScale) -> [LawParameter] {
    [
      .floor(scale), .sizeTerm(scale, exponent: 2), .exponent("α"),
      .dataTerm(scale, exponent: 4, reference: scale.logTokens), .exponent("β"),
    ]
  }

  package func evaluate(_ p: [Double], at x: LawPoint, gradient: inout [Double]) -> LawValue {
    let perSize = exp(-p[2] * x.logN)
    let tokens = x.d + x.dPrime
    let logTokens = log(tokens)
    let perData = exp(-p[4] * logTokens)
    gradient[0] = 1
    gradient[1] = perSize
    gradient[2] = -p[1] * perSize * x.logN
    gradient[3] = perData
    gradient[4] = -p[3] * perData * logTokens
    let byTokens = -p[4] * p[3] * perData / tokens
    return LawValue(
      loss: p[0] + p[1] * perSize + p[3] * perData, byN: -p[2] * p[1] * perSize / x.n, byD: byTokens, byDPrime: byTokens)
  }
}
