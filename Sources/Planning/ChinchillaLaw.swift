import Foundation

/// F5, naive: the Chinchilla form on all tokens, L = E + A/N^α + B/(D + D′)^β. A specialisation token is a token.
package struct ChinchillaLaw: Law {
  /// `F5`.
  package var id: String { "F5" }
  /// In words.
  package var title: String { "Chinchilla on D + D′" }
  /// The formula.
  package var formula: String { "E + A/N^α + B/(D + D′)^β" }
  /// False.
  package var separatesSpecialisation: Bool { false }
  /// True.
  package var isConvexInSpecialisation: Bool { true }

  /// Creates the law.
  package init() {}

  /// E, A, α, B, β.
  package func parameters(for scale: LawScale) -> [LawParameter] {
    [
      .floor(scale), .sizeTerm(scale, exponent: 2), .exponent("α"),
      .dataTerm(scale, exponent: 4, reference: scale.logTokens), .exponent("β"),
    ]
  }

  /// The loss and its gradients.
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
