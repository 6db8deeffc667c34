import Primitives

extension FitReport {
  /// A report of a law whose parameters are known beforehand, from a paper or an earlier fit, to plan with.
  /// - Parameters:
  ///   - law: the law.
  ///   - domains: the parameters of every domain, natural units, in the law's order; "all" for the mean.
  ///   - range: the runs behind them, for warnings of extrapolation and the bounds of a free size.
  ///   - repetition: R* of repeated tokens.
  /// - Throws: `WeirError` where a domain's parameters are too few, too many or not finite.
  package static func known(
    _ law: any Law, domains: [String: [Double]], range: RunRange, repetition: Double = Repetition.standard
  ) throws -> FitReport {
    let names = law.parameterNames
    let fits = try domains.keys.sorted().map { name in
      let values = domains[name] ?? []
      _ = try LawCurve(law: law, values: values, repetition: repetition, n: 1, unique: nil)
      let parameters = zip(names, values).map { FittedParameter(name: $0, value: $1) }
      let fit = LawFit(
        law: law.id, parameters: parameters, repetition: repetition, r2: 1, error: 0, objective: 0, heldOut: nil, points: [],
        replicates: [])
      return DomainFit(domain: name, runs: 0, range: range, candidates: [fit])
    }
    guard !fits.isEmpty else { throw WeirError("--domains", "there are none") }
    return FitReport(
      selected: law.id, configuration: FitConfiguration(),
      scores: [LawScore(law: law.id, title: law.title, formula: law.formula, r2: 1, error: 0, heldOutError: nil)], domains: fits,
      notes: ["the parameters were given, not fitted"])
  }
}
