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

  package func parameters(for scale: LawScale) -> [LawParameter] { LawParameter.chinchilla(scale, logTokens: scale.logTokens) }

  package func evaluate(_ p: [Double], at x: LawPoint, gradient: inout [Double]) -> LawValue {
    let base = chinchilla(p, at: x, tokens: x.d + x.dPrime, gradient: &gradient)
    return LawValue(loss: base.loss, byN: base.byN, byD: base.byTokens, byDPrime: base.byTokens)
  }

  package func evaluate(_ p: [Double], at points: LawColumns, losses: LawColumns.Column, gradient: [LawColumns.Column]) {
    let (one, perSize, bySize, perData, byData) = (gradient[0], gradient[1], gradient[2], gradient[3], gradient[4])
    points.powers(points.logN, p[2], perSize)
    points.powers(points.logTokens, p[4], perData)
    points.logN.withUnsafeBufferPointer { logN in
      points.logTokens.withUnsafeBufferPointer { logTokens in
        for index in 0..<points.count {
          let size = p[1] * perSize[index], data = p[3] * perData[index]
          one[index] = 1
          bySize[index] = -size * logN[index]
          byData[index] = -data * logTokens[index]
          losses[index] = p[0] + size + data
        }
      }
    }
  }
}
