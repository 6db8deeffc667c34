import Foundation
import Primitives

/// Predicts a measurement from the weights of a mixture.
package enum MixtureRegression: String, Codable, Sendable, CaseIterable {
  /// Σ bᵢwᵢ.
  case linear
  /// c + exp(Σ tᵢwᵢ), the data-mixing law (2403.16952) and the default of olmix.
  case logLinear = "log-linear"
  /// Scheffé's quadratic polynomial: Σ bᵢwᵢ + Σ bᵢⱼwᵢwⱼ.
  case quadratic
  /// E + 1/Σ Cᵢwᵢ^γᵢ, the mixture law of 2507.09404 at one model size and length.
  case law
  /// A Gaussian process over the square roots of the weights.
  case gaussianProcess = "gp"
  /// A Gaussian process over the logarithms of the weights, which resolves small ones.
  case logGaussianProcess = "gp-log"

  /// Whether measurements have to be positive.
  var needsPositive: Bool { self == .logLinear || self == .law }

  /// What the weights of small domains are measured against in `logGaussianProcess`.
  static let floor = 1e-3

  /// Fits the measurements of some mixtures.
  /// - Parameter start: a fit of similar data, to begin at.
  func fit(_ weights: [[Double]], _ values: [Double], start: MixtureModel? = nil) throws -> MixtureModel {
    switch self {
    case .linear: MixtureModel(self, try Ridge.fit(weights, values, penalty: Ridge.least))
    case .quadratic: try Ridge.quadratic(weights, values)
    case .logLinear, .law: MixtureModel(self, try ExponentialFit(law: self == .law, weights, values).minimize(start: start?.parameters))
    case .gaussianProcess, .logGaussianProcess:
      MixtureModel(self, try GaussianProcess.hyperparameters(weights.map(features), values, start: start?.parameters))
    }
  }

  /// What a Gaussian process sees of a mixture.
  func features(_ weights: [Double]) -> [Double] {
    weights.map { self == .logGaussianProcess ? log(max(0, $0) + Self.floor) : max(0, $0).squareRoot() }
  }
}

/// The parameters of a fitted regression. A Gaussian process also needs the runs that it was fitted to.
package struct MixtureModel: Codable, Sendable, Equatable {
  package var kind: MixtureRegression
  package var parameters: [Double]

  init(_ kind: MixtureRegression, _ parameters: [Double]) { (self.kind, self.parameters) = (kind, parameters) }

  /// A function that predicts measurements.
  /// - Parameters:
  ///   - weights: those of the runs that the model was fitted to.
  ///   - values: their measurements.
  func predictor(_ weights: [[Double]], _ values: [Double]) throws -> MixturePredictor {
    let kind = kind, parameters = parameters
    switch kind {
    case .linear:
      return MixturePredictor { w, gradient in
        for index in w.indices { gradient[index] = parameters[index] }
        return zip(w, parameters).reduce(0) { $0 + $1.0 * $1.1 }
      }
    case .quadratic: return MixturePredictor { w, gradient in Ridge.quadratic(parameters, at: w, gradient: &gradient) }
    case .logLinear, .law:
      return MixturePredictor { w, gradient in
        var unused = [Double](repeating: 0, count: parameters.count)
        return ExponentialFit.value(law: kind == .law, parameters, at: w, gradient: &unused, byWeight: &gradient)
      }
    case .gaussianProcess, .logGaussianProcess:
      let process = try GaussianProcess(parameters, weights.map(kind.features), values)
      return MixturePredictor { w, gradient in
        var byFeature = [Double](repeating: 0, count: w.count)
        let features = kind.features(w), value = process.mean(at: features, gradient: &byFeature)
        for index in w.indices {
          let slope = kind == .logGaussianProcess ? 1 / (max(0, w[index]) + MixtureRegression.floor) : 0.5 / max(features[index], 1e-3)
          gradient[index] = byFeature[index] * slope
        }
        return value
      }
    }
  }
}

/// Predicts a measurement of a mixture, with its gradient by the weights.
struct MixturePredictor: Sendable {
  let valueAndGradient: @Sendable ([Double], inout [Double]) -> Double

  init(_ valueAndGradient: @escaping @Sendable ([Double], inout [Double]) -> Double) { self.valueAndGradient = valueAndGradient }

  func callAsFunction(_ weights: [Double]) -> Double {
    var gradient = [Double](repeating: 0, count: weights.count)
    return valueAndGradient(weights, &gradient)
  }
}

/// Least squares with a penalty on the coefficients.
enum Ridge {
  /// Enough for weights whose sum is always 1.
  static let least = 1e-8
  private static let penalties = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1]

  /// - Parameter penalty: relative to the mean square of a feature and the number of runs.
  static func fit(_ rows: [[Double]], _ values: [Double], penalty: Double, center: Double = 0) throws -> [Double] {
    let count = rows[0].count
    var gram = [Double](repeating: 0, count: count * count), right = [Double](repeating: 0, count: count)
    for (row, value) in zip(rows, values) {
      for i in 0..<count where row[i] != 0 {
        right[i] += row[i] * (value - center)
        for j in 0...i { gram[i * count + j] += row[i] * row[j] }
      }
    }
    let scale = (0..<count).reduce(0) { $0 + gram[$1 * count + $1] } / Double(count)
    for i in 0..<count {
      gram[i * count + i] += penalty * scale + .leastNormalMagnitude
      for j in i + 1..<max(i + 1, count) { gram[i * count + j] = gram[j * count + i] }
    }
    guard let factor = Cholesky(gram, count: count) else {
      throw WeirError("runs", "the weights do not determine the coefficients", remedy: "measure more mixtures")
    }
    return factor.solve(right)
  }

  /// The features of Scheffé's quadratic polynomial.
  private static func products(_ w: [Double]) -> [Double] {
    w + w.indices.flatMap { i in (i + 1..<max(i + 1, w.count)).map { w[i] * w[$0] } }
  }

  /// Scheffé's polynomial of the deviations from the mean, with the penalty that predicts every fifth run best from the others.
  static func quadratic(_ weights: [[Double]], _ values: [Double]) throws -> MixtureModel {
    let rows = weights.map(products), center = Statistics.mean(values)
    func errors(_ penalty: Double) throws -> Double {
      try (0..<5).reduce(0) { sum, fold in
        let kept = rows.indices.filter { $0 % 5 != fold }
        guard !kept.isEmpty, kept.count < rows.count else { return sum }
        let fit = try Ridge.fit(kept.map { rows[$0] }, kept.map { values[$0] }, penalty: penalty, center: center)
        return rows.indices.filter { $0 % 5 == fold }.reduce(sum) { sum, row in
          let error = center + zip(rows[row], fit).reduce(0) { $0 + $1.0 * $1.1 } - values[row]
          return sum + error * error
        }
      }
    }
    let tried = try penalties.map { (penalty: $0, error: try errors($0)) }
    let best = tried.min { $0.error < $1.error }?.penalty ?? least
    return MixtureModel(.quadratic, [center] + (try fit(rows, values, penalty: best, center: center)))
  }

  static func quadratic(_ parameters: [Double], at w: [Double], gradient: inout [Double]) -> Double {
    var value = parameters[0], next = w.count + 1
    for i in w.indices {
      gradient[i] = parameters[1 + i]
      value += parameters[1 + i] * w[i]
    }
    for i in w.indices {
      for j in i + 1..<max(i + 1, w.count) {
        value += parameters[next] * w[i] * w[j]
        gradient[i] += parameters[next] * w[j]
        gradient[j] += parameters[next] * w[i]
        next += 1
      }
    }
    return value
  }
}
