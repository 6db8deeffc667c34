import CKernels
import Foundation

/// F1, the default: a gap between the general corpus and the domain, which specialization closes together with what the trunk has not yet learned.
///
///     L = E + A/N^α + (B/D^β + G)·(1 + D′/s)^(−γ)
///
/// - G: loss due to the shift from the general corpus to the domain, nats/token.
/// - s: specialization tokens at which the gap starts to close, tokens.
/// - γ: exponent of specialization.
///
/// Source: Chinchilla (arXiv 2203.15556, section 3.3) for N and D; the factor in D′ is an extension of Weir. For equal domains it has a closed-form
/// optimum (`SplitProblem`).
package struct TransferGapLaw: Law {
  package var id: String { "F1" }
  package var title: String { "transfer gap" }
  package var formula: String { "E + A/N^α + (B/D^β + G)·(1 + D′/s)^(−γ)" }
  package var separatesSpecialization: Bool { true }
  package var isConvexInSpecialization: Bool { true }

  package init() {}

  package func parameters(for scale: LawScale) -> [LawParameter] {
    LawParameter.chinchilla(scale, logTokens: scale.logD) + [.gap(scale), .onset(scale), .exponent("γ")]
  }

  package func evaluate(_ p: [Double], at x: LawPoint, gradient: inout [Double]) -> LawValue {
    let size = sizeTerms(p, at: x, gradient: &gradient)
    let perData = exp(-p[4] * x.logD)
    let onset = log1p(x.dPrime / p[6])
    let decay = exp(-p[7] * onset)
    let gap = p[3] * perData + p[5]
    gradient[3] = perData * decay
    gradient[4] = -p[3] * perData * x.logD * decay
    gradient[5] = decay
    gradient[6] = gap * decay * p[7] * x.dPrime / (p[6] * (p[6] + x.dPrime))
    gradient[7] = -gap * decay * onset
    return LawValue(
      loss: size.loss + gap * decay, byN: size.byN, byD: -p[4] * p[3] * perData * decay / x.d,
      byDPrime: -gap * decay * p[7] / (p[6] + x.dPrime))
  }

  package func evaluate(_ p: [Double], at points: LawColumns, losses: LawColumns.Column, gradient: [LawColumns.Column]) {
    let (one, perSize, bySize) = (gradient[0], gradient[1], gradient[2])
    let (byB, byBeta, decay, byOnset, byGamma) = (gradient[3], gradient[4], gradient[5], gradient[6], gradient[7])
    points.powers(points.logN, p[2], perSize)
    points.powers(points.logD, p[4], byB)
    weir_law_logarithms(points.dPrime, 1 / p[6], byGamma, points.count)
    weir_law_exponentials(byGamma, -p[7], decay, points.count)
    points.logN.withUnsafeBufferPointer { logN in
      points.logD.withUnsafeBufferPointer { logD in
        points.dPrime.withUnsafeBufferPointer { dPrime in
          for index in 0..<points.count {
            let size = p[1] * perSize[index], data = p[3] * byB[index] * decay[index], gap = data + p[5] * decay[index]
            one[index] = 1
            bySize[index] = -size * logN[index]
            byB[index] *= decay[index]
            byBeta[index] = -data * logD[index]
            byOnset[index] = gap * p[7] * dPrime[index] / (p[6] * (p[6] + dPrime[index]))
            byGamma[index] *= -gap
            losses[index] = p[0] + size + gap
          }
        }
      }
    }
  }
}
