import Foundation
import Primitives

/// A Gaussian process with a squared-exponential kernel that has a length for every feature, a linear kernel, and noise (Rasmussen and Williams
/// 2006, chapters 2 and 5). Measurements are standardized. Hyperparameters maximize the marginal likelihood with a weak prior toward 1, which is ours.
///
/// Hyperparameters are logarithms: the lengths, the variances of the kernel and of the noise, and the factor of the linear kernel.
struct GaussianProcess: Sendable {
  private static let iterations = 60, refits = 12
  private static let prior = 0.01, jitter = 1e-8

  private let features: [[Double]]
  private let parameters: [Double]
  private let center: Double
  private let scale: Double
  /// K⁻¹·y, and Σ of its features for the linear kernel.
  private let alpha: [Double]
  private let slope: [Double]

  /// - Throws: `WeirError` if the kernel of the runs is not positive definite.
  init(_ parameters: [Double], _ features: [[Double]], _ values: [Double]) throws {
    (self.parameters, self.features) = (parameters, features)
    (center, scale) = Self.standard(values)
    let kernel = Kernel(parameters, features)
    guard let factor = Cholesky(kernel.sum, count: features.count) else {
      throw WeirError("fit", "the Gaussian process is singular", remedy: "choose another regression")
    }
    let alpha = factor.solve(values.map { [center, scale] in ($0 - center) / scale })
    self.alpha = alpha
    slope = features[0].indices.map { feature in
      exp(parameters[parameters.count - 1]) * zip(alpha, features).reduce(0) { $0 + $1.0 * $1.1[feature] }
    }
  }

  private static func standard(_ values: [Double]) -> (center: Double, scale: Double) {
    let mean = Statistics.mean(values)
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(max(1, values.count))
    return (mean, max(variance.squareRoot(), 1e-12))
  }

  /// The prediction at some features, with its gradient by them.
  func mean(at x: [Double], gradient: inout [Double]) -> Double {
    var value = 0.0
    let count = x.count, rates = (0..<count).map { exp(-2 * parameters[$0]) }, variance = exp(parameters[count])
    for index in 0..<count { gradient[index] = slope[index] }
    for index in 0..<count { value += slope[index] * x[index] }
    for (own, weight) in zip(features, alpha) {
      var distance = 0.0
      for index in 0..<count {
        let difference = x[index] - own[index]
        distance += difference * difference * rates[index]
      }
      let part = weight * variance * exp(-0.5 * distance)
      value += part
      for index in 0..<count { gradient[index] -= part * rates[index] * (x[index] - own[index]) }
    }
    for index in 0..<count { gradient[index] *= scale }
    return center + scale * value
  }

  /// The kernel of all runs, and its first part.
  private struct Kernel {
    var part: [Double]
    var sum: [Double]

    init(_ parameters: [Double], _ features: [[Double]]) {
      let runs = features.count, count = features[0].count
      let rates = (0..<count).map { exp(-2 * parameters[$0]) }, variance = exp(parameters[count])
      let noise = exp(parameters[count + 1]) + GaussianProcess.jitter, linear = exp(parameters[count + 2])
      // Features by their rates, so that distances are those of points.
      let scaled = features.map { row in zip(row, rates).map { $0 * $1.squareRoot() } }
      part = [Double](repeating: 0, count: runs * runs)
      sum = part
      for i in 0..<runs {
        for j in 0...i {
          var distance = 0.0, product = 0.0
          for index in 0..<count {
            let difference = scaled[i][index] - scaled[j][index]
            distance += difference * difference
            product += features[i][index] * features[j][index]
          }
          let value = variance * exp(-0.5 * distance)
          part[i * runs + j] = value
          part[j * runs + i] = value
          sum[i * runs + j] = value + linear * product + (i == j ? noise : 0)
          sum[j * runs + i] = sum[i * runs + j]
        }
      }
    }
  }

  /// The hyperparameters of the largest posterior density.
  /// - Parameter start: those of similar runs, which are then improved in a few steps.
  static func hyperparameters(_ features: [[Double]], _ values: [Double], start: [Double]?) throws -> [Double] {
    let runs = features.count, count = features[0].count, (center, scale) = standard(values)
    let y = values.map { ($0 - center) / scale }
    let begin = start ?? [Double](repeating: 0, count: count) + [0, -4, -2]
    let (point, _) = try Minimizer.minimize(begin, iterations: start == nil ? iterations : refits) { x, gradient in
      let parameters = Array(x), kernel = Kernel(parameters, features)
      guard let factor = Cholesky(kernel.sum, count: runs) else { return .infinity }
      let alpha = factor.solve(y), inverse = factor.inverse()
      var value = 0.5 * (zip(y, alpha).reduce(0) { $0 + $1.0 * $1.1 } + factor.logDeterminant)
      let rates = (0..<count).map { exp(-2 * parameters[$0]) }, linear = exp(parameters[count + 2])
      var byLength = [Double](repeating: 0, count: count), byVariance = 0.0, byNoise = 0.0, byLinear = 0.0
      for i in 0..<runs {
        let a = features[i]
        for j in 0...i {
          let b = features[j], twice = i == j ? 1.0 : 2.0
          let pull = twice * (alpha[i] * alpha[j] - inverse[i * runs + j]), share = pull * kernel.part[i * runs + j]
          byVariance += share
          var product = 0.0
          for index in 0..<count {
            let difference = a[index] - b[index]
            byLength[index] += share * difference * difference
            product += a[index] * b[index]
          }
          byLinear += pull * product
          if i == j { byNoise += pull }
        }
      }
      for index in 0..<count { gradient[index] = -0.5 * byLength[index] * rates[index] }
      gradient[count] = -0.5 * byVariance
      gradient[count + 1] = -0.5 * byNoise * exp(parameters[count + 1])
      gradient[count + 2] = -0.5 * byLinear * linear
      for index in parameters.indices {
        value += prior * parameters[index] * parameters[index]
        gradient[index] += 2 * prior * parameters[index]
      }
      return value
    }
    return point
  }
}
