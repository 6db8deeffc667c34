import Foundation
import Primitives

/// Least squares of c + exp(Σ tᵢwᵢ), with parameters c, t₁, …; or of E + 1/Σ Cᵢwᵢ^γᵢ, with parameters E, log C₁, …, log γ₁, ….
struct ExponentialFit {
  let law: Bool
  let weights: [[Double]]
  let values: [Double]

  private static let iterations = 400
  /// Where the constant starts, as parts of the smallest measurement.
  private static let starts = [0.0, 0.5, 0.9]

  init(law: Bool, _ weights: [[Double]], _ values: [Double]) { (self.law, self.weights, self.values) = (law, weights, values) }

  /// The parameters with the smallest sum of squares, from several starts.
  func minimize(start: [Double]?) throws -> [Double] {
    let domains = weights[0].count, least = values.min() ?? 0, mean = Statistics.mean(values)
    guard least > 0 else { throw WeirError("metrics", "\(law ? "law" : "log-linear") needs positive measurements, not \(least)") }
    let points =
      start.map { [$0] }
      ?? Self.starts.map { part in
        let rest = max(mean - part * least, 1e-6)
        return law
          ? [part * least] + [Double](repeating: -log(rest), count: domains) + [Double](repeating: -1, count: domains)
          : [part * least] + [Double](repeating: log(rest), count: domains)
      }
    let scale = 1 / max(values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }, 1e-12)
    var best: (point: [Double], value: Double)?
    for point in points {
      let found = try Minimizer.minimize(point, iterations: Self.iterations) { x, gradient in
        let parameters = Array(x)
        var sum = 0.0, own = [Double](repeating: 0, count: parameters.count), unused = [Double](repeating: 0, count: domains)
        var total = own
        for (w, value) in zip(weights, values) {
          let error = Self.value(law: law, parameters, at: w, gradient: &own, byWeight: &unused) - value
          sum += error * error
          for index in total.indices { total[index] += 2 * error * own[index] }
        }
        for index in total.indices { gradient[index] = total[index] * scale }
        return sum * scale
      }
      if best.map({ found.value < $0.value }) ?? true { best = found }
    }
    return best?.point ?? points[0]
  }

  /// The function, with its gradients by the parameters and by the weights.
  static func value(law: Bool, _ parameters: [Double], at w: [Double], gradient: inout [Double], byWeight: inout [Double]) -> Double {
    let count = w.count
    gradient[0] = 1
    guard law else {
      let power = exp(min(700, w.indices.reduce(0) { $0 + parameters[1 + $1] * w[$1] }))
      for index in 0..<count {
        gradient[1 + index] = power * w[index]
        byWeight[index] = power * parameters[1 + index]
      }
      return parameters[0] + power
    }
    var sum = 1e-9
    for index in 0..<count {
      let x = max(w[index], 1e-9), gamma = exp(parameters[1 + count + index]), term = exp(parameters[1 + index] + gamma * log(x))
      sum += term
      gradient[1 + index] = term
      gradient[1 + count + index] = term * gamma * log(x)
      byWeight[index] = term * gamma / x
    }
    let slope = -1 / (sum * sum)
    for index in 0..<count {
      gradient[1 + index] *= slope
      gradient[1 + count + index] *= slope
      byWeight[index] *= slope
    }
    return parameters[0] + 1 / sum
  }
}
