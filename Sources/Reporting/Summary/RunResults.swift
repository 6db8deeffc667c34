import Planning
import Primitives
import Workflows

/// The comparisons of a recipe run, as listed in the recipe's `summary`; nil for a comparison it does not list.
package struct RunResults: Sendable {
  package var crisp: SamplingComparison?
  package var split: SplitReport?
  package var finetuning: FinetuningComparison?
  /// A sweep of finetuning settings that is reported by itself.
  package var sweep: FinetuneSweep?
  package var plan: Plan?
  /// An allocation that is reported without the fit behind it.
  package var allocation: Allocation?
  /// Measured runs that are reported without a fit.
  package var runs: [MeasuredRun] = []

  init() {}

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
  /// Continued on the mixtures of other methods, by name.
  package var others: [(name: String, run: EvaluatedRun)]

  /// All continuations with their names, uniform sampling first.
  package var continuations: [(name: String, run: EvaluatedRun)] {
    let known = [("uniform", uniform), ("specialist seed", specialist)].compactMap { name, run in run.map { (name: name, run: $0) } }
    return known + others + (crisp.map { [(name: "CRISP", run: $0)] } ?? [])
  }

  init?(_ reports: StepReports) {
    let names = reports.mapping("crisp")
    guard !names.isEmpty else { return nil }
    func run(_ role: String) -> EvaluatedRun? {
      reports.decode(RunReport.self, step: names[role]).map { EvaluatedRun($0, target: names["target"], general: names["general"]) }
    }
    seed = names["seed"]
    (base, uniform, specialist, crisp) = (run("base"), run("uniform"), run("specialist"), run("crisp"))
    others = names.keys.filter { !RecipeSection.crisp.members.contains($0) }.sorted().compactMap { name in run(name).map { (name, $0) } }
  }

  /// The tokens of each continuation.
  package var tokens: Int? { crisp?.report.training.tokens }
}

/// Direct finetuning and label annealing of one base model.
package struct FinetuningComparison: Sendable {
  package var base: EvaluatedRun?
  package var direct: EvaluatedRun?
  package var anneal: EvaluatedRun?
  /// The runs of other methods, by name.
  package var methods: [(name: String, run: EvaluatedRun)]
  /// Further runs, such as those of a sweep.
  package var others: [EvaluatedRun]

  init?(_ reports: StepReports) {
    let names = reports.mapping("finetune")
    guard !names.isEmpty else { return nil }
    func run(_ step: String?) -> EvaluatedRun? {
      reports.decode(RunReport.self, step: step).map { EvaluatedRun($0, target: names["target"], general: names["source"]) }
    }
    (base, direct, anneal) = (run(names["base"]), run(names["direct"]), run(names["anneal"]))
    let methods = names.keys.filter { !RecipeSection.finetune.members.contains($0) }.sorted()
    self.methods = methods.compactMap { name in run(names[name]).map { (name, $0) } }
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

  /// R² of a law's predictions of held-out runs, over the domains; nil where nothing could be held out. Below 0, the mean of the measured losses
  /// would be a better prediction.
  package func heldOutR2(of law: String) -> Double? {
    let points = fit.domains.filter { $0.domain != MeasuredRun.mean || fit.domains.count == 1 }.flatMap { domain in
      domain.candidates.first { $0.law == law }?.heldOut?.folds.flatMap(\.points) ?? []
    }.filter { $0.measured.isFinite && $0.predicted.isFinite }
    guard points.count > 1 else { return nil }
    let mean = Statistics.mean(points.map(\.measured))
    func sum(_ difference: (FitPoint) -> Double) -> Double { points.reduce(0) { $0 + difference($1) * difference($1) } }
    let spread = sum { $0.measured - mean }
    return spread > 0 ? 1 - sum { $0.measured - $0.predicted } / spread : nil
  }

  /// Where an allocation is outside the measured runs, such as `D is 2.3 times and D′ is 4.5 times the largest measured`; nil inside.
  package func extrapolation(of candidate: Allocation.Candidate) -> String? {
    let axes: [(name: String, values: [Double], ends: KeyPath<RunRange, [Double]>)] = [
      ("N", [candidate.n], \.n), ("D", [Double(candidate.d)], \.d), ("D′", candidate.dPrime.map { Double($0) }, \.dPrime),
    ]
    var (above, below): ([String], [String]) = ([], [])
    for axis in axes {
      let measured = fit.domains.flatMap { $0.range[keyPath: axis.ends] }
      guard let low = measured.min(), let high = measured.max(), let least = axis.values.min(), let most = axis.values.max() else {
        continue
      }
      if high > 0, most > high * 1.01 { above.append("\(axis.name) is \(Number.factor(most / high)) times") }
      if least < low * 0.99 { below.append("\(axis.name) is \(Number.percent(least / low)) of") }
    }
    let parts = [(above, "largest"), (below, "smallest")].filter { !$0.0.isEmpty }
    return parts.isEmpty ? nil : parts.map { "\(Compare.list($0.0)) the \($0.1) measured" }.joined(separator: "; ")
  }

  /// The smallest and the largest N, D and D′ that were measured, such as `N of 100 k to 1.2 M, D of 500 k to 8 M and D′ of 0 to 800 k`.
  var measuredRange: String {
    let axes: [(name: String, ends: KeyPath<RunRange, [Double]>)] = [("N", \.n), ("D", \.d), ("D′", \.dPrime)]
    return Compare.list(
      axes.compactMap { axis in
        let measured = fit.domains.flatMap { $0.range[keyPath: axis.ends] }
        guard let low = measured.min(), let high = measured.max() else { return nil }
        return "\(axis.name) of \(Number.tick(low)) to \(Number.tick(high))"
      })
  }

  /// A run of one domain with the prediction of the selected law.
  package struct Point: Sendable {
    package var domain: String
    package var run: FitPoint
    /// Whether the prediction is of a fit without this run.
    package var isHeldOut: Bool
  }

  /// All predictions, those of the whole fit and those of held-out runs, for all domains but the mean; the mean if it is the only one.
  package var points: [Point] {
    fit.domains.filter { $0.domain != MeasuredRun.mean || fit.domains.count == 1 }.flatMap { domain -> [Point] in
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
