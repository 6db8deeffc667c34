import Foundation

/// F7: F1 with the coupling of F6.
///
///     L = E + (A/N^α + (B/D^β + G)·(1 + D′/s)^(−γ))^k
///
/// Source: Skaling (arXiv 2608.07222) for the coupling; the factor in D′ is an extension of Weir.
struct CoupledTransferGapLaw: Law {
  var id: String { "F7" }
  var title: String { "transfer gap with Skaling's coupling" }
  var formula: String { "E + (A/N^α + (B/D^β + G)·(1 + D′/s)^(−γ))^k" }
  var separatesSpecialization: Bool { true }
  // A power below 1 of a convex function need not be convex.
  var isConvexInSpecialization: Bool { false }

  func parameters(for scale: LawScale) -> [LawParameter] { TransferGapLaw().parameters(for: scale) + [.coupling] }

  func evaluate(_ p: [Double], at x: LawPoint, gradient: inout [Double]) -> LawValue {
    let base = TransferGapLaw().evaluate(p, at: x, gradient: &gradient)
    let coupling = Coupling(base.loss - p[0], p[8])
    for index in 1..<8 { gradient[index] *= coupling.slope }
    gradient[8] = coupling.byExponent
    return LawValue(
      loss: p[0] + coupling.value, byN: base.byN * coupling.slope, byD: base.byD * coupling.slope,
      byDPrime: base.byDPrime * coupling.slope)
  }
}
