import Foundation
import Pipeline
import Primitives

extension LawFitter {
  /// Throws where the runs cannot determine the laws.
  static func check(_ runs: [MeasuredRun], domain: String, laws: [any Law]) throws {
    let place = "runs of domain \"\(domain)\""
    for law in laws {
      let parameters = law.parameterNames.count
      guard runs.count >= parameters else {
        throw WeirError(
          place, "there are \(runs.count), fewer than the \(parameters) parameters of \(law.id)",
          remedy: "add runs, or remove \(law.id) from the laws to fit")
      }
    }
    guard Set(runs.map(\.n)).count > 1 else {
      throw WeirError(
        place, "all have the same N = \(runs[0].n), which cannot determine how the loss depends on N",
        remedy: "add runs of another model size")
    }
    guard Set(runs.map(\.d)).count > 1 || !laws.contains(where: \.separatesSpecialization) else {
      throw WeirError(
        place, "all have the same D = \(runs[0].d), which cannot determine how the loss depends on D",
        remedy: "add runs from earlier or later checkpoints of the trunk")
    }
    if let law = laws.first(where: \.separatesSpecialization), Set(runs.map(\.dPrime)).count < 2 {
      throw WeirError(
        place, "all have the same D′ = \(runs[0].dPrime), which cannot determine the terms in D′ of \(law.id)",
        remedy: "add runs with another D′, or fit F5 alone")
    }
  }

  /// Fits one law to one domain and, per fold, to the smaller runs.
  static func fit(
    _ law: any Law, to data: FitData, folds: [HeldOutFold], configuration: FitConfiguration, progress: Pipeline.Progress
  ) throws -> LawFit {
    let problem = FitProblem(law: law, data: data, configuration: configuration)
    let point = try solve(problem, starts: configuration.starts, refined: configuration.refined)
    let (values, repetition) = problem.parameters(point)
    guard values.allSatisfy(\.isFinite), repetition.isFinite else {
      throw WeirError("law \(law.id)", "the fit diverges", remedy: "add runs, or remove \(law.id) from the laws to fit")
    }
    let points = try predict(data.runs, law: law, values: values, repetition: repetition)
    let r2 = Statistics.r2(measured: points.map(\.measured), predicted: points.map(\.predicted))
    var held: HeldOut?
    if !folds.isEmpty {
      var parts: [HeldOut.Fold] = []
      for fold in folds {
        try progress.checkStop()
        let part = FitProblem(law: law, data: FitData(fold.fitted), configuration: configuration)
        // Only fresh starting points: the fit to all runs would leak the held-out ones.
        let (values, repetition) = part.parameters(
          try solve(part, starts: (configuration.starts + 1) / 2, refined: (configuration.refined + 1) / 2))
        let predicted = try predict(fold.predicted, law: law, values: values, repetition: repetition)
        parts.append(HeldOut.Fold(axis: fold.axis, fitted: fold.fitted.count, error: error(predicted), points: predicted))
      }
      held = HeldOut(error: Statistics.mean(parts.map(\.error)), folds: parts)
    }
    return LawFit(
      law: law.id, parameters: zip(law.parameterNames, values).map { FittedParameter(name: $0, value: $1) },
      repetition: repetition, r2: r2.isFinite ? r2 : 0,
      error: error(points), objective: points.reduce(0) { $0 + FitProblem.huber($1.residual, configuration.delta) },
      heldOut: held, points: points, replicates: [])
  }

  /// Fits the law to bootstrap resamples of the runs, starting from the fit to all of them, and sets the intervals.
  static func bootstrap(
    _ fit: inout LawFit, law: any Law, data: FitData, configuration: FitConfiguration, progress: Pipeline.Progress
  ) throws {
    let problem = FitProblem(law: law, data: data, configuration: configuration)
    let start = problem.coordinates.coordinates(natural: fit.values + (problem.fitsRepetition ? [fit.repetition] : []))
    var attempt = 0
    while fit.replicates.count < configuration.bootstrap && attempt < 20 * configuration.bootstrap {
      try progress.checkStop()
      var weights = [Double](repeating: 0, count: data.runs.count)
      for index in Statistics.resample(weights.count, seed: configuration.seed, replicate: attempt) { weights[index] += 1 }
      attempt += 1
      // A resample with a single N does not determine the term in N. Such resamples are rare.
      let sizes = Set(data.runs.indices.filter { weights[$0] > 0 }.map { data.runs[$0].n })
      guard sizes.count > 1 else { continue }
      let (values, repetition) = problem.parameters(try problem.sharpen(start, weights: weights).point)
      guard values.allSatisfy(\.isFinite), repetition.isFinite else { continue }
      fit.replicates.append(values + [repetition])
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
    return LawScore(
      law: law.id, title: law.title, formula: law.formula, r2: Statistics.mean(fits.map(\.r2)),
      error: Statistics.mean(fits.map(\.error)), heldOutError: held.isEmpty ? nil : Statistics.mean(held))
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

  private static func solve(_ problem: FitProblem, starts: Int, refined: Int) throws -> [Double] {
    let weights = [Double](repeating: 1, count: problem.data.runs.count)
    return try problem.solve(weights: weights, starts: problem.starts(starts), refined: refined)
  }

  private static func error(_ points: [FitPoint]) -> Double {
    Statistics.meanRelativeError(measured: points.map(\.measured), predicted: points.map(\.predicted))
  }

  private static func predict(_ runs: [MeasuredRun], law: any Law, values: [Double], repetition: Double) throws -> [FitPoint] {
    try runs.map { run in
      let curve = try LawCurve(checking: law, values: values, repetition: repetition, n: run.n, unique: run.unique)
      let predicted = curve.loss(run.d, run.dPrime)
      return FitPoint(
        model: run.model, n: run.n, d: run.d, dPrime: run.dPrime, measured: run.loss, predicted: predicted,
        residual: log(predicted) - log(run.loss))
    }
  }
}

extension FitProblem {
  /// The law's parameters and R* at a point.
  func parameters(_ point: [Double]) -> (values: [Double], repetition: Double) {
    let natural = coordinates.natural(point)
    return fitsRepetition ? (Array(natural.dropLast()), natural[natural.count - 1]) : (natural, configuration.repetition)
  }
}
