import Artifacts
import Filtering
import Foundation
import Planning
import Training
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
    if let text = results.sweep.flatMap(sweep) ?? training(summary.training) { return text }
    return summary.mixture.map(mixture) ?? filter(summary.filters) ?? measured(results.runs)
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

  /// Of the settings that are chosen, the one that forgets least.
  private static func sweep(_ sweep: FinetuneSweep) -> String? {
    guard let best = sweep.settings.filter(\.isChosen).min(by: { $0.rise.value < $1.rise.value }) else {
      return sweep.settings.isEmpty ? nil : "No setting of the sweep lowers the loss on \(sweep.target)."
    }
    let strength = best.strength.map { " at strength \(Number.trimmed($0, 4))" } ?? ""
    return "Of the settings that lower the loss on \(sweep.target), \(best.method)\(strength), with a learning rate of "
      + "\(Number.trimmed(best.learningRate, 7)), forgets least: it gains \(Number.fixed(best.gain.value, 3)) nats/token, and the source loss "
      + "rises by \(Number.fixed(best.rise.value, 3))."
  }

  private static func allocation(_ allocation: Allocation, plan: Plan?) -> String {
    var text =
      "Of \(Number.scientific(allocation.request.budget)) FLOPs, \(Number.percent(allocation.split.trunkShare)) for the trunk give the "
    let loss = allocation.split.loss
    text += "lowest predicted loss, \(Number.fixed(loss.value, 3)) nats/token"
    if let low = loss.low, let high = loss.high {
      text += " " + interval(low, high, level: allocation.request.level) { Number.fixed($0, 3) }
    }
    return text + (plan?.extrapolation(of: allocation.split) != nil ? ", by extrapolation." : ".")
  }

  private static func law(_ plan: Plan) -> String {
    guard let error = plan.score?.heldOutError.finite else { return "\(plan.fit.selected) was fitted, without held-out runs." }
    return "\(plan.fit.selected) predicts held-out runs with a mean relative error of \(Number.percent(error))."
  }

  private static func training(_ runs: [RunSummary.Training]) -> String? {
    let ends = runs.filter { $0.report.training.loss.isFinite && $0.report.training.steps > 0 }
    guard let first = ends.first else { return runs.isEmpty ? nil : "No step is logged yet." }
    guard ends.count == 1 else { return comparison(ends) }
    let report = first.report.training
    var text = runs.count == 1 ? "The run" : "Of \(runs.count) training runs, only \(first.name) has logged steps: it"
    text += first.isFinished ? " ends at" : " is unfinished, so far at"
    text += " a training loss of \(Number.fixed(report.loss, 3)) nats/token after \(Number.compact(report.tokens)) tokens"
    if let evaluation = report.final.first { text += "; on \(evaluation.name), its perplexity is \(perplexity(evaluation.result))" }
    return text + "."
  }

  /// Runs are ranked on a held-out set of all of them, or by the training loss on the same tokens; losses on different data do not rank them.
  private static func comparison(_ runs: [RunSummary.Training]) -> String {
    func key(_ record: EvaluationRecord) -> String? { record.data.map { "\(record.name) \($0)" } }
    let sets = runs.map { Set($0.report.training.final.compactMap(key)) }
    let unfinished = runs.count { !$0.isFinished }
    let end = unfinished == 0 ? "." : "; \(Number.count(unfinished, "run")) not finished."
    if let common = runs[0].report.training.final.first(where: { record in
      sets.allSatisfy { set in key(record).map(set.contains) ?? false }
    }) {
      let results = runs.compactMap { run in
        run.report.training.final.first { key($0) == key(common) }.map { (name: run.name, result: $0.result) }
      }.sorted { $0.result.loss < $1.result.loss }
      var text = "Of \(runs.count) training runs, \(results[0].name) has the lowest perplexity on \(common.name), "
      text += "\(perplexity(results[0].result)); the next, of \(results[1].name), is \(Number.perplexity(results[1].result.perplexity))"
      return text + end
    }
    let ends = runs.map(\.report.training).sorted { $0.loss < $1.loss }
    let data = Set(runs.map { "\($0.settings?["data"]?.string ?? $0.name) \($0.report.training.tokens)" })
    if data.count == 1, let best = runs.min(by: { $0.report.training.loss < $1.report.training.loss }) {
      return "Of \(runs.count) training runs on the same data, \(best.name) ends lowest, at a training loss of "
        + "\(Number.fixed(ends[0].loss, 3)) nats/token after \(Number.compact(ends[0].tokens)) tokens\(end)"
    }
    return "\(runs.count) training runs end at training losses of \(Number.fixed(ends[0].loss, 3)) to "
      + "\(Number.fixed(ends[ends.count - 1].loss, 3)) nats/token, each on its own data: these losses do not rank the runs\(end)"
  }

  /// The perplexity, with its 95 % interval where the standard error of the loss is known.
  private static func perplexity(_ result: Evaluation) -> String {
    let value = Number.perplexity(result.perplexity)
    guard let error = result.lossError.finite else { return value }
    return value + " "
      + interval(exp(result.loss - 1.96 * error), exp(result.loss + 1.96 * error), level: 0.95) { Number.perplexity($0) }
  }

  private static func interval(_ low: Double, _ high: Double, level: Double, _ format: (Double) -> String) -> String {
    "(\(Number.percent(level)) interval \(format(low)) – \(format(high)))"
  }

  private static func measured(_ runs: [MeasuredRun]) -> String? {
    if runs.isEmpty { return nil }
    let (sizes, domains) = (Set(runs.map(\.n)).count, Set(runs.map(\.domain)).count)
    return
      "\(Number.integer(runs.count)) \(runs.count == 1 ? "loss" : "losses") of models of \(Number.count(sizes, "size")) on \(Number.count(domains, "domain")) "
      + "are measured; a fit would predict others."
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

  /// What limits the verdict: one seed, the size of the models, few held-out documents, extrapolation, the processor.
  static func caveats(_ summary: RunSummary) -> String? {
    let caveats =
      [seeds(summary), sizes(summary.training), heldOut(summary), plan(summary.results), draw(summary)].compactMap(\.self)
      + (summary.training.isEmpty ? [] : [processor(summary.machine)])
    return caveats.isEmpty ? nil : caveats.joined(separator: " ")
  }

  private static func seeds(_ summary: RunSummary) -> String? {
    let (results, runs) = (summary.results, summary.training)
    let isCompared = results.crisp != nil || results.split != nil || results.finetuning != nil
    guard isCompared || !runs.isEmpty || !results.runs.isEmpty else { return nil }
    let names = Set(runs.map(\.name))
    let known = summary.provenance.randomSeeds.filter { names.contains($0.key) }.map(\.value) + results.runs.map(\.seed)
    let seeds = Set(known).sorted()
    // Several seeds may or may not be of the same run.
    guard isCompared || seeds.count < 2 else { return nil }
    let list = seeds.map(String.init).joined(separator: ", ")
    let with = seeds.isEmpty ? "" : ", with random seed\(seeds.count == 1 ? "" : "s") \(list)"
    let what = isCompared ? "One run per method" : runs.count == 1 ? "One run" : "One run of each"
    return "\(what)\(with): how much results vary between seeds is not measured."
  }

  private static func sizes(_ runs: [RunSummary.Training]) -> String? {
    let sizes = runs.map(\.report.training.parameters).filter { $0 > 0 }
    guard let least = sizes.min(), let most = sizes.max() else { return nil }
    let range = least == most ? Number.compact(most) : "\(Number.compact(least)) to \(Number.compact(most))"
    let tokens = Number.compact(runs.map(\.report.training.tokens).max() ?? 0)
    return sizes.count == 1
      ? "The model has \(range) parameters and saw \(tokens) tokens: a larger one may behave otherwise."
      : "The models have \(range) parameters and saw at most \(tokens) tokens per run: larger ones may rank otherwise."
  }

  /// Below this, a held-out set has few documents.
  private static let fewDocuments = 100

  private static func heldOut(_ summary: RunSummary) -> String? {
    var few: [String: Int] = [:]
    for record in summary.training.flatMap(\.report.training.latest) {
      if let documents = record.result.documents, documents < fewDocuments { few[record.name] = documents }
    }
    var parts = few.sorted { $0.key < $1.key }.map { "\($0.key) has only \(Number.count($0.value, "document"))" }
    if let least = summary.results.split?.byDomain.min(by: { $0.windows < $1.windows }), least.windows < fewDocuments {
      parts.append("\(least.name) has only \(Number.count(least.windows, "window"))")
    }
    return parts.isEmpty ? nil : "Of the held-out text, \(Compare.list(parts))."
  }

  private static func plan(_ results: RunResults) -> String? {
    if let allocation = results.allocation {
      let notes = allocation.notes.map { " Note: \($0)." }.joined()
      return "The fit is not part of this report, so it does not show whether the allocation is an extrapolation.\(notes)"
    }
    guard let plan = results.plan else { return nil }
    guard let allocation = plan.allocation else {
      let held = plan.points.count(where: \.isHeldOut)
      let count = held == 0 ? "" : "The error is that of \(Number.count(held, "prediction")) for the largest of the measured runs. "
      return count + "Beyond the measured \(plan.measuredRange), predictions are extrapolations."
    }
    return plan.extrapolation(of: allocation.split).map { "The allocation is an extrapolation: \($0)." }
  }

  /// What is uncertain about a mixture that is reported by itself.
  private static func draw(_ summary: RunSummary) -> String? {
    guard let mixture = summary.mixture, summary.training.isEmpty, summary.steps.isEmpty else { return nil }
    var text = "No model is trained on the mixture here: its weights do not show that it helps."
    let seeds = mixture.seeds ?? []
    if !seeds.isEmpty {
      let windows = Number.count(seeds.reduce(0) { $0 + $1.windows }, "window")
      text += " They rest on \(Number.count(seeds.reduce(0) { $0 + $1.documents }, "document")) (\(windows)) of specialist seeds."
    }
    if let top = mixture.clusters.max(by: { $0.seed < $1.seed }), let low = top.seedLow, let high = top.seedHigh {
      text += " Over \(Number.count(mixture.resamples ?? 0, "resample")) of these, the share of leaf \(top.leaf) in the seed, "
      text += "\(Number.percent(top.seed)), is \(Number.percent(low)) – \(Number.percent(high))."
    }
    return text
  }

  private static func processor(_ machine: Machine) -> String {
    let processor = machine.processor.map { "\($0), " } ?? ""
    return "Trained on a CPU, so times say nothing of a GPU; the report was made on \(processor)\(Number.count(machine.cores, "core"))."
  }
}
