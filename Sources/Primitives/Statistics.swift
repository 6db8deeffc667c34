import Foundation

/// Statistics of arrays. Sums run in index order, so that results are reproducible bit for bit.
package enum Statistics {
  /// The arithmetic mean; NaN for an empty array.
  package static func mean(_ values: [Double]) -> Double { values.isEmpty ? .nan : values.reduce(0, +) / Double(values.count) }

  /// The weighted mean; NaN where the weights sum to 0.
  /// - Parameter weights: one per value, none negative.
  package static func mean(_ values: [Double], weights: [Double]) -> Double {
    precondition(values.count == weights.count, "there must be one weight per value")
    var sum = 0.0
    var total = 0.0
    for index in values.indices {
      sum += values[index] * weights[index]
      total += weights[index]
    }
    return total == 0 ? .nan : sum / total
  }

  /// Spearman's rank correlation, with mean ranks for equal values; NaN where all values of one side are equal. O(n log n).
  package static func rankCorrelation(_ a: [Double], _ b: [Double]) -> Double {
    precondition(a.count == b.count, "there must be pairs of values")
    let x = ranks(a), y = ranks(b), middle = Double(a.count - 1) / 2
    var (xy, xx, yy) = (0.0, 0.0, 0.0)
    for index in x.indices {
      xy += (x[index] - middle) * (y[index] - middle)
      xx += (x[index] - middle) * (x[index] - middle)
      yy += (y[index] - middle) * (y[index] - middle)
    }
    return xy / (xx * yy).squareRoot()
  }

  /// The ranks from 0, equal values with their mean.
  private static func ranks(_ values: [Double]) -> [Double] {
    let order = values.indices.sorted { (values[$0], $0) < (values[$1], $1) }
    var ranks = values, first = 0
    while first < order.count {
      var end = first + 1
      while end < order.count, values[order[end]] == values[order[first]] { end += 1 }
      for place in first..<end { ranks[order[place]] = Double(first + end - 1) / 2 }
      first = end
    }
    return ranks
  }

  /// The quantile at a probability in 0…1, with linear interpolation (type 7 of Hyndman and Fan 1996); NaN for an empty array. O(n log n).
  package static func quantile(_ values: [Double], _ probability: Double) -> Double {
    precondition(probability >= 0 && probability <= 1, "the probability is not in 0…1")
    guard !values.isEmpty else { return .nan }
    let sorted = values.sorted()
    let position = probability * Double(sorted.count - 1)
    let below = Int(position)
    guard below + 1 < sorted.count else { return sorted[below] }
    let fraction = position - Double(below)
    return fraction == 0 ? sorted[below] : sorted[below] + fraction * (sorted[below + 1] - sorted[below])
  }

  /// The interval of a proportion that covers it with a probability of 95 % (Wilson 1927).
  package static func wilson(_ successes: Int, of count: Int) -> ClosedRange<Double> {
    precondition(count > 0 && (0...count).contains(successes), "the proportion is not in 0…1")
    let n = Double(count), p = Double(successes) / n, z = 1.959963984540054
    let center = (p + z * z / (2 * n)) / (1 + z * z / n)
    let width = z / (1 + z * z / n) * (p * (1 - p) / n + z * z / (4 * n * n)).squareRoot()
    // The ends are exact where rounding would miss them.
    return (successes == 0 ? 0 : center - width)...(successes == count ? 1 : center + width)
  }

  /// R², the share of the variance of `measured` that `predicted` explains: NaN where `measured` does not vary, negative where its mean predicts
  /// better.
  package static func r2(measured: [Double], predicted: [Double]) -> Double {
    precondition(measured.count == predicted.count, "there must be one prediction per measurement")
    let center = mean(measured)
    var residual = 0.0
    var total = 0.0
    for index in measured.indices {
      residual += (measured[index] - predicted[index]) * (measured[index] - predicted[index])
      total += (measured[index] - center) * (measured[index] - center)
    }
    return total == 0 ? .nan : 1 - residual / total
  }

  /// The mean of |predicted − measured| / |measured|; NaN for empty arrays.
  package static func meanRelativeError(measured: [Double], predicted: [Double]) -> Double {
    precondition(measured.count == predicted.count, "there must be one prediction per measurement")
    return mean(measured.indices.map { abs(predicted[$0] - measured[$0]) / abs(measured[$0]) })
  }

  /// The central interval that covers `level` of the values: the quantiles (1 − level)/2 and (1 + level)/2.
  package static func interval(_ values: [Double], level: Double) -> (low: Double, high: Double) {
    let sorted = values.sorted()
    return (quantile(sorted, (1 - level) / 2), quantile(sorted, (1 + level) / 2))
  }

  /// The 97.5 % quantile of Student's t distribution, for 95 % intervals of a mean: by the expansion of Abramowitz and Stegun 26.7.5, which is
  /// right to three decimals from six degrees of freedom on.
  package static func studentT95(degreesOfFreedom: Int) -> Double {
    precondition(degreesOfFreedom > 0, "there must be at least one degree of freedom")
    let exact = [12.7062, 4.3027, 3.1824, 2.7764, 2.5706]
    if degreesOfFreedom <= exact.count { return exact[degreesOfFreedom - 1] }
    let z = 1.959964, n = Double(degreesOfFreedom), z2 = z * z
    let first = z * (z2 + 1) / 4, second = z * ((5 * z2 + 16) * z2 + 3) / 96, third = z * (((3 * z2 + 19) * z2 + 17) * z2 - 15) / 384
    return z + (first + (second + third / n) / n) / n
  }

  /// The indices of bootstrap resample `replicate`: `count` samples from `0..<count` with replacement.
  package static func resample(_ count: Int, seed: UInt64, replicate: Int) -> [Int] {
    let random = CounterRandom(seed: seed, stream: UInt64(replicate))
    return (0..<count).map { random.integer(UInt64($0), below: count) }
  }
}
