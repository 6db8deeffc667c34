import Foundation
import Primitives

/// The fits behind a request's domains, and the candidates that they predict.
struct AllocationProblem: Sendable {
  let request: AllocationRequest
  let law: any Law
  let fits: [LawFit]
  let ranges: [RunRange]
  let weights: [Double]
  /// Bootstrap replicates that all domains have; 0 where any was not bootstrapped.
  let replicates: Int
  /// Why the fit supports no recommendation; nil where it does.
  let doubt: String?

  init(fit: FitReport, request: AllocationRequest) throws {
    self.request = request
    law = try Laws.named(request.law ?? fit.selected)
    let domains = try request.domains.map { try fit.domain($0.fitted ?? $0.name) }
    doubt = law.id == fit.selected ? fit.doubt : nil
    let id = law.id
    fits = try domains.map { try $0.candidate(id) }
    ranges = domains.map(\.range)
    guard ranges.contains(where: { ($0.dPrime.max() ?? 0) > 0 }) else {
      throw WeirError(
        "fit", "is of runs without specialization tokens, which say nothing about D′",
        remedy: "measure runs with D′ > 0, as `weir plan sweep` does, and fit them")
    }
    let total = request.domains.reduce(0) { $0 + $1.weight }
    weights = request.domains.map { $0.weight / total }
    replicates = fits.map(\.replicates.count).min() ?? 0
    let width = law.parameterNames().count + 1
    guard fits.allSatisfy({ !$0.parameters.isEmpty && $0.replicates.allSatisfy { $0.count == width } }) else {
      throw WeirError("fit", "a bootstrap replicate does not have \(width) values", remedy: "run `weir plan fit` again")
    }
  }

  /// The tokens that the budget pays for at size `n`.
  func tokens(_ n: Double) -> Double { request.budget / (Planner.flopsPerToken * n) }

  /// The range of sizes for `.free`.
  func sizeRange() throws -> (Double, Double) {
    let ends = ranges.flatMap(\.n)
    guard let low = ends.min(), let high = ends.max(), low > 0, high.isFinite else {
      throw WeirError("fit", "has no range of model sizes", remedy: "give the sizes")
    }
    return (low / 3, high * 10)
  }

  func problem(_ n: Double) throws -> SplitProblem {
    let curves = try fits.indices.map { try LawCurve(fits[$0], n: n, unique: request.domains[$0].unique) }
    return SplitProblem(curves: curves, weights: weights, tokens: tokens(n), trunk: request.trunk)
  }

  /// The loss of the best split at size `n`; infinite where there is none.
  func bestLoss(_ n: Double) -> Double {
    guard let problem = try? problem(n) else { return .infinity }
    let (d, dPrime) = problem.solve()
    return problem.loss(d, dPrime)
  }

  /// The loss of the general model at size `n`; infinite where there is none.
  func fullLoss(_ n: Double) -> Double {
    guard let problem = try? problem(n) else { return .infinity }
    return problem.loss(tokens(n), [Double](repeating: 0, count: fits.count))
  }

  /// The best split at size `n`.
  func best(_ n: Double, name: String) throws -> Allocation.Candidate {
    let dPrime = try problem(n).solve().dPrime
    return try candidate(name, n: n, dPrime: dPrime, trunks: nil)
  }

  /// One general model of size `n` for the whole budget.
  func full(_ n: Double) throws -> Allocation.Candidate {
    try candidate("full", n: n, dPrime: [Double](repeating: 0, count: fits.count), trunks: 1)
  }

  /// Splits with a share of specialization from 0 to 0.99, distributed over the domains at equal marginal gains.
  func curve(_ n: Double) throws -> [Allocation.Candidate] {
    let problem = try problem(n)
    return try (0..<request.curvePoints).map { step in
      // The laws do not hold without a trunk, so that the last point keeps 1 % for it.
      let share = 0.99 * Double(step) / Double(request.curvePoints - 1)
      let d = (1 - share) * problem.tokens / problem.trunks
      return try candidate("curve", n: n, dPrime: problem.spread(d), trunks: nil)
    }
  }

  /// The splits with half and with twice the specialization tokens, the rest of the budget on the trunk.
  func neighbors(of best: Allocation.Candidate) throws -> [Allocation.Candidate] {
    guard best.dPrimeTotal > 0 else { return [] }
    let problem = try problem(best.n)
    return try [("half D′", 0.5), ("double D′", 2)].compactMap { name, factor in
      let special = Double(best.dPrimeTotal) * factor
      guard special < 0.999 * problem.tokens else { return nil }
      let d = (problem.tokens - special) / problem.trunks
      return try candidate(name, n: best.n, dPrime: problem.spread(d), trunks: nil)
    }
  }

  /// Rounds the specialization tokens down, gives the rest of the budget to the trunk, and predicts the loss.
  /// - Parameter trunks: the number of trunks; nil for that of the request.
  func candidate(_ name: String, n: Double, dPrime: [Double], trunks: Double?) throws -> Allocation.Candidate {
    let trunks = trunks ?? (request.trunk == .shared ? 1 : Double(fits.count))
    guard tokens(n) < 0x1p60 else { throw WeirError("budget", "pays for more than 2^60 tokens at N = \(n)", remedy: "lower it") }
    let special = dPrime.map { max(0, $0).rounded(.down) }
    let sum = special.reduce(0, +)
    guard sum.isFinite else { throw WeirError("fit", "law \(law.id) gives no finite gain at N = \(n)", remedy: "fit to more runs") }
    // Rounding in the product can exceed the budget by a token.
    var general = ((tokens(n) - sum) / trunks).rounded(.down)
    if Planner.flopsPerToken * n * (trunks * general + sum) > request.budget { general -= 1 }
    guard general >= 1 else {
      throw WeirError(
        "budget", "is \(request.budget) FLOPs, which pays for less than one token at N = \(n)",
        remedy: "raise it above \(Planner.flopsPerToken * n * trunks)")
    }
    let all = trunks * general + sum
    let losses = try fits.indices.map { index in
      try LawCurve(fits[index], n: n, unique: request.domains[index].unique).loss(general, special[index])
    }
    guard losses.allSatisfy(\.isFinite) else {
      throw WeirError("fit", "law \(law.id) predicts no finite loss at N = \(n)", remedy: "fit to more runs")
    }
    return Allocation.Candidate(
      name: name, n: n, d: Int(general), dPrime: special.map { Int($0) }, share: sum / all, flops: Planner.flopsPerToken * n * all,
      loss: interval(Statistics.mean(losses, weights: weights), replicated(n: n, d: general, dPrime: special)),
      domainLoss: losses, epochs: request.domains.indices.map { index in request.domains[index].unique.map { special[index] / $0 } })
  }

  /// The difference of two losses. Its interval is over per-replicate differences, in which errors common to both cancel.
  func gain(_ best: Allocation.Candidate, over full: Allocation.Candidate) -> Allocation.Interval {
    let one = replicated(n: best.n, d: Double(best.d), dPrime: best.dPrime.map(Double.init))
    let other = replicated(n: full.n, d: Double(full.d), dPrime: full.dPrime.map(Double.init))
    return interval(full.loss.value - best.loss.value, zip(one, other).map { $1 - $0 })
  }

  /// The mean loss over domains under the parameters of each replicate.
  private func replicated(n: Double, d: Double, dPrime: [Double]) -> [Double] {
    (0..<replicates).map { replicate in
      var sum = 0.0
      for index in fits.indices {
        let values = fits[index].replicates[replicate]
        let curve = LawCurve(
          law: law, values: Array(values.dropLast()), repetition: values[values.count - 1], n: n, unique: request.domains[index].unique)
        sum += weights[index] * curve.loss(d, dPrime[index])
      }
      return sum
    }
  }

  /// The best split at size `n` under the parameters of each replicate; nil where there are none.
  func decision(_ n: Double, threads: Int) throws -> Allocation.Decision? {
    guard replicates > 0 else { return nil }
    let best = try problem(n).solve()
    let found = try parallelMap(replicates, threads: threads) { replicate in
      let curves = fits.indices.map { index in
        let values = fits[index].replicates[replicate]
        return LawCurve(
          law: law, values: Array(values.dropLast()), repetition: values[values.count - 1], n: n, unique: request.domains[index].unique)
      }
      return SplitProblem(curves: curves, weights: weights, tokens: tokens(n), trunk: request.trunk).solve()
    }.filter { $0.d.isFinite && $0.dPrime.allSatisfy(\.isFinite) }
    func of(_ key: ((d: Double, dPrime: [Double])) -> Double) -> Allocation.Interval { interval(key(best), found.map(key)) }
    return Allocation.Decision(
      d: of { $0.d }, dPrime: of { $0.dPrime.reduce(0, +) }, share: of { $0.dPrime.reduce(0, +) / tokens(n) })
  }

  /// The compute, in budgets, with which the general model reaches the loss of the split.
  func equivalentCompute(of best: Allocation.Candidate, to full: Allocation.Candidate) -> Double? {
    guard best.loss.value < full.loss.value, let problem = try? problem(full.n) else { return nil }
    let none = [Double](repeating: 0, count: fits.count)
    func excess(_ logFactor: Double) -> Double { problem.loss(Double(full.d) * exp(logFactor), none) - best.loss.value }
    // Beyond a million budgets the law is not worth asking.
    let most = log(1e6)
    return excess(most) < 0 ? exp(ScalarSearch.root(0, most) { excess($0) }) : nil
  }

  private func interval(_ value: Double, _ replicates: [Double]) -> Allocation.Interval {
    let replicates = replicates.filter(\.isFinite)
    guard !replicates.isEmpty else { return Allocation.Interval(value: value) }
    let ends = Statistics.interval(replicates, level: request.level)
    return Allocation.Interval(value: value, low: ends.low, high: ends.high)
  }

  /// Caveats of a candidate.
  func notes(on best: Allocation.Candidate) -> [String] {
    var notes: [String] = []
    func beyond(_ name: String, _ value: Double, _ ends: [[Double]]) {
      let largest = ends.flatMap { $0 }.max() ?? 0
      if largest > 0, value > 10 * largest {
        notes.append("\(name) is \((value / largest).rounded()) times the largest fitted value: the prediction extrapolates far")
      }
    }
    beyond("N", best.n, ranges.map(\.n))
    beyond("D", Double(best.d), ranges.map(\.d))
    beyond("D′", Double(best.dPrime.max() ?? 0), ranges.map(\.dPrime))
    for (index, epochs) in best.epochs.enumerated() where (epochs ?? 0) > 4 {
      let rounded = ((epochs ?? 0) * 10).rounded() / 10
      notes.append("domain \"\(request.domains[index].name)\" is repeated for \(rounded) epochs")
    }
    if let doubt { notes.append("no recommendation: \(doubt)") }
    if replicates == 0 { notes.append("the fit was not bootstrapped, so there are no intervals") }
    return notes
  }
}
