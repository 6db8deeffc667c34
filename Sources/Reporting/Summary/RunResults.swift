import Planning
import Workflows

/// The comparisons of a recipe run, as listed in the recipe's `summary`; nil for a comparison it does not list.
package struct RunResults: Sendable {
  package var crisp: SamplingComparison?
  package var split: SplitReport?
  package var finetuning: FinetuningComparison?
  package var plan: Plan?

  package init(_ reports: StepReports) {
    crisp = SamplingComparison(reports)
    split = reports.decode(SplitReport.self, step: reports.mapping("split")["split"])
    finetuning = FinetuningComparison(reports)
    let plan = reports.mapping("plan")
    self.plan = reports.decode(FitReport.self, step: plan["fit"]).map {
      Plan(fit: $0, allocation: reports.decode(Allocation.self, step: plan["allocate"]))
    }
  }
}

/// A training run and its final perplexities on two held-out sets; nil where the run was not evaluated on a set.
package struct EvaluatedRun: Sendable {
  package var report: RunReport
  /// On held-out text of the target domain.
  package var target: Double?
  /// On held-out text of the general corpus.
  package var general: Double?

  init(_ report: RunReport, target: String?, general: String?) {
    func perplexity(_ set: String?) -> Double? { report.training.final.first { $0.name == set }?.result.perplexity }
    self.report = report
    self.target = perplexity(target)
    self.general = perplexity(general)
  }

  /// Both perplexities, if both are known, finite and positive.
  var both: (target: Double, general: Double)? { target.positive.flatMap { target in general.positive.map { (target, $0) } } }
}

/// Continuations of one base model on different mixtures.
package struct SamplingComparison: Sendable {
  /// The specialist seed, as the recipe names it.
  package var seed: String?
  package var base: EvaluatedRun?
  /// Continued on the corpus, uniform over tokens.
  package var uniform: EvaluatedRun?
  /// Continued on the specialist seed alone.
  package var specialist: EvaluatedRun?
  /// Continued on the CRISP mixture.
  package var crisp: EvaluatedRun?

  init?(_ reports: StepReports) {
    let names = reports.mapping("crisp")
    guard !names.isEmpty else { return nil }
    func run(_ role: String) -> EvaluatedRun? {
      reports.decode(RunReport.self, step: names[role]).map { EvaluatedRun($0, target: names["target"], general: names["general"]) }
    }
    seed = names["seed"]
    (base, uniform, specialist, crisp) = (run("base"), run("uniform"), run("specialist"), run("crisp"))
  }

  /// The tokens of each continuation.
  package var tokens: Int? { crisp?.report.training.tokens }
}

/// Direct finetuning and label annealing of one base model.
package struct FinetuningComparison: Sendable {
  package var base: EvaluatedRun?
  package var direct: EvaluatedRun?
  package var anneal: EvaluatedRun?
  /// Further runs, such as those of a sweep.
  package var others: [EvaluatedRun]

  init?(_ reports: StepReports) {
    let names = reports.mapping("finetune")
    guard !names.isEmpty else { return nil }
    func run(_ step: String?) -> EvaluatedRun? {
      reports.decode(RunReport.self, step: step).map { EvaluatedRun($0, target: names["target"], general: names["source"]) }
    }
    (base, direct, anneal) = (run(names["base"]), run(names["direct"]), run(names["anneal"]))
    others = (names["points"] ?? "").split(separator: " ").compactMap { run(String($0)) }
  }
}

/// Fitted scaling laws, and the allocation of a compute budget by the selected one.
package struct Plan: Sendable {
  package var fit: FitReport
  package var allocation: Allocation?

  /// The errors of the selected law.
  package var score: LawScore? { fit.scores.first { $0.law == fit.selected } }

  /// The fitted parameters of a law in the first domain, the mean over domains.
  package func parameters(of law: String) -> [FittedParameter] { fit.domains.first?.candidates.first { $0.law == law }?.parameters ?? [] }

  /// A run of one domain with the prediction of the selected law.
  package struct Point: Sendable {
    package var domain: String
    package var run: FitPoint
    /// Whether the prediction is of a fit without this run.
    package var isHeldOut: Bool
  }

  /// All predictions, those of the whole fit and those of held-out runs, for all domains but the mean.
  package var points: [Point] {
    fit.domains.filter { $0.domain != MeasuredRun.mean }.flatMap { domain -> [Point] in
      guard let candidate = domain.candidates.first(where: { $0.law == fit.selected }) else { return [] }
      let heldOut = candidate.heldOut?.folds.flatMap(\.points) ?? []
      return candidate.points.map { Point(domain: domain.domain, run: $0, isHeldOut: false) }
        + heldOut.map { Point(domain: domain.domain, run: $0, isHeldOut: true) }
    }
  }
}

extension Allocation.Candidate {
  /// The trunk's share of all tokens, which is its share of the compute, 0…1.
  var trunkShare: Double {
    let total = Double(d + dPrimeTotal)
    return total > 0 ? Double(d) / total : 0
  }

  /// Specialization tokens per domain, on average.
  var meanDPrime: Double { Double(dPrimeTotal) / Double(max(1, dPrime.count)) }
}
