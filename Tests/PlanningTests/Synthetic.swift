import Foundation
import Planning
import Primitives

/// Runs generated from a known law.
enum Synthetic {
  /// E, A, α, B, β, G, s, γ of F1, in the range of small models.
  static let transferGap: [Double] = [1.7, 60, 0.28, 900, 0.36, 0.55, 4e5, 0.22]
  static let chinchilla: [Double] = [1.8169, 482.01, 0.3478, 2085.43, 0.3658]

  /// A grid of runs with normal noise in ln L.
  static func runs(
    _ law: any Law, _ values: [Double], sizes: [Double], tokens: [Double], special: [Double], domain: String = "all",
    noise: Double = 0, unique: Double? = nil, repetition: Double = Repetition.standard, seed: UInt64 = 0, mixture: [Double]? = nil
  ) -> [MeasuredRun] {
    var runs: [MeasuredRun] = []
    var random = SequentialRandom(seed: seed, stream: 77)
    for n in sizes {
      for d in tokens {
        for dPrime in special {
          let effective = Repetition.effective(dPrime, unique: unique, constant: repetition).tokens
          let loss = law.value(values, at: LawPoint(n: n, d: d, dPrime: effective, trained: dPrime, mixture: mixture ?? [])).loss
          let draw = (-2 * log(1 - random.uniform())).squareRoot() * cos(2 * Double.pi * random.uniform())
          var run = MeasuredRun(
            model: mixture == nil ? "n\(Int(n))" : "", n: n, d: d, dPrime: dPrime, domain: domain, unique: unique,
            loss: loss * exp(noise * draw))
          run.mixture = mixture
          runs.append(run)
        }
      }
    }
    return runs
  }

  /// 3 sizes × 3 D × 4 D′, the first of which is 0.
  static func small(_ values: [Double] = transferGap, domain: String = "all", noise: Double = 0, seed: UInt64 = 0) -> [MeasuredRun] {
    runs(
      TransferGapLaw(), values, sizes: [3e5, 1e6, 4e6], tokens: [2e6, 8e6, 3.2e7], special: [0, 2e5, 8e5, 3.2e6], domain: domain,
      noise: noise, seed: seed)
  }

  /// A quick configuration for tests.
  static func quick(bootstrap: Int = 0, holdsOut: Bool = false) -> FitConfiguration {
    var configuration = FitConfiguration()
    configuration.starts = 20
    configuration.refined = 2
    configuration.iterations = 200
    configuration.bootstrap = bootstrap
    configuration.holdsOut = holdsOut
    return configuration
  }
}
