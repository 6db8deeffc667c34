import CKernels
import Foundation
import Primitives

/// The runs of one domain, prepared for the fit.
struct FitData: Sendable {
  let runs: [MeasuredRun]
  let points: [LawPoint]
  /// ln of the losses, padded like the columns of the points.
  let logLoss: [Double]
  let scale: LawScale
  /// Whether any run repeats specialization tokens.
  let repeats: Bool
  /// The weight of every run: one over the number of evaluations of its trajectory, which do not err independently of each other.
  let weights: [Double]
  /// The number of model sizes.
  let sizes: Int

  /// - Parameter runs: at least one, in any order.
  init(_ runs: [MeasuredRun]) {
    let runs = runs.sorted(by: MeasuredRun.precedes)
    self.runs = runs
    points = runs.map { LawPoint(n: $0.n, d: $0.d, dPrime: $0.dPrime, mixture: $0.mixture ?? []) }
    let logs = runs.map { log($0.loss) }
    logLoss = logs + Array(repeating: logs.last ?? 0, count: (8 - logs.count % 8) % 8)
    let special = runs.filter { $0.dPrime > 0 }.map { log($0.dPrime) }
    scale = LawScale(
      logN: Statistics.mean(points.map(\.logN)), logD: Statistics.mean(points.map(\.logD)),
      logTokens: Statistics.mean(runs.map { log($0.d + $0.dPrime) }),
      dPrime: special.isEmpty ? 1 : exp(Statistics.mean(special)), loss: runs.map(\.loss).min() ?? 1,
      sources: runs.first?.mixture?.count ?? 0)
    sizes = Set(runs.map(\.n)).count
    repeats = runs.contains { run in run.unique.map { run.dPrime > $0 } ?? false }
    var evaluations: [String: Double] = [:]
    for run in runs { if let trajectory = run.trajectory { evaluations[trajectory, default: 0] += 1 } }
    weights = runs.map { run in 1 / (run.trajectory.flatMap { evaluations[$0] } ?? 1) }
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
  /// The coordinates that stay at their center: α where the runs have two sizes, between which any α fits with some E and A. A guess within the
  /// range of published exponents extrapolates better than the end of a valley that the noise picks.
  let held: [Int]
  /// The points, with repeated tokens discounted by the configured R*.
  let columns: LawColumns

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
    held = data.sizes > 2 ? [] : parameters.indices.filter { parameters[$0].name == "α" }
    columns = LawColumns(
      zip(data.points, data.runs).map { point, run in
        LawPoint(
          n: point.n, d: point.d,
          dPrime: Repetition.effective(point.dPrime, unique: run.unique, constant: configuration.repetition).tokens,
          trained: point.dPrime, mixture: point.mixture)
      })
  }

  /// The weights of the runs, padded with 0.
  func padded(_ weights: [Double]) -> [Double] { weights + Array(repeating: 0, count: columns.count - weights.count) }

  /// The objective and its gradient with the Huber threshold `delta`. The division is by the configured δ², whatever the threshold, so that
  /// the priors have the same weight in every stage.
  /// - Parameter weights: of the runs, padded with 0.
  func objective(
    _ u: UnsafeBufferPointer<Double>, delta: Double, weights: [Double], workspace: LawWorkspace,
    gradient g: UnsafeMutableBufferPointer<Double>
  ) -> Double {
    coordinates.natural(u, into: &workspace.theta)
    evaluate(workspace)
    let sum = weir_law_huber(workspace.losses, data.logLoss, weights, workspace.slopes, columns.count, delta)
    let unit = 1 / (configuration.delta * configuration.delta)
    for index in workspace.total.indices {
      workspace.total[index] = unit * weir_law_product(workspace.slopes, workspace.gradient[index], columns.count)
    }
    coordinates.pullBack(&workspace.total, theta: workspace.theta, at: u, into: g)
    let value = sum * unit + coordinates.prior(u, weight: configuration.priorWeight, gradient: g)
    for index in held { g[index] = 0 }
    return value
  }

  /// The losses and their derivatives at the parameters of the workspace.
  private func evaluate(_ workspace: LawWorkspace) {
    guard fitsRepetition else { return law.evaluate(workspace.theta, at: columns, losses: workspace.losses, gradient: workspace.gradient) }
    let own = coordinates.count - 1
    var each = [Double](repeating: 0, count: own)
    for index in 0..<columns.count {
      let run = data.runs[min(index, data.runs.count - 1)]
      var point = columns.points[index]
      let effective = Repetition.effective(run.dPrime, unique: run.unique, constant: workspace.theta[own])
      point.dPrime = effective.tokens
      let value = law.evaluate(workspace.theta, at: point, gradient: &each)
      workspace.losses[index] = value.loss
      for parameter in 0..<own { workspace.gradient[parameter][index] = each[parameter] }
      workspace.gradient[own][index] = effective.byConstant == 0 ? 0 : value.byDPrime * effective.byConstant
    }
  }

  /// The Huber loss.
  static func huber(_ residual: Double, _ delta: Double) -> Double {
    let size = abs(residual)
    return size <= delta ? 0.5 * size * size : delta * (size - 0.5 * delta)
  }

  /// Minimizes the objective from one starting point with a given Huber threshold.
  func descend(
    _ start: [Double], delta: Double, weights: [Double], iterations: Int, stall: Double = 1e-12
  ) throws -> (point: [Double], value: Double) {
    let workspace = LawWorkspace(parameters: coordinates.count, count: columns.count)
    return try Minimizer.minimize(start, iterations: iterations, stall: stall) { u, g in
      objective(u, delta: delta, weights: weights, workspace: workspace, gradient: g)
    }
  }

  /// The best minimum over all starting points. A short optimization with a large Huber threshold, close to least squares, ranks them: with the
  /// configured threshold, a distant starting point depends only on the signs of its residuals.
  func solve(starts: [[Double]], threads: Int) throws -> [Double] {
    let weights = padded(data.weights)
    let delta = max(0.1, configuration.delta)
    let ranked = try parallelMap(starts.count, threads: threads) { index in
      try descend(starts[index], delta: delta, weights: weights, iterations: 60, stall: 1e-4)
    }.sorted { $0.value < $1.value }
    let refined = Array(ranked.prefix(configuration.refined))
    let reached = try parallelMap(refined.count, threads: threads) { try sharpen(refined[$0].point, weights: weights) }
    return reached.min { $0.value < $1.value }?.point ?? coordinates.center
  }

  /// The final stages: an intermediate threshold, then the configured one, twice, because a restart discards a bad L-BFGS history.
  /// - Parameter weights: of the runs, padded with 0.
  func sharpen(_ start: [Double], weights: [Double]) throws -> (point: [Double], value: Double) {
    let middle = max(0.01, configuration.delta)
    let near = try descend(start, delta: middle, weights: weights, iterations: configuration.iterations / 2 + 1, stall: 1e-6)
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
        if held.contains(index) { values[index] = parameters[index].center }
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
