import Foundation
import Pipeline
import Primitives

extension LawFitter {
  /// Throws where the runs cannot determine the law.
  static func check(_ runs: [MeasuredRun], domain: String, law: any Law) throws {
    let place = "runs of domain \"\(domain)\""
    let takesMixture = runs.contains { $0.mixture != nil }
    guard takesMixture == law.takesMixture else {
      throw WeirError(
        place,
        "\(takesMixture ? "have mixtures" : "have no mixtures"), and \(law.id) is \(law.takesMixture ? "a law of" : "no law of") them",
        remedy: "remove \(law.id) from the laws to fit")
    }
    let parameters = law.parameterNames(sources: runs.first?.mixture?.count ?? 0).count
    guard runs.count >= parameters else {
      throw WeirError(
        place, "there are \(runs.count), fewer than the \(parameters) parameters of \(law.id)",
        remedy: "add runs, or fit a law with fewer parameters")
    }
    guard Set(runs.map(\.n)).count > 1 else {
      throw WeirError(
        place, "all have the same N = \(Format.short(runs[0].n)), which cannot determine how the loss depends on N",
        remedy: "add runs of another model size")
    }
    guard Set(runs.map { law.separatesSpecialization ? $0.d : $0.d + $0.dPrime }).count > 1 else {
      throw WeirError(
        place, "all have the same D = \(Format.short(runs[0].d)), which cannot determine how the loss depends on D",
        remedy: "add runs from earlier or later checkpoints of the trunk")
    }
    if law.separatesSpecialization, Set(runs.map(\.dPrime)).count < 2 {
      throw WeirError(
        place, "all have the same D′ = \(Format.short(runs[0].dPrime)), which cannot determine the terms in D′ of \(law.id)",
        remedy: "add runs with another D′, or fit F5 and F6 alone")
    }
  }

  /// Fits one law to one domain and, per fold, to the smaller runs.
  /// - Parameter neededPriors: set where the fit diverges without priors, which it is then repeated with.
  static func fit(
    _ law: any Law, to data: FitData, folds: [HeldOutFold], configuration: FitConfiguration, threads: Int, neededPriors: inout Bool,
    progress: Pipeline.Progress
  ) throws -> LawFit {
    func solve(_ data: FitData, halved: Bool) throws -> (values: [Double], repetition: Double) {
      var configuration = configuration
      if halved {
        configuration.starts = (configuration.starts + 1) / 2
        configuration.refined = (configuration.refined + 1) / 2
      }
      for weight in Set([configuration.priorWeight, 1]).sorted() {
        configuration.priorWeight = weight
        let problem = FitProblem(law: law, data: data, configuration: configuration)
        let found = problem.parameters(try problem.solve(starts: problem.starts(configuration.starts), threads: threads))
        if found.values.allSatisfy(\.isFinite), found.repetition.isFinite { return found }
        neededPriors = true
      }
      throw WeirError("law \(law.id)", "the fit diverges", remedy: "add runs, or remove \(law.id) from the laws to fit")
    }
    let (values, repetition) = try solve(data, halved: false)
    let points = predict(data.runs, law: law, values: values, repetition: repetition)
    let r2 = Statistics.r2(measured: points.map(\.measured), predicted: points.map(\.predicted))
    var held: HeldOut?
    if !folds.isEmpty {
      var parts: [HeldOut.Fold] = []
      for fold in folds {
        try progress.checkStop()
        let part = FitData(fold.fitted)
        guard (try? check(part.runs, domain: "", law: law)) != nil else { continue }
        // Only fresh starting points: the fit to all runs would leak the held-out ones.
        let (values, repetition) = try solve(part, halved: true)
        let predicted = predict(fold.predicted, law: law, values: values, repetition: repetition)
        parts.append(HeldOut.Fold(axis: fold.axis, fitted: fold.fitted.count, error: error(predicted), points: predicted))
      }
      // A law with too many parameters for a fold cannot be compared with one that is fitted in all.
      if parts.count == folds.count {
        held = HeldOut(
          error: Statistics.mean(parts.map(\.error)), naiveError: Statistics.mean(folds.map(\.naiveError)), folds: parts)
      }
    }
    return LawFit(
      law: law.id,
      parameters: zip(law.parameterNames(sources: data.scale.sources), values).map { FittedParameter(name: $0, value: $1) },
      repetition: repetition, r2: r2.isFinite ? r2 : 0, error: error(points),
      objective: zip(points, data.weights).reduce(0) { $0 + $1.1 * FitProblem.huber($1.0.residual, configuration.delta) },
      heldOut: held, points: points, replicates: [])
  }

  /// Fits the law to bootstrap resamples of the clusters, starting from the fit to all of them, and sets the intervals.
  static func bootstrap(
    _ fit: inout LawFit, law: any Law, data: FitData, clusters: RunClusters, configuration: FitConfiguration, threads: Int,
    progress: Pipeline.Progress
  ) throws {
    let problem = FitProblem(law: law, data: data, configuration: configuration)
    let start = problem.coordinates.coordinates(natural: fit.values + (problem.fitsRepetition ? [fit.repetition] : []))
    var attempt = 0
    while fit.replicates.count < configuration.bootstrap && attempt < 20 * configuration.bootstrap {
      let first = attempt
      let found = try parallelMap(configuration.bootstrap - fit.replicates.count, threads: threads) { index -> [Double]? in
        try progress.checkStop()
        let weights = clusters.weights(data.weights, seed: configuration.seed, replicate: first + index)
        let chosen = data.runs.indices.filter { weights[$0] > 0 }.map { data.runs[$0] }
        // A resample with a single N does not determine the term in N, nor one with a single D or D′ the terms in these. Such resamples are rare.
        func varies(_ key: KeyPath<MeasuredRun, Double>) -> Bool {
          Set(data.runs.map { $0[keyPath: key] }).count == 1 || Set(chosen.map { $0[keyPath: key] }).count > 1
        }
        guard varies(\.n), varies(\.d), varies(\.dPrime) else { return nil }
        let (values, repetition) = problem.parameters(try problem.sharpen(start, weights: problem.padded(weights)).point)
        return values.allSatisfy(\.isFinite) && repetition.isFinite ? values + [repetition] : nil
      }
      attempt += found.count
      fit.replicates += found.compactMap { $0 }
    }
    guard !fit.replicates.isEmpty else { return }
    for index in fit.parameters.indices {
      let interval = Statistics.interval(fit.replicates.map { $0[index] }, level: configuration.level)
      fit.parameters[index].low = interval.low
      fit.parameters[index].high = interval.high
    }
  }

  static func score(_ law: any Law, _ fits: [LawFit]) -> LawScore {
    let held = fits.compactMap { $0.heldOut?.error }
    let naive = fits.compactMap { $0.heldOut?.naiveError }
    // Every law is to be compared over the same domains.
    let all = held.count == fits.count && !held.isEmpty
    return LawScore(
      law: law.id, title: law.title, formula: law.formula, r2: Statistics.mean(fits.map(\.r2)),
      error: Statistics.mean(fits.map(\.error)), heldOutError: all ? Statistics.mean(held) : nil,
      naiveError: all ? Statistics.mean(naive) : nil)
  }

  /// The id of the law with the lowest held-out error; the first one on a tie or where no runs were held out.
  static func select(_ scores: [LawScore]) -> String {
    var best = scores[0]
    for score in scores.dropFirst() where (score.heldOutError ?? .infinity) < (best.heldOutError ?? .infinity) { best = score }
    return best.law
  }

  static func range(_ runs: [MeasuredRun]) -> RunRange {
    func ends(_ values: [Double]) -> [Double] { [values.min() ?? 0, values.max() ?? 0] }
    return RunRange(n: ends(runs.map(\.n)), d: ends(runs.map(\.d)), dPrime: ends(runs.map(\.dPrime)))
  }

  private static func error(_ points: [FitPoint]) -> Double {
    Statistics.meanRelativeError(measured: points.map(\.measured), predicted: points.map(\.predicted))
  }

  private static func predict(_ runs: [MeasuredRun], law: any Law, values: [Double], repetition: Double) -> [FitPoint] {
    runs.map { run in
      let predicted = law.loss(values, repetition: repetition, of: run)
      return FitPoint(
        model: run.model, n: run.n, d: run.d, dPrime: run.dPrime, measured: run.loss, predicted: predicted,
        residual: log(predicted) - log(run.loss), mixture: run.mixture)
    }
  }
}

extension Law {
  /// The loss of a run, with repeated tokens discounted.
  func loss(_ values: [Double], repetition: Double, of run: MeasuredRun) -> Double {
    let effective = Repetition.effective(run.dPrime, unique: run.unique, constant: repetition).tokens
    return value(values, at: LawPoint(n: run.n, d: run.d, dPrime: effective, trained: run.dPrime, mixture: run.mixture ?? [])).loss
  }
}

extension FitProblem {
  /// The law's parameters and R* at a point.
  func parameters(_ point: [Double]) -> (values: [Double], repetition: Double) {
    let natural = coordinates.natural(point)
    return fitsRepetition ? (Array(natural.dropLast()), natural[natural.count - 1]) : (natural, configuration.repetition)
  }
}
