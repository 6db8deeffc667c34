import Foundation

/// F5, naive: the Chinchilla form on all tokens, L = E + A/N^α + B/(D + D′)^β. A specialisation token is a token.
public struct ChinchillaLaw: Law {
  /// `F5`.
  public var id: String { "F5" }
  /// In words.
  public var title: String { "Chinchilla on D + D′" }
  /// The formula.
  public var formula: String { "E + A/N^α + B/(D + D′)^β" }
  /// False.
  public var separatesSpecialisation: Bool { false }
  /// True.
  public var isConvexInSpecialisation: Bool { true }

  /// Creates the law.
  public init() {}

  /// E, A, α, B, β.
  public func parameters(for scale: LawScale) -> [LawParameter] {
    [
      .floor(scale), .sizeTerm(scale, exponent: 2), .exponent("α"),
      .dataTerm(scale, exponent: 4, reference: scale.logTokens), .exponent("β"),
    ]
  }

  /// The loss and its gradients.
  public func evaluate(_ p: [Double], at x: LawPoint, gradient: inout [Double]) -> LawValue {
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
