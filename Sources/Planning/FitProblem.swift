import Foundation
import Primitives

/// The runs of one domain, prepared for the fit.
struct FitData: Sendable {
  let runs: [MeasuredRun]
  let points: [LawPoint]
  let logLoss: [Double]
  let scale: LawScale
  /// Whether any run repeats specialization tokens.
  let repeats: Bool

  /// - Parameter runs: at least one, in any order.
  init(_ runs: [MeasuredRun]) {
    let runs = runs.sorted(by: MeasuredRun.precedes)
    self.runs = runs
    points = runs.map { LawPoint(n: $0.n, d: $0.d, dPrime: $0.dPrime) }
    logLoss = runs.map { log($0.loss) }
    let special = runs.filter { $0.dPrime > 0 }.map { log($0.dPrime) }
    scale = LawScale(
      logN: Statistics.mean(points.map(\.logN)), logD: Statistics.mean(points.map(\.logD)),
      logTokens: Statistics.mean(runs.map { log($0.d + $0.dPrime) }),
      dPrime: special.isEmpty ? 1 : exp(Statistics.mean(special)), loss: runs.map(\.loss).min() ?? 1)
    repeats = runs.contains { run in run.unique.map { run.dPrime > $0 } ?? false }
  }
}

/// The fit of one law to one domain's runs: minimizes Σ wᵢ·Huber(ln L̂ᵢ − ln Lᵢ)/δ² plus the priors over unconstrained coordinates.
struct FitProblem: Sendable {
  let law: any Law
  let data: FitData
  let configuration: FitConfiguration
  let coordinates: LawCoordinates
  /// Whether R* is the last coordinate.
  let fitsRepetition: Bool

  init(law: any Law, data: FitData, configuration: FitConfiguration) {
    self.law = law
    self.data = data
    self.configuration = configuration
    fitsRepetition = configuration.fitsRepetition && data.repeats && law.separatesSpecialization
    var parameters = law.parameters(for: data.scale)
    if fitsRepetition {
      var repetition = LawParameter.repetition
      repetition.center = configuration.repetition
      parameters.append(repetition)
    }
    coordinates = LawCoordinates(parameters: parameters)
  }

  /// The objective and its gradient with the Huber threshold `delta`. The division is by the configured δ², whatever the threshold, so that
  /// the priors have the same weight in every stage.
  func objective(
    _ u: UnsafeBufferPointer<Double>, delta: Double, weights: [Double], scratch: inout Scratch,
    gradient g: UnsafeMutableBufferPointer<Double>
  ) -> Double {
    coordinates.natural(u, into: &scratch.theta)
    let repetition = fitsRepetition ? scratch.theta[coordinates.count - 1] : configuration.repetition
    for index in scratch.total.indices { scratch.total[index] = 0 }
    let own = fitsRepetition ? coordinates.count - 1 : coordinates.count
    var sum = 0.0
    for index in data.points.indices where weights[index] > 0 {
      var point = data.points[index]
      let effective = Repetition.effective(point.dPrime, unique: data.runs[index].unique, constant: repetition)
      point.dPrime = effective.tokens
      let value = law.evaluate(scratch.theta, at: point, gradient: &scratch.each)
      let residual = log(value.loss) - data.logLoss[index]
      sum += weights[index] * Self.huber(residual, delta)
      let slope = weights[index] * max(-delta, min(delta, residual)) / value.loss
      for parameter in 0..<own { scratch.total[parameter] += slope * scratch.each[parameter] }
      if fitsRepetition { scratch.total[own] += slope * value.byDPrime * effective.byConstant }
    }
    let unit = 1 / (configuration.delta * configuration.delta)
    for index in scratch.total.indices { scratch.total[index] *= unit }
    coordinates.pullBack(&scratch.total, theta: scratch.theta, at: u, into: g)
    return sum * unit + coordinates.prior(u, weight: configuration.priorWeight, gradient: g)
  }

  /// The Huber loss.
  static func huber(_ residual: Double, _ delta: Double) -> Double {
    let size = abs(residual)
    return size <= delta ? 0.5 * size * size : delta * (size - 0.5 * delta)
  }

  /// Buffers that the objective reuses.
  struct Scratch {
    var theta: [Double]
    var each: [Double]
    var total: [Double]

    init(_ count: Int) {
      theta = [Double](repeating: 0, count: count)
      each = theta
      total = theta
    }
  }

  /// Minimizes the objective from one starting point with a given Huber threshold.
  func descend(_ start: [Double], delta: Double, weights: [Double], iterations: Int) throws -> (point: [Double], value: Double) {
    var scratch = Scratch(coordinates.count)
    return try Minimizer.minimize(start, iterations: iterations) { u, g in
      objective(u, delta: delta, weights: weights, scratch: &scratch, gradient: g)
    }
  }

  /// The best minimum over all starting points. A short optimization with a large Huber threshold, close to least squares, ranks them: with the
  /// configured threshold, a distant starting point depends only on the signs of its residuals.
  func solve(weights: [Double], starts: [[Double]], refined: Int) throws -> [Double] {
    let ranked = try starts.map { try descend($0, delta: max(0.1, configuration.delta), weights: weights, iterations: 60) }
      .sorted { $0.value < $1.value }
    var best: (point: [Double], value: Double)?
    for candidate in ranked.prefix(refined) {
      let reached = try sharpen(candidate.point, weights: weights)
      if reached.value < best?.value ?? .infinity { best = reached }
    }
    return best?.point ?? coordinates.center
  }

  /// The final stages: an intermediate threshold, then the configured one, twice, because a restart discards a bad L-BFGS history.
  func sharpen(_ start: [Double], weights: [Double]) throws -> (point: [Double], value: Double) {
    let middle = max(0.01, configuration.delta)
    let near = try descend(start, delta: middle, weights: weights, iterations: configuration.iterations / 2 + 1)
    let first = try descend(near.point, delta: configuration.delta, weights: weights, iterations: configuration.iterations)
    return try descend(first.point, delta: configuration.delta, weights: weights, iterations: configuration.iterations / 2 + 1)
  }

  /// The starting points: a grid over E and the exponents, then random points around the medians of the priors.
  func starts(_ count: Int) -> [[Double]] {
    let parameters = coordinates.parameters
    let random = CounterRandom(seed: configuration.seed, stream: 0x5354_4152)
    return (0..<count).map { start in
      var values = parameters.map(\.center)
      for index in parameters.indices {
        let name = parameters[index].name
        if start < 16 {
          switch name {
          case "E": values[index] *= start & 1 == 0 ? 0.5 : 1.5
          case "α": values[index] = start & 2 == 0 ? 0.2 : 0.5
          case "β": values[index] = start & 4 == 0 ? 0.2 : 0.5
          case "γ": values[index] = start & 8 == 0 ? 0.15 : 0.6
          default: break
          }
        } else {
          let draw = normal(random, UInt64(start * 64 + index))
          values[index] *= exp(0.7 * min(parameters[index].spread, 1.5) * draw)
        }
        if name == "E" { values[index] = min(values[index], 0.98 * data.scale.loss) }
      }
      return coordinates.coordinates(scaled: values)
    }
  }
}

/// The standard normal number at position `index` (Box and Muller 1958).
func normal(_ random: CounterRandom, _ index: UInt64) -> Double {
  let radius = (-2 * log(1 - random.uniform(2 * index))).squareRoot()
  return radius * cos(2 * Double.pi * random.uniform(2 * index + 1))
}
