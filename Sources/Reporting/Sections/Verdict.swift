import Artifacts
import Filtering
import Planning
import Workflows

/// What a reader should take away, in one sentence, and what limits it.
enum Verdict {
  static func sentence(_ summary: RunSummary) -> String? {
    let results = summary.results
    if let text = results.crisp.flatMap(sampling) { return text }
    if let text = results.split.flatMap(split) { return text }
    if let text = results.finetuning.flatMap(finetuning) { return text }
    if let allocation = results.plan?.allocation ?? results.allocation { return self.allocation(allocation, plan: results.plan) }
    if let plan = results.plan { return law(plan) }
    if let text = training(summary.training) { return text }
    return summary.mixture.map(mixture) ?? filter(summary.filters)
  }

  /// The method with the lowest perplexity on the target, whichever it is.
  private static func sampling(_ comparison: SamplingComparison) -> String? {
    let runs = comparison.continuations.compactMap { name, run in run.target.positive.map { (name: name, target: $0, general: run.general) }
    }
    guard let best = runs.min(by: { $0.target < $1.target }), runs.count > 1 else { return nil }
    var text =
      "Of \(runs.count) mixtures, \(named(best.name)) gives the lowest perplexity on held-out text of the specialist seed’s domain: "
    text += Number.perplexity(best.target)
    guard let uniform = comparison.uniform, let reference = uniform.target.positive, best.name != "uniform" else {
      if let crisp = comparison.crisp?.target.positive { text += "; CRISP is \(Compare.difference(crisp, from: best.target))" }
      return text + "."
    }
    text += ", \(Compare.phrase(best.target, than: reference)) uniform sampling (\(Number.perplexity(reference)))"
    if let value = best.general.positive, let reference = uniform.general.positive {
      text += Compare.isLower(reference, than: value) ? ", but " : ", and "
      text += "\(Compare.difference(value, from: reference)) on general text"
    }
    return text + "."
  }

  private static func named(_ method: String) -> String {
    method == "uniform" ? "uniform sampling" : method == "specialist seed" ? "the specialist seed alone" : method
  }

  private static func split(_ split: SplitReport) -> String? {
    guard let value = split.meanPerplexity["split"].positive, let full = split.meanPerplexity["full"].positive else { return nil }
    var text =
      "With the same weight for every domain, the split’s perplexity is \(Compare.phrase(value, than: full)) the single-model baseline’s"
    if let value = split.tokenPerplexity["split"].positive, let full = split.tokenPerplexity["full"].positive {
      text += ", and weighted by tokens it is \(Compare.difference(value, from: full))"
    }
    return text + "."
  }

  private static func finetuning(_ comparison: FinetuningComparison) -> String? {
    guard let direct = comparison.direct?.both, let anneal = comparison.anneal?.both else { return nil }
    return "Label annealing’s perplexity is \(Compare.phrase(anneal.target, than: direct.target)) direct finetuning’s on the target, and "
      + "\(Compare.phrase(anneal.general, than: direct.general)) it on the original domain."
  }

  private static func allocation(_ allocation: Allocation, plan: Plan?) -> String {
    var text =
      "Of \(Number.scientific(allocation.request.budget)) FLOPs, \(Number.percent(allocation.split.trunkShare)) for the trunk give the "
    text += "lowest predicted loss, \(Number.fixed(allocation.split.loss.value, 3)) nats/token"
    return text + (plan?.extrapolation(of: allocation.split) != nil ? ", by extrapolation." : ".")
  }

  private static func law(_ plan: Plan) -> String {
    guard let error = plan.score?.heldOutError.finite else { return "\(plan.fit.selected) was fitted, without held-out runs." }
    return "\(plan.fit.selected) predicts held-out runs with a mean relative error of \(Number.percent(error))."
  }

  private static func training(_ runs: [RunSummary.Training]) -> String? {
    let ends = runs.filter { $0.report.training.loss.isFinite && $0.report.training.steps > 0 }
    guard let first = ends.min(by: { $0.report.training.loss < $1.report.training.loss }) else {
      return runs.isEmpty ? nil : "No step is logged yet."
    }
    let report = first.report.training
    let state = first.isFinished ? "ends" : "is so far, unfinished,"
    let loss = "at a training loss of \(Number.fixed(report.loss, 3)) nats/token after \(Number.compact(report.tokens)) tokens"
    if runs.count > 1 { return "Of \(runs.count) training runs, \(first.name) \(state) lowest, \(loss), each on its own data." }
    var text = "The run \(state) \(loss)"
    if let evaluation = report.final.first {
      text += "; on \(evaluation.name), its perplexity is \(Number.perplexity(evaluation.result.perplexity))"
    }
    return text + "."
  }

  private static func mixture(_ mixture: Mixture) -> String {
    let weights = mixture.clusters.map(\.weight).sorted(by: >)
    let total = max(1e-300, weights.reduce(0, +))
    var (sum, count) = (0.0, 0)
    for weight in weights where sum < 0.9 * total { (sum, count) = (sum + weight, count + 1) }
    return "\(count) of \(Number.count(weights.count, "cluster")) get 90\(Number.gap)% of the weight; the run expects at most "
      + "\(Number.epochs(mixture.largestEpochs)) epochs over any cluster."
  }

  private static func filter(_ filters: [FilterReport]) -> String? {
    guard let filter = filters.first, let rule = filter.rules.first, filter.documents > 0 else { return nil }
    return
      "The filter drops \(Number.percent(Double(filter.dropped) / Double(filter.documents))) of the documents, most of them by \(rule.name)."
  }

  /// What limits the verdict: one run per method, the size of the models, the processor.
  static func caveats(_ summary: RunSummary) -> String? {
    var caveats: [String] = []
    let results = summary.results
    if results.crisp != nil || results.split != nil || results.finetuning != nil {
      let names = Set(summary.training.map(\.name))
      let seeds = Set(summary.provenance.randomSeeds.filter { names.contains($0.key) }.values).sorted()
      let seed =
        seeds.isEmpty
        ? "" : seeds.count == 1 ? ", with random seed \(seeds[0])" : ", with random seeds \(seeds.map(String.init).joined(separator: ", "))"
      caveats.append("One run per method\(seed): how much results vary between seeds is not measured.")
    }
    let sizes = summary.training.map(\.report.training.parameters).filter { $0 > 0 }
    if let least = sizes.min(), let most = sizes.max() {
      let range = least == most ? Number.compact(most) : "\(Number.compact(least)) to \(Number.compact(most))"
      let tokens = summary.training.map(\.report.training.tokens).max() ?? 0
      caveats.append(
        "\(sizes.count == 1 ? "The model has" : "The models have") \(range) parameters and saw at most \(Number.compact(tokens)) tokens per run: larger ones may rank otherwise."
      )
    }
    if let allocation = results.plan?.allocation, let beyond = results.plan?.extrapolation(of: allocation.split) {
      caveats.append("The allocation is an extrapolation: \(beyond).")
    }
    if !summary.training.isEmpty {
      let processor = summary.machine.processor.map { "\($0), " } ?? ""
      caveats.append(
        "Trained on a CPU, so times say nothing of a GPU; the report was made on \(processor)\(Number.count(summary.machine.cores, "core"))."
      )
    }
    return caveats.isEmpty ? nil : caveats.joined(separator: " ")
  }
}
