import Foundation
import Pipeline
import Primitives

/// What the best mixture is best for, and what it may not do.
package struct MixtureRequest: Codable, Sendable, Equatable {
  package enum Goal: Codable, Sendable, Equatable {
    /// The least prediction of one metric.
    case metric(String)
    /// The least of the largest prediction, each relative to that of the prior.
    case worst
  }

  package var goal: Goal
  /// [domains] the natural mixture.
  package var prior: [Double]
  /// The weight of the Kullback-Leibler divergence from the prior, in units of the goal (nats of divergence cost this much).
  package var divergence = 0.0
  /// [domains] the largest weights; nil for no bound.
  package var most: [Double]?
  /// Refits to samples of the runs, for the intervals.
  package var samples = 50
  package var randomSeed: UInt64 = 1

  package init(goal: Goal, prior: [Double]) { (self.goal, self.prior) = (goal, prior) }
}

/// The mixture that a fit predicts to be best.
package struct MixtureSolution: Codable, Sendable, Equatable {
  /// A predicted value with its 90 % interval over samples of the runs; its ends are nil without samples.
  package struct Estimate: Codable, Sendable, Equatable {
    package var value: Double
    package var low: Double?
    package var high: Double?
  }

  package var request: MixtureRequest
  package var domains: [String]
  /// [domains]
  package var weights: [Estimate]
  /// By metric: the prediction, and how far it lies below that of the prior.
  package var metrics: [String: Estimate]
  package var gains: [String: Estimate]
  /// The divergence from the prior, in nats.
  package var divergence: Double
  package var notes: [String]
}

/// Searches the best mixture: L-BFGS over the logarithms of the weights, from the prior and from the best measured mixtures.
enum MixtureSearch {
  /// The measured mixtures that a search also begins at.
  private static let starts = 8
  private static let iterations = 200
  /// How sharply the largest of several metrics counts: in relative units of the metrics.
  private static let sharpness = 500.0
  private static let smallest = 1e-6

  /// The best mixture under some predictors.
  /// - Parameters:
  ///   - predictors: those of the goal's metrics.
  ///   - measured: mixtures to begin at.
  static func solve(_ request: MixtureRequest, _ predictors: [MixturePredictor], measured: [[Double]]) throws -> [Double] {
    let prior = request.prior, count = prior.count
    let natural = predictors.map { $0(prior) }
    /// The goal and its gradient by the weights.
    @Sendable func goal(_ w: [Double], _ gradient: inout [Double]) -> Double {
      for index in gradient.indices { gradient[index] = 0 }
      var own = gradient, value = 0.0
      if case .worst = request.goal {
        var slopes: [[Double]] = [], ratios: [Double] = []
        for (predictor, base) in zip(predictors, natural) {
          ratios.append(predictor.valueAndGradient(w, &own) / base)
          slopes.append(own.map { $0 / base })
        }
        let top = ratios.max() ?? 0, powers = ratios.map { exp(sharpness * ($0 - top)) }, sum = powers.reduce(0, +)
        value = top + log(sum) / sharpness
        for (power, slope) in zip(powers, slopes) { for index in gradient.indices { gradient[index] += power / sum * slope[index] } }
      } else {
        value = predictors[0].valueAndGradient(w, &own)
        gradient = own
      }
      if request.divergence > 0 {
        for index in w.indices where w[index] > 0 {
          let ratio = log(w[index] / max(prior[index], smallest))
          value += request.divergence * w[index] * ratio
          gradient[index] += request.divergence * (ratio + 1)
        }
      }
      return value
    }
    func value(_ w: [Double]) -> Double {
      var unused = [Double](repeating: 0, count: count)
      return goal(w, &unused)
    }
    let known = measured.map { bounded($0, request.most) }.map { ($0, value($0)) }.sorted { $0.1 < $1.1 }.prefix(starts).map(\.0)
    var best = (point: bounded(prior, request.most), value: value(bounded(prior, request.most)))
    for start in [best.point] + known {
      let begin = start.map { log(max($0, smallest)) }
      let found = try Minimizer.minimize(begin, iterations: iterations) { x, gradient in
        let free = softmax(Array(x))
        let w = bounded(free, request.most)
        var byWeight = [Double](repeating: 0, count: count)
        var value = goal(w, &byWeight)
        // What exceeds a bound is pulled back; the goal itself is that of the bounded mixture.
        for index in w.indices {
          let over = free[index] - w[index]
          if over > 0 {
            value += over * over
            byWeight[index] = 2 * over
          }
        }
        let mean = zip(free, byWeight).reduce(0) { $0 + $1.0 * $1.1 }
        for index in w.indices { gradient[index] = free[index] * (byWeight[index] - mean) }
        return value
      }
      let point = bounded(softmax(found.point), request.most), reached = value(point)
      if reached < best.value { best = (point, reached) }
    }
    return best.point
  }

  private static func softmax(_ x: [Double]) -> [Double] {
    let top = x.max() ?? 0, powers = x.map { exp($0 - top) }, sum = powers.reduce(0, +)
    return powers.map { $0 / sum }
  }

  /// The mixture in proportion to `weights` that keeps to the bounds.
  static func bounded(_ weights: [Double], _ most: [Double]?) -> [Double] {
    let sum = weights.reduce(0, +)
    var result = weights.map { $0 / max(sum, .leastNormalMagnitude) }
    guard let most else { return result }
    var isFull = [Bool](repeating: false, count: result.count)
    while true {
      let new = result.indices.filter { !isFull[$0] && result[$0] > most[$0] }
      guard !new.isEmpty else { return result }
      for index in new { isFull[index] = true }
      let taken = result.indices.filter { isFull[$0] }.reduce(0) { $0 + most[$1] }
      let free = result.indices.filter { !isFull[$0] }, rest = free.reduce(0) { $0 + weights[$1] }
      for index in result.indices where isFull[index] { result[index] = most[index] }
      for index in free {
        result[index] = rest > 0 ? weights[index] / rest * (1 - taken) : (1 - taken) / Double(free.count)
      }
    }
  }
}

extension MixtureFit {
  /// The best mixture for a goal.
  /// - Throws: `WeirError` if the bounds leave no mixture; `Stopped`.
  package func solve(_ request: MixtureRequest, threads: Int, progress: Pipeline.Progress = .silent) throws -> MixtureSolution {
    guard request.prior.count == runs.domains.count, request.prior.allSatisfy({ $0 >= 0 }), abs(request.prior.reduce(0, +) - 1) < 1e-6
    else {
      throw WeirError("prior", "must be weights of the fit's \(runs.domains.count) domains with the sum 1")
    }
    guard request.divergence >= 0, request.divergence.isFinite else {
      throw WeirError("divergence", "must be a finite number ≥ 0, not \(request.divergence)")
    }
    if let most = request.most, most.reduce(0, +) < 1 {
      throw WeirError(
        "most", "the domains may have at most \(Format.percent(most.reduce(0, +), 1)) of the tokens in all",
        remedy: "allow more epochs or use fewer tokens")
    }
    let chosen: [Int] =
      switch request.goal {
      case .metric(let name): [try metric(name, place: "goal")]
      case .worst: metrics.indices.filter { metrics[$0].name != Self.mean }
      }
    let whole = try metrics.indices.map(predictor), measured = runs.weights
    let best = try MixtureSearch.solve(request, chosen.map { whole[$0] }, measured: measured)
    // Hyperparameters are kept, coefficients are fitted again.
    let samples = try parallelMap(request.samples, threads: threads) { sample -> (weights: [Double], values: [Double], gains: [Double])? in
      try progress.checkStop()
      let random = CounterRandom(seed: request.randomSeed, stream: UInt64(sample))
      let drawn = runs.subset(runs.names.indices.map { random.integer(UInt64($0), below: runs.names.count) })
      let own = try metrics.indices.map { index -> MixturePredictor in
        let (weights, values) = drawn.measured(index), model = metrics[index].model
        switch model.kind {
        case .gaussianProcess, .logGaussianProcess: return try model.predictor(weights, values)
        default: return try model.kind.fit(weights, values, start: model).predictor(weights, values)
        }
      }
      let found = try MixtureSearch.solve(request, chosen.map { own[$0] }, measured: [best])
      return (found, own.map { $0(best) }, own.map { $0(request.prior) - $0(best) })
    }.compactMap(\.self)
    func estimate(_ value: Double, _ of: [Double]) -> MixtureSolution.Estimate {
      guard !of.isEmpty else { return .init(value: value) }
      let (low, high) = Statistics.interval(of, level: 0.9)
      return .init(value: value, low: min(low, value), high: max(high, value))
    }
    var notes: [String] = []
    for (index, name) in runs.domains.enumerated() {
      let used = runs.weights.map { $0[index] }, most = used.max() ?? 0
      if best[index] > most + 1e-9 {
        notes.append(
          "\(name) gets \(Format.percent(best[index], 1)), more than in any run (\(Format.percent(most, 1))): that is extrapolation")
      }
    }
    return MixtureSolution(
      request: request, domains: runs.domains,
      weights: best.indices.map { index in estimate(best[index], samples.map { $0.weights[index] }) },
      metrics: Dictionary(
        uniqueKeysWithValues: metrics.indices.map { index in
          (metrics[index].name, estimate(whole[index](best), samples.map { $0.values[index] }))
        }),
      gains: Dictionary(
        uniqueKeysWithValues: metrics.indices.map { index in
          (metrics[index].name, estimate(whole[index](request.prior) - whole[index](best), samples.map { $0.gains[index] }))
        }),
      divergence: zip(best, request.prior).reduce(0) { $1.0 > 0 ? $0 + $1.0 * log($1.0 / max($1.1, 1e-12)) : $0 }, notes: notes)
  }
}
