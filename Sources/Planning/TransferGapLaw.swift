import Foundation

/// F1, the default: L = E + A/N^α + (B/D^β + G)·(1 + D′/s)^(−γ). G is the gap between the general corpus and the domain;
/// specialisation closes it together with what the trunk has still to learn.
package struct TransferGapLaw: Law {
  /// `F1`.
  package var id: String { "F1" }
  /// In words.
  package var title: String { "transfer gap" }
  /// The formula.
  package var formula: String { "E + A/N^α + (B/D^β + G)·(1 + D′/s)^(−γ)" }
  /// True.
  package var separatesSpecialisation: Bool { true }
  /// True.
  package var isConvexInSpecialisation: Bool { true }

  /// Creates the law.
  package init() {}

  /// E, A, α, B, β, G, s, γ.
  package func parameters(for scale: LawScale) -> [LawParameter] {
    [
      .floor(scale), .sizeTerm(scale, exponent: 2), .exponent("α"),
      .dataTerm(scale, exponent: 4, reference: scale.logD), .exponent("β"),
      .gap(scale), .onset(scale), .exponent("γ"),
    ]
  }

  /// The loss and its gradients.
  package func evaluate(_ p: [Double], at x: LawPoint, gradient: inout [Double]) -> LawValue {
    let perSize = exp(-p[2] * x.logN)
    let perData = exp(-p[4] * x.logD)
    let onset = log1p(x.dPrime / p[6])
    let decay = exp(-p[7] * onset)
    let gap = p[3] * perData + p[5]
    gradient[0] = 1
    gradient[1] = perSize
    gradient[2] = -p[1] * perSize * x.logN
    gradient[3] = perData * decay
    gradient[4] = -p[3] * perData * x.logD * decay
    gradient[5] = decay
    gradient[6] = gap * decay * p[7] * x.dPrime / (p[6] * (p[6] + x.dPrime))
    gradient[7] = -gap * decay * onset
    return LawValue(
      loss: p[0] + p[1] * perSize + gap * decay,
      byN: -p[2] * p[1] * perSize / x.n,
      byD: -p[4] * p[3] * perData * decay / x.d,
      byDPrime: -gap * decay * p[7] / (p[6] + x.dPrime))
  }
}
