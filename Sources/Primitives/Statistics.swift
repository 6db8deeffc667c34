import Foundation

/// Small statistics over arrays of numbers. Sums run in index order, so that the same numbers give the same bits.
package enum Statistics {
  /// The arithmetic mean; NaN of nothing.
  package static func mean(_ values: [Double]) -> Double {
    values.isEmpty ? .nan : values.reduce(0, +) / Double(values.count)
  }

  /// The unbiased standard deviation; 0 of fewer than two values.
  package static func deviation(_ values: [Double]) -> Double {
    guard values.count > 1 else { return 0 }
    let centre = mean(values)
    let squares = values.reduce(0) { $0 + ($1 - centre) * ($1 - centre) }
    return (squares / Double(values.count - 1)).squareRoot()
  }

  /// The mean over `weights`; NaN where they sum to 0.
  /// - Parameters:
  ///   - values: the numbers.
  ///   - weights: as many, none negative.
  package static func mean(_ values: [Double], weights: [Double]) -> Double {
    precondition(values.count == weights.count, "one weight a value")
    var sum = 0.0
    var total = 0.0
    for index in values.indices {
      sum += values[index] * weights[index]
      total += weights[index]
    }
    return total == 0 ? .nan : sum / total
  }

  /// The middle value, or the mean of the two middle ones; NaN of nothing. O(n log n).
  package static func median(_ values: [Double]) -> Double { quantile(values, 0.5) }

  /// The quantile at `share` of 0…1, linear between order statistics (type 7 of Hyndman and Fan 1996); NaN of nothing.
  /// O(n log n).
  package static func quantile(_ values: [Double], _ share: Double) -> Double {
    precondition(share >= 0 && share <= 1, "a quantile is of a share from 0 to 1")
    guard !values.isEmpty else { return .nan }
    let sorted = values.sorted()
    let position = share * Double(sorted.count - 1)
    let below = Int(position)
    guard below + 1 < sorted.count else { return sorted[below] }
    let fraction = position - Double(below)
    return fraction == 0 ? sorted[below] : sorted[below] + fraction * (sorted[below + 1] - sorted[below])
  }

  /// The share of the variance of `measured` that `predicted` explains; NaN where nothing varies, negative where the mean
  /// would predict better.
  package static func r2(measured: [Double], predicted: [Double]) -> Double {
    precondition(measured.count == predicted.count, "one prediction a measurement")
    let centre = mean(measured)
    var residual = 0.0
    var total = 0.0
    for index in measured.indices {
      residual += (measured[index] - predicted[index]) * (measured[index] - predicted[index])
      total += (measured[index] - centre) * (measured[index] - centre)
    }
    return total == 0 ? .nan : 1 - residual / total
  }

  /// The mean of |predicted − measured| / |measured|; NaN of nothing.
  package static func meanRelativeError(measured: [Double], predicted: [Double]) -> Double {
    precondition(measured.count == predicted.count, "one prediction a measurement")
    return mean(measured.indices.map { abs(predicted[$0] - measured[$0]) / abs(measured[$0]) })
  }

  /// The central interval that holds `level` of the values: quantiles (1 − level)/2 and (1 + level)/2.
  package static func interval(_ values: [Double], level: Double) -> (low: Double, high: Double) {
    let sorted = values.sorted()
    return (quantile(sorted, (1 - level) / 2), quantile(sorted, (1 + level) / 2))
  }

  /// A percentile bootstrap interval of a statistic (Efron and Tibshirani 1993, chapter 13).
  /// - Parameters:
  ///   - values: the sample; at least one.
  ///   - replicates: resamples drawn with replacement.
  ///   - level: the share of replicates inside.
  ///   - seed: of the draw.
  ///   - statistic: computed on each resample.
  package static func bootstrapInterval(
    _ values: [Double], replicates: Int = 1_000, level: Double = 0.9, seed: UInt64, statistic: ([Double]) -> Double
  ) -> (low: Double, high: Double) {
    precondition(!values.isEmpty && replicates > 0, "a bootstrap needs values and replicates")
    let drawn = (0..<replicates).map { replicate in
      statistic(resample(values.count, seed: seed, replicate: replicate).map { values[$0] })
    }
    return interval(drawn, level: level)
  }

  /// The indices of bootstrap resample `replicate`: `count` draws with replacement from `0..<count`.
  package static func resample(_ count: Int, seed: UInt64, replicate: Int) -> [Int] {
    let random = CounterRandom(seed: seed, stream: UInt64(replicate))
    return (0..<count).map { random.integer(UInt64($0), below: count) }
  }
}
