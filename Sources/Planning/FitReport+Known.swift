import Primitives

extension FitReport {
  /// A report of a law with given parameters, such as those of a paper.
  /// - Parameters:
  ///   - law: the law.
  ///   - domains: the parameter values of each domain, in the order of the law; "all" for the mean.
  ///   - range: the range in which the law holds, for extrapolation warnings and the sizes of `.free`.
  ///   - repetition: R* of repeated tokens.
  /// - Throws: `WeirError` where the number of a domain's parameters is wrong or one is not finite.
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
    guard !fits.isEmpty else { throw WeirError("domains", "is empty", remedy: "give at least one domain") }
    return FitReport(
      selected: law.id, configuration: FitConfiguration(),
      scores: [LawScore(law: law.id, title: law.title, formula: law.formula, r2: 1, error: 0, heldOutError: nil)], domains: fits,
      notes: ["the parameters were given, not fitted"])
  }
}
