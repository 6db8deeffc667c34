import Primitives

/// The loss that a fit predicts for one point.
package struct Prediction: Encodable, Sendable, Equatable {
  package var domain: String
  /// Non-embedding parameters.
  package var n: Double
  /// General tokens.
  package var d: Double
  /// Specialization tokens.
  package var dPrime: Double
  package var mixture: [Double]?
  /// Predicted loss, nats/token.
  package var loss: Double
  /// The ends of the bootstrap interval of the predicted loss, without the noise of a single run; nil where the fit was not bootstrapped.
  package var low: Double?
  package var high: Double?
  /// Measured loss, nats/token, where the point has one.
  package var measured: Double?

  private enum CodingKeys: String, CodingKey {
    case domain, n, d
    case dPrime = "d_prime"
    case mixture, loss, low, high, measured
  }
}

extension FitReport {
  /// Predicts the losses of points.
  /// - Parameters:
  ///   - table: the points. One without a domain is predicted for the mean over domains or, where there is none, for every domain.
  ///   - law: the id of the law; nil for the selected one.
  ///   - level: coverage of the intervals, 0…1.
  /// - Throws: `WeirError` where the fit cannot answer.
  package func predict(_ table: RunTable, law: String? = nil, level: Double = 0.9) throws -> [Prediction] {
    guard level > 0, level < 1 else { throw WeirError("level", "is \(level), not between 0 and 1") }
    let law = try Laws.named(law ?? selected)
    let width = sources?.count ?? 0
    guard table.runs.allSatisfy({ ($0.mixture?.count ?? 0) == width }) else {
      throw WeirError(
        "points", width == 0 ? "have mixtures, and the fit has none" : "do not have the fit's \(width) sources",
        remedy: "give the same columns h as to `weir plan fit`")
    }
    let count = law.parameterNames(sources: width).count
    let knowsMean = domains.contains { $0.domain == MeasuredRun.mean }
    return try table.runs.flatMap { run -> [Prediction] in
      let targets = run.domain == MeasuredRun.mean && !knowsMean ? domains : [try domain(run.domain, place: "points")]
      return try targets.map { target in
        let fit = try target.candidate(law.id)
        guard fit.values.count == count, fit.values.allSatisfy(\.isFinite), fit.repetition > 0,
          fit.replicates.allSatisfy({ $0.count == count + 1 })
        else { throw WeirError("fit", "law \(law.id) does not have \(count) finite parameters", remedy: "run `weir plan fit` again") }
        let replicates = fit.replicates.map { law.loss(Array($0.dropLast()), repetition: $0[count], of: run) }.filter(\.isFinite)
        let ends = replicates.isEmpty ? nil : Statistics.interval(replicates, level: level)
        return Prediction(
          domain: target.domain, n: run.n, d: run.d, dPrime: run.dPrime, mixture: run.mixture,
          loss: law.loss(fit.values, repetition: fit.repetition, of: run), low: ends?.low, high: ends?.high,
          measured: table.isMeasured ? run.loss : nil)
      }
    }
  }
}
