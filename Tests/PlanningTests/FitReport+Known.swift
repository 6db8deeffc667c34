import Foundation
import Planning

extension FitReport {
  /// A report, decoded from JSON, of a law with given parameters.
  /// - Parameters:
  ///   - domains: the parameter values of each domain, in the order of the law; "all" for the mean.
  ///   - range: the range in which the law holds.
  static func known(_ law: any Law, domains: [String: [Double]], range: [String: [Double]]) throws -> FitReport {
    func object(_ value: some Encodable) throws -> Any { try JSONSerialization.jsonObject(with: JSONEncoder().encode(value)) }
    let fits = domains.keys.sorted().map { name -> [String: Any] in
      let parameters = zip(law.parameterNames(), domains[name] ?? []).map { ["name": $0, "value": $1] as [String: Any] }
      let fit: [String: Any] = [
        "law": law.id, "parameters": parameters, "repetition": Repetition.standard, "r2": 1, "error": 0, "objective": 0,
        "points": [Double](), "replicates": [Double](),
      ]
      return ["domain": name, "runs": 0, "range": range, "candidates": [fit]]
    }
    let score: [String: Any] = ["law": law.id, "title": law.title, "formula": law.formula, "r2": 1, "error": 0]
    let report: [String: Any] = [
      "format": "weir.plan-fit.1", "selected": law.id, "configuration": try object(FitConfiguration()), "scores": [score],
      "domains": fits, "notes": [String](),
    ]
    return try JSONDecoder().decode(FitReport.self, from: JSONSerialization.data(withJSONObject: report))
  }

  /// The loss that the selected law predicts, nats/token.
  func predict(domain: String = MeasuredRun.mean, n: Double, d: Double, dPrime: Double, unique: Double? = nil) throws -> Double {
    let fit = try self.domain(domain).candidate(selected)
    let effective = Repetition.effective(dPrime, unique: unique, constant: fit.repetition).tokens
    return try Laws.named(fit.law).value(fit.values, at: LawPoint(n: n, d: d, dPrime: effective)).loss
  }
}
