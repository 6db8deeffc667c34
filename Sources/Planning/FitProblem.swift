import Foundation
import Primitives

/// The runs of one domain, laid out for the fit.
struct FitData: Sendable {
  let runs: [PlanRun]
  let points: [LawPoint]
  let logLoss: [Double]
  let scale: LawScale
  /// Whether any run saw a specialisation token twice.
  let repeats: Bool

  /// - Parameter runs: at least one; put into a fixed order.
  init(_ runs: [PlanRun]) {
    let runs = runs.sorted(by: PlanRun.precedes)
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

/// One law and one domain's runs: Σ wᵢ·Huber(ln L̂ᵢ − ln Lᵢ)/δ² + priors, in unconstrained coordinates.
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
    fitsRepetition = configuration.fitsRepetition && data.repeats && law.separatesSpecialisation
    var parameters = law.parameters(for: data.scale)
    if fitsRepetition {
      var repetition = LawParameter.repetition
      repetition.centre = configuration.repetition
      parameters.append(repetition)
    }
    coordinates = LawCoordinates(parameters: parameters)
  }

  /// The objective with Huber's corner at `delta`; divided by the configured δ² whatever the corner, so that the priors
  /// weigh the same in every stage.
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

  /// Huber's loss.
  static func huber(_ residual: Double, _ delta: Double) -> Double {
    let size = abs(residual)
    return size <= delta ? 0.5 * size * size : delta * (size - 0.5 * delta)
  }

  /// Arrays that the objective reuses.
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

  /// Walks from one place with a given corner.
  func descend(_ start: [Double], delta: Double, weights: [Double], iterations: Int) throws -> (place: [Double], value: Double) {
    var scratch = Scratch(coordinates.count)
    return try Minimizer.minimize(start, iterations: iterations) { u, g in
      objective(u, delta: delta, weights: weights, scratch: &scratch, gradient: g)
    }
  }

  /// The best place over all starts. A short descent with a wide corner, near least squares, ranks them: with the narrow one
  /// a far start sees only the signs of its residuals.
  func solve(weights: [Double], starts: [[Double]], refined: Int) throws -> [Double] {
    let ranked = try starts.map { try descend($0, delta: max(0.1, configuration.delta), weights: weights, iterations: 60) }
      .sorted { $0.value < $1.value }
    var best: (place: [Double], value: Double)?
    for candidate in ranked.prefix(refined) {
      let reached = try sharpen(candidate.place, weights: weights)
      if reached.value < best?.value ?? .infinity { best = reached }
    }
    return best?.place ?? coordinates.centre
  }

  /// The last two stages: a corner in between, then the configured one, twice, for L-BFGS forgets a bad history.
  func sharpen(_ start: [Double], weights: [Double]) throws -> (place: [Double], value: Double) {
    let middle = max(0.01, configuration.delta)
    let near = try descend(start, delta: middle, weights: weights, iterations: configuration.iterations / 2 + 1)
    let first = try descend(near.place, delta: configuration.delta, weights: weights, iterations: configuration.iterations)
    return try descend(first.place, delta: configuration.delta, weights: weights, iterations: configuration.iterations / 2 + 1)
  }

  /// The starts: a grid over E and the exponents, then draws around the priors.
  func starts(_ count: Int) -> [[Double]] {
    let parameters = coordinates.parameters
    let random = CounterRandom(seed: configuration.seed, stream: 0x5354_4152)
    return (0..<count).map { start in
      var values = parameters.map(\.centre)
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

/// A standard normal draw at position `index` (Box and Muller 1958).
func normal(_ random: CounterRandom, _ index: UInt64) -> Double {
  let radius = (-2 * log(1 - random.uniform(2 * index))).squareRoot()
  return radius * cos(2 * Double.pi * random.uniform(2 * index + 1))
}
