import Foundation

/// F6: N and D complement each other, which Chinchilla's sum excludes.
///
///     L = E + (A/N^α + B/(D + D′)^β)^k
///
/// - k: coupling; 1 is Chinchilla.
///
/// Source: Skaling (arXiv 2608.07222), with D + D′ as the number of tokens.
package struct SkalingLaw: Law {
  package var id: String { "F6" }
  package var title: String { "Skaling on D + D′" }
  package var formula: String { "E + (A/N^α + B/(D + D′)^β)^k" }
  package var separatesSpecialization: Bool { false }
  package var isConvexInSpecialization: Bool { false }

  package init() {}

  package func parameters(for scale: LawScale) -> [LawParameter] {
    LawParameter.chinchilla(scale, logTokens: scale.logTokens) + [.coupling]
  }

  package func evaluate(_ p: [Double], at x: LawPoint, gradient: inout [Double]) -> LawValue {
    let base = chinchilla(p, at: x, tokens: x.d + x.dPrime, gradient: &gradient)
    let coupling = Coupling(base.loss - p[0], p[5])
    for index in 1..<5 { gradient[index] *= coupling.slope }
    gradient[5] = coupling.byExponent
    return LawValue(
      loss: p[0] + coupling.value, byN: base.byN * coupling.slope, byD: base.byTokens * coupling.slope,
      byDPrime: base.byTokens * coupling.slope)
  }
}

/// x^k and its derivatives.
struct Coupling {
  let value: Double
  /// By x.
  let slope: Double
  /// By k.
  let byExponent: Double

  init(_ x: Double, _ k: Double) {
    let logX = log(x)
    value = exp(k * logX)
    slope = k * value / x
    byExponent = value * logX
  }
}
