import Pipeline
import Primitives

/// Regressions from the weights of a mixture to what was measured of its runs, one per metric.
package struct MixtureFit: Codable, Sendable, Equatable {
  /// How well a regression predicts runs that it was not fitted to.
  package struct Score: Codable, Sendable, Equatable {
    package var regression: MixtureRegression
    /// Spearman's rank correlation on held-out runs.
    package var rank: Double
    /// Mean absolute error on held-out runs, relative to the mean absolute measurement.
    package var error: Double
  }

  /// The regressions of one metric.
  package struct Metric: Codable, Sendable, Equatable {
    package var name: String
    /// The runs that have a measurement.
    package var runs: Int
    package var scores: [Score]
    /// The selected regression, fitted to all runs.
    package var model: MixtureModel
  }

  /// `weir.mixture-fit.1`.
  package var format = "weir.mixture-fit.1"
  package var runs: MixtureRuns
  package var metrics: [Metric]
  package var notes: [String]

  /// The name of the mean over all metrics, which is fitted like one of them.
  package static let mean = "mean"
  /// Runs are held out in this many parts, by their place in the file.
  static let folds = 5
  /// The fewest runs.
  package static let fewestRuns = 10
  /// Rank correlations that differ by less are equal.
  static let sameRank = 0.002

  /// Fits every regression to every metric, and to their mean, and selects by the rank correlation on held-out runs, then by the error on them.
  /// - Throws: `WeirError` where there are too few runs, or one regression cannot be fitted; `Stopped`.
  package static func fit(
    _ runs: MixtureRuns, notes: [String] = [], regressions: [MixtureRegression] = MixtureRegression.allCases, threads: Int,
    progress: Pipeline.Progress = .silent
  ) throws -> MixtureFit {
    guard !regressions.isEmpty else { throw WeirError("regressions", "is empty", remedy: "name at least one") }
    var runs = runs, notes = notes
    if runs.metrics.count > 1, !runs.metrics.contains(mean) {
      runs.metrics.append(mean)
      for index in runs.values.indices {
        let known = runs.values[index].compactMap(\.self)
        runs.values[index].append(known.count + 1 == runs.metrics.count ? Statistics.mean(known) : nil)
      }
    }
    let whole = runs
    let counts = runs.metrics.indices.map { runs.measured($0).values.count }
    if let few = counts.indices.first(where: { counts[$0] < fewestRuns }) {
      throw WeirError(
        "runs", "metric \"\(runs.metrics[few])\" has \(counts[few]) runs, fewer than \(fewestRuns)", remedy: "measure more mixtures")
    }
    if counts.contains(where: { $0 < 2 * runs.domains.count }) {
      notes.append("there are fewer than 2 runs per domain: interactions of domains are not known")
    }
    for (index, name) in runs.domains.enumerated() where Set(runs.weights.map { $0[index] }).count < 3 {
      notes.append("domain \"\(name)\" has fewer than three different weights; its effect is not known")
    }
    // Laws of losses fit positive measurements only.
    let jobs = runs.metrics.indices.flatMap { metric -> [(metric: Int, regression: MixtureRegression)] in
      let isPositive = runs.measured(metric).values.allSatisfy { $0 > 0 }
      return regressions.filter { isPositive || !$0.needsPositive }.map { (metric, $0) }
    }
    if let none = runs.metrics.indices.first(where: { metric in !jobs.contains { $0.metric == metric } }) {
      throw WeirError(
        "regressions", "metric \"\(runs.metrics[none])\" is not positive, so these cannot fit it", remedy: "add linear, quadratic or gp")
    }
    let results = try parallelMap(jobs.count, threads: threads) { index -> (Score, MixtureModel) in
      try progress.checkStop()
      let (metric, regression) = jobs[index]
      let (weights, values) = whole.measured(metric)
      return try score(regression, weights, values)
    }
    let metrics = runs.metrics.indices.map { metric -> Metric in
      let own = results.indices.filter { jobs[$0].metric == metric }.map { results[$0] }
      let top = own.map(\.0.rank).max() ?? 0
      let best = own.filter { $0.0.rank >= top - sameRank }.min { $0.0.error < $1.0.error } ?? own[0]
      return Metric(name: whole.metrics[metric], runs: counts[metric], scores: own.map(\.0), model: best.1)
    }
    return MixtureFit(runs: runs, metrics: metrics, notes: notes)
  }

  /// A regression of all runs, and how it predicts each part of them from the others.
  private static func score(
    _ regression: MixtureRegression, _ weights: [[Double]], _ values: [Double]
  ) throws -> (Score, MixtureModel) {
    let model = try regression.fit(weights, values)
    var predicted = values
    for fold in 0..<folds {
      let kept = weights.indices.filter { $0 % folds != fold }
      let (ownWeights, ownValues) = (kept.map { weights[$0] }, kept.map { values[$0] })
      let part = try regression.fit(ownWeights, ownValues, start: model)
      let predictor = try part.predictor(ownWeights, ownValues)
      for index in weights.indices where index % folds == fold { predicted[index] = predictor(weights[index]) }
    }
    let errors = zip(predicted, values).map { abs($0 - $1) }, size = Statistics.mean(values.map(abs))
    // Equal predictions have no ranks.
    let rank = Statistics.rankCorrelation(predicted, values)
    return (Score(regression: regression, rank: rank.isNaN ? 0 : rank, error: size > 0 ? Statistics.mean(errors) / size : 0), model)
  }

  /// The mean of the runs' mixtures.
  package var meanMixture: [Double] {
    runs.domains.indices.map { domain in Statistics.mean(runs.weights.map { $0[domain] }) }
  }

  /// The place of a metric.
  /// - Throws: `WeirError` at `place` if it was not fitted.
  package func metric(_ name: String, place: String) throws -> Int {
    guard let index = metrics.firstIndex(where: { $0.name == name }) else {
      throw WeirError(place, "there is no metric \"\(name)\"", remedy: "use one of \(metrics.map(\.name).joined(separator: ", "))")
    }
    return index
  }

  /// A metric's prediction for mixtures.
  func predictor(_ metric: Int) throws -> MixturePredictor {
    let (weights, values) = runs.measured(metric)
    return try metrics[metric].model.predictor(weights, values)
  }

  /// Predictions for mixtures of the same domains.
  /// - Returns: the mixtures with the predicted metrics.
  /// - Throws: `WeirError` if the domains differ.
  package func predict(_ mixtures: MixtureRuns, path: String, threads: Int) throws -> MixtureRuns {
    let columns = try runs.domains.map { name in
      guard let column = mixtures.domains.firstIndex(of: name) else {
        throw WeirError(path, "has no column \"\(name)\", a domain of the fit", remedy: "give the weights of the same domains")
      }
      return column
    }
    if let other = mixtures.domains.first(where: { !runs.domains.contains($0) }) {
      throw WeirError(
        path, "column \"\(other)\" is not a domain of the fit", remedy: "its domains are \(runs.domains.joined(separator: ", "))")
    }
    let predictors = try parallelMap(metrics.count, threads: threads) { try predictor($0) }
    var result = mixtures
    (result.domains, result.metrics) = (runs.domains, metrics.map(\.name))
    result.weights = mixtures.weights.map { row in columns.map { row[$0] } }
    let weights = result.weights
    result.values = try parallelMap(weights.count, threads: threads) { row in predictors.map { $0(weights[row]) } }
    return result
  }
}
