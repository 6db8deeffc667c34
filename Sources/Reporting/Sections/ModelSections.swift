/// The sections on the models: training, specialisation, split, finetuning.
enum ModelSections {
  /// Loss curves and what the runs cost.
  static func training(_ summary: RunSummary) -> Section? {
    let runs = summary.training ?? []
    return Section(
      "training", "Training", lead: "Every run with its loss on its own data, and what it cost.",
      [LossChart(runs)?.figure, table(runs)])
  }

  private static func table(_ runs: [RunSummary.Training]) -> String? {
    guard !runs.isEmpty else { return nil }
    var table = Table(
      "Training runs",
      [
        .text("Run"), .text("Continues"), .number("Parameters"), .number("Tokens"), .number("FLOPs"), .number("Tokens/s"),
        .number("Time"), .number("Last loss"), .number("Last validation"),
      ])
    for run in runs {
      let last = { (points: [RunSummary.Point]?) in (points ?? []).filter { $0.y.isFinite }.max { $0.x < $1.x }?.y }
      table.add([
        run.name ?? "", run.parent ?? "", Number.compact(run.parameters), Number.compact(run.tokens), Number.scientific(run.flops),
        Number.compact(run.tokensPerSecond), Number.seconds(run.seconds), Number.fixed(last(run.loss), 3),
        Number.fixed(last(run.validation), 3),
      ])
    }
    return table.folded(above: 14)
  }

  /// What the mixture bought.
  static func crisp(_ summary: RunSummary) -> Section? {
    guard let crisp = summary.crisp, let chart = PerplexityChart(crisp) else { return nil }
    var table = Table(
      "Perplexity by method",
      [.text("Method"), .number("Seed’s text"), .number("General text"), .number("Seed, ÷ uniform"), .number("General, ÷ uniform")])
    let uniform = (crisp.seedPerplexity?.uniform.positive, crisp.generalPerplexity?.uniform.positive)
    for row in chart.rows {
      let ratio = { (value: Double?, reference: Double?) -> String in
        guard let value = value.positive, let reference else { return Number.unknown }
        return Number.perplexity(value / reference)
      }
      table.add(
        [
          row.name, Number.perplexity(row.seed), Number.perplexity(row.general), ratio(row.seed, uniform.0), ratio(row.general, uniform.1),
        ], style: row.isOurs ? "strong" : "")
    }
    let tokens = crisp.tokens.positive.map { ", \(Number.compact($0)) tokens each" } ?? ""
    let seed = crisp.seed.map { " Seed: \($0)." } ?? ""
    return Section(
      "crisp", "Specialising by the mixture",
      lead: "The same base continued in several ways\(tokens).\(seed)", [chart.figure, table.markup])
  }

  /// One model or one per domain.
  static func split(_ summary: RunSummary) -> Section? {
    guard let split = summary.split else { return nil }
    var facts: [String] = []
    if let trunk = split.trunkTokens.positive { facts.append("a trunk of \(Number.compact(trunk)) tokens") }
    if let branch = split.branchTokens.positive { facts.append("branches of \(Number.compact(branch)) tokens each") }
    if let router = split.router { facts.append("texts routed by \(router)") }
    let lead = "One model continued on everything against one model per domain" + SplitChart.cost(split)
    return Section(
      "split", "One model or one per domain", lead: lead + (facts.isEmpty ? "." : ": \(Compare.list(facts))."),
      [SplitChart(split)?.figure ?? mean(split), table(split)])
  }

  private static func mean(_ split: RunSummary.Split) -> String? {
    guard let full = split.meanPerplexity?.full.positive, let mean = split.meanPerplexity?.split.positive else { return nil }
    let text = "Over all domains the split has \(Number.perplexity(mean)), \(Compare.phrase(mean, than: full)) the full model’s "
    return "<p>\(Escape.text(text + Number.perplexity(full) + "."))</p>"
  }

  private static func table(_ split: RunSummary.Split) -> String? {
    guard let domains = split.byDomain, !domains.isEmpty else { return nil }
    var table = Table(
      "Perplexity by domain",
      [.text("Domain"), .text("Top terms"), .number("Windows"), .number("D′"), .number("Full"), .number("Split"), .number("Split ÷ full")])
    for domain in domains {
      let ratio = domain.full.positive.flatMap { full in domain.split.positive.map { $0 / full } }
      table.add([
        domain.name ?? "", (domain.terms ?? []).prefix(6).joined(separator: " "), Number.fixed(domain.windows),
        domain.tokens.finite == nil ? "" : Number.compact(domain.tokens), Number.perplexity(domain.full), Number.perplexity(domain.split),
        Number.fixed(ratio, 2),
      ])
    }
    table.add(
      [
        "all domains", "", "", "", Number.perplexity(split.meanPerplexity?.full), Number.perplexity(split.meanPerplexity?.split),
        Number.fixed(split.meanPerplexity?.full.positive.flatMap { full in split.meanPerplexity?.split.positive.map { $0 / full } }, 2),
      ], style: "strong")
    return table.folded(above: 14)
  }

  /// What is learnt and what is forgotten.
  static func finetune(_ summary: RunSummary) -> Section? {
    guard let finetune = summary.finetune else { return nil }
    let chosen: [(String, RunSummary.FinetunePoint?)] = [
      ("base", finetune.base), ("direct", finetune.direct), ("label annealing", finetune.anneal),
    ]
    var table = Table(
      "Chosen models",
      [.text("Model"), .number("Target"), .number("Source"), .number("λ"), .number("Learning rate"), .number("Epochs")])
    for (name, point) in chosen {
      guard let point else { continue }
      table.add([
        name, Number.perplexity(point.targetPerplexity), Number.perplexity(point.sourcePerplexity),
        point.lambda.finite.map { Number.trimmed($0, 4) } ?? "", point.learningRate.finite.map { Number.trimmed($0, 7) } ?? "",
        point.epochs.finite.map { Number.trimmed($0, 2) } ?? "",
      ])
    }
    return Section(
      "finetune", "Finetuning that remembers",
      lead: "Label annealing adds λ times the divergence from the frozen initial model’s predictions to the loss; no old data is needed.",
      [FinetuneChart(finetune)?.figure, table.rowCount > 0 ? table.markup : nil])
  }
}
