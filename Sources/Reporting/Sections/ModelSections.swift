import Foundation
import Storage
import Training
import Workflows

/// The sections on models: training, specialization by sampling, split, finetuning.
enum ModelSections {
  static func training(_ summary: RunSummary) -> Section? {
    guard !summary.training.isEmpty else { return nil }
    var table = Table(
      "Training runs",
      [
        .text("Run"), .text("Continues"), .number("Parameters"), .number("Tokens"), .number("FLOPs"), .number("Tokens/s"),
        .number("Time"), .number("Final loss"),
      ])
    for run in summary.training {
      let report = run.report.training
      table.add([
        run.isFinished ? run.name : "\(run.name) (unfinished)", run.parent ?? "", Number.compact(report.parameters),
        Number.compact(report.tokens), Number.scientific(report.flops),
        Number.compact(report.tokensPerSecond), Number.seconds(report.seconds), Number.fixed(report.loss, 3),
      ])
    }
    let incidents = summary.training.compactMap { run in run.report.training.guardSummary.map { " \(run.name), \($0)." } }
    return Section(
      "training", "Training", lead: "The loss of every run, each on its own training data, and its cost." + incidents.joined(),
      [
        LossChart(summary.training)?.figure, table.folded(above: 14), evaluations(summary.training), changes(summary.training),
        summary.training.count == 1 ? summary.training[0].settings.map(settings) : nil,
      ])
  }

  /// The last evaluation of every run on every held-out set.
  private static func evaluations(_ runs: [RunSummary.Training]) -> String? {
    var table = Table(
      "Held-out text after the last step",
      [
        .text("Run"), .text("Held-out set"), .number("Tokens"), .number("Perplexity"), .number("Standard error"),
        .number("Same weight for every domain"), .number("Bits per byte"),
      ])
    for run in runs {
      for record in run.report.training.latest {
        let result = record.result, domains = result.byDomain ?? [:]
        let mean = domains.count > 1 ? exp(domains.values.map(\.loss).sorted().reduce(0, +) / Double(domains.count)) : nil
        table.add([
          run.name, record.name, Number.compact(result.tokens), Number.perplexity(result.perplexity),
          Number.perplexity(result.perplexityError), Number.perplexity(mean), Number.fixed(result.bitsPerByte, 3),
        ])
      }
    }
    return table.rowCount == 0 ? nil : table.folded(above: 14)
  }

  /// The loss on every held-out set that was evaluated before the first step.
  private static func changes(_ runs: [RunSummary.Training]) -> String? {
    var table = Table(
      "Held-out loss before and after, nats/token",
      [
        .text("Run"), .text("Held-out set"), .text("Role"), .number("Before"), .number("Lowest"), .number("At step"), .number("Model"),
        .number("Change"), .text("Kept"),
      ])
    for run in runs {
      let report = run.report.training
      for change in report.changes ?? [] {
        table.add([
          run.name, change.name, change.role.map { $0 == .source ? "source" : "judges the budget" } ?? "target",
          Number.fixed(change.start, 3),
          Number.fixed(change.best, 3), Number.integer(change.bestStep), Number.fixed(change.end, 3), Number.fixed(change.rise, 3),
          report.selectionSummary ?? "",
        ])
      }
    }
    return table.rowCount == 0 ? nil : table.folded(above: 14)
  }

  /// The description of a run, one row per value.
  private static func settings(_ value: JSONValue) -> String {
    var rows: [(String, String?)] = []
    func add(_ name: String, _ value: JSONValue) {
      switch value {
      case .object(let members):
        for (key, member) in members.sorted(by: { $0.key < $1.key }) { add(name.isEmpty ? key : "\(name).\(key)", member) }
      case .array(let items): if !items.isEmpty { rows.append((name, items.map(text).joined(separator: ", "))) }
      default: rows.append((name, text(value)))
      }
    }
    func text(_ value: JSONValue) -> String {
      switch value {
      case .string(let text): text
      case .number(let number): Number.trimmed(number, 9)
      case .bool(let flag): flag ? "yes" : "no"
      default: Number.unknown
      }
    }
    add("", value)
    return Table("Settings of the run (run.json)", properties: rows).folded(above: 12)
  }

  static func crisp(_ summary: RunSummary) -> Section? {
    guard let crisp = summary.results.crisp, let chart = PerplexityChart(crisp) else { return nil }
    var table = Table(
      "Perplexity by mixture",
      [
        .text("Model"), .number("Specialist seed’s domain"), .number("General text"), .number("Domain ÷ uniform"),
        .number("General ÷ uniform"),
      ])
    for row in chart.rows {
      func ratio(_ value: Double?, _ reference: Double?) -> String {
        Number.fixed(value.flatMap { value in reference.positive.map { value / $0 } }, 2)
      }
      table.add(
        [
          row.name, Number.perplexity(row.target), Number.perplexity(row.general), ratio(row.target, crisp.uniform?.target),
          ratio(row.general, crisp.uniform?.general),
        ], style: row.isCrisp ? "strong" : "")
    }
    let tokens = crisp.tokens.map { " for \(Number.compact($0)) tokens each" } ?? ""
    let seed = crisp.seed.map { " Specialist seed: \($0)." } ?? ""
    return Section(
      "crisp", "Specialization by sampling", lead: "One base model, continued on different mixtures\(tokens).\(seed)",
      [chart.figure, table.markup])
  }

  static func split(_ summary: RunSummary) -> Section? {
    guard let split = summary.results.split else { return nil }
    let tokens = (Set(split.branchTokens).count > 1 ? "up to " : "") + Number.compact(split.branchTokens.max() ?? 0)
    var lead = "One model per domain"
    lead += split.meanPerplexity["full"] == nil ? ". " : ", compared with a single-model baseline of the same compute. "
    lead +=
      split.trunkTokens > 0
      ? "The trunk was trained on \(Number.compact(split.trunkTokens)) tokens, each branch on \(tokens) more tokens. "
      : "Each branch was trained on \(tokens) tokens. "
    lead += "Router: \(split.router)."
    return Section("split", "Split by domain", lead: lead, [SplitChart(split)?.figure, table(split)])
  }

  private static func table(_ split: SplitReport) -> String? {
    guard !split.byDomain.isEmpty else { return nil }
    var table = Table(
      "Perplexity by domain",
      [
        .text("Domain"), .text("Terms"), .number("Windows"), .number("D′"), .number("Baseline"), .number("Split"),
        .number("Split ÷ baseline"),
      ])
    func add(_ cells: [String], full: Double?, split: Double?, style: String = "") {
      let ratio = full.positive.flatMap { full in split.positive.map { $0 / full } }
      table.add(cells + [Number.perplexity(full), Number.perplexity(split), Number.fixed(ratio, 2)], style: style)
    }
    for domain in split.byDomain {
      add(
        [domain.name, domain.terms.prefix(6).joined(separator: " "), Number.integer(domain.windows), Number.compact(domain.branchTokens)],
        full: domain.full, split: domain.split)
    }
    add([SplitChart.meanName, "", "", ""], full: split.meanPerplexity["full"], split: split.meanPerplexity["split"], style: "strong")
    add([SplitChart.weightedName, "", "", ""], full: split.tokenPerplexity["full"], split: split.tokenPerplexity["split"], style: "strong")
    return table.folded(above: 14)
  }

  static func finetune(_ summary: RunSummary) -> Section? {
    guard let finetuning = summary.results.finetuning else { return summary.results.sweep.flatMap(sweep) }
    var table = Table(
      "Finetuned models",
      [
        .text("Model"), .number("Target perplexity"), .number("Original-domain perplexity"), .number("λ"), .number("Learning rate"),
        .number("Epochs"),
      ])
    let models =
      [("base", finetuning.base), ("direct", finetuning.direct), ("label annealing", finetuning.anneal)]
      + finetuning.methods.map { ($0.name, $0.run) }
    for (name, run) in models {
      guard let run else { continue }
      let settings = run.report.finetuning
      table.add([
        name, Number.perplexity(run.target), Number.perplexity(run.general), settings.map { Number.trimmed($0.lambda, 4) } ?? "",
        settings.map { Number.trimmed($0.learningRate, 7) } ?? "", settings.map { Number.integer($0.epochs) } ?? "",
      ])
    }
    return Section(
      "finetune", "Target gain and forgetting",
      lead:
        "Label annealing adds to the loss λ times the divergence from the predictions of the initial model. It needs none of the original "
        + "training data.",
      [FinetuneChart(finetuning)?.figure, table.rowCount > 0 ? table.markup : nil])
  }

  private static func sweep(_ sweep: FinetuneSweep) -> Section? {
    var table = Table(
      "Settings",
      [
        .text("Method"), .number("Strength"), .number("Learning rate"), .number("Seeds"), .number("Target gain"), .number("± 95 %"),
        .number("Source rise"), .number("± 95 %"), .text("Frontier"),
      ])
    for setting in sweep.settings {
      table.add(
        [
          setting.method, setting.strength.map { Number.trimmed($0, 4) } ?? "", Number.trimmed(setting.learningRate, 7),
          Number.integer(setting.runs), Number.fixed(setting.gain.value, 3), setting.gain.error.map { Number.fixed($0, 3) } ?? "",
          Number.fixed(setting.rise.value, 3), setting.rise.error.map { Number.fixed($0, 3) } ?? "", setting.isOnFrontier ? "yes" : "",
        ], style: setting.isChosen ? "strong" : "")
    }
    let least = sweep.minimumGain > 0 ? " of more than \(Number.trimmed(sweep.minimumGain)) nats/token" : ""
    return Section(
      "finetune", "Target gain and forgetting",
      lead:
        "The fall of the loss on \(sweep.target) and the rise of the loss on \(sweep.sources.joined(separator: ", ")), both after finetuning. "
        + "Bold: for each method, of the settings with a target gain\(least), the one that forgets least. These held-out documents have "
        + "chosen the settings: report others.",
      [FrontierChart(sweep)?.figure, table.folded(above: 40)])
  }
}
