import Planning
import Workflows

/// The verdict and its caveats, and the main results as tiles and as a table.
enum Headline {
  private struct Tile {
    var name: String, value: String, note: String
    /// Colors the note; its words say the same.
    var isGood: Bool?
  }

  static func section(_ summary: RunSummary) -> Section? {
    let tiles = tiles(summary)
    let markup = tiles.map { tile in
      let style = tile.isGood.map { $0 ? " good" : " bad" } ?? ""
      return """
        <div class="tile"><div class="name">\(Escape.text(tile.name))</div><div class="value">\(Escape.text(tile.value))</div>\
        <div class="than\(style)">\(Escape.text(tile.note))</div></div>
        """
    }.joined(separator: "\n")
    let table = table(summary.results)
    return Section(
      "results", "Results", lead: "",
      [
        Verdict.sentence(summary).map { "<p class=\"verdict\">\(Escape.text($0))</p>" },
        Verdict.caveats(summary).map { "<p class=\"caveat\">\(Escape.text($0))</p>" },
        table == nil ? nil : "<p class=\"lead\">Each result next to its baseline; for perplexity, lower is better.</p>",
        tiles.isEmpty ? nil : "<div class=\"tiles\">\n\(markup)\n</div>", table,
      ])
  }

  /// The perplexity of a method and of its baseline.
  private struct Comparison {
    var measure: String, method: String, value: Double, baseline: String, reference: Double
    /// Whether it has a tile.
    var isMain: Bool
  }

  private static func comparisons(_ results: RunResults) -> [Comparison] {
    let (crisp, tuned) = (results.crisp, results.finetuning)
    let (mean, weighted) = (results.split?.meanPerplexity, results.split?.tokenPerplexity)
    let target = "Perplexity on the specialist seed’s domain", general = "Perplexity on general text"
    var candidates: [(String, String, Double?, String, Double?, isMain: Bool)] = [
      (target, "CRISP", crisp?.crisp?.target, "uniform sampling", crisp?.uniform?.target, true),
      (general, "CRISP", crisp?.crisp?.general, "uniform sampling", crisp?.uniform?.general, true),
      (target, "CRISP", crisp?.crisp?.target, "the specialist seed alone", crisp?.specialist?.target, false),
    ]
    for (name, run) in crisp?.others ?? [] {
      candidates.append((target, name, run.target, "uniform sampling", crisp?.uniform?.target, false))
      candidates.append((general, name, run.general, "uniform sampling", crisp?.uniform?.general, false))
    }
    candidates += [
      ("Perplexity, same weight for every domain", "split", mean?["split"], "the single-model baseline", mean?["full"], true),
      ("Perplexity, domains weighted by tokens", "split", weighted?["split"], "the single-model baseline", weighted?["full"], true),
      ("Perplexity on the finetuning target", "label annealing", tuned?.anneal?.target, "direct finetuning", tuned?.direct?.target, true),
      ("Perplexity on the original domain", "label annealing", tuned?.anneal?.general, "direct finetuning", tuned?.direct?.general, true),
    ]
    for (name, run) in tuned?.methods ?? [] {
      candidates.append(("Perplexity on the finetuning target", name, run.target, "direct finetuning", tuned?.direct?.target, false))
      candidates.append(("Perplexity on the original domain", name, run.general, "direct finetuning", tuned?.direct?.general, false))
    }
    return candidates.compactMap { measure, method, value, baseline, reference, isMain in
      guard let value = value.positive, let reference = reference.positive else { return nil }
      return Comparison(measure: measure, method: method, value: value, baseline: baseline, reference: reference, isMain: isMain)
    }
  }

  private static func tiles(_ summary: RunSummary) -> [Tile] {
    var tiles = comparisons(summary.results).filter(\.isMain).map { item in
      Tile(
        name: "\(item.measure), \(item.method)", value: Number.perplexity(item.value),
        note: "\(Compare.phrase(item.value, than: item.reference)) \(item.baseline) (\(Number.perplexity(item.reference)))",
        isGood: Compare.isSame(item.value, item.reference) ? nil : item.value < item.reference)
    }
    if let score = summary.results.plan?.score, let error = score.heldOutError.finite {
      tiles.append(
        Tile(
          name: "Scaling law’s error on held-out runs", value: Number.percent(error),
          note: "mean relative error; \(Number.percent(score.error)) on the fitted runs"))
    }
    if let allocation = summary.results.plan?.allocation ?? summary.results.allocation {
      let (share, budget) = (Number.percent(allocation.split.trunkShare), Number.scientific(allocation.request.budget))
      let beyond = summary.results.plan?.extrapolation(of: allocation.split)
      tiles.append(
        Tile(
          name: "Best share of the compute for the trunk", value: share,
          note: "of \(budget) FLOPs" + (beyond.map { "; extrapolated: \($0)" } ?? "")))
    }
    if let dataset = summary.dataset {
      let documents = Number.count(dataset.documents, "document")
      tiles.append(Tile(name: "Tokens in the dataset", value: Number.compact(dataset.tokens), note: "in \(documents)"))
    }
    return tiles
  }

  private static func table(_ results: RunResults) -> String? {
    let rows = comparisons(results)
    guard !rows.isEmpty else { return nil }
    var table = Table(
      "Results and baselines",
      [.text("Measure"), .text("Method"), .number("Result"), .text("Baseline"), .number("Result"), .text("Difference")])
    for row in rows {
      table.add([
        row.measure, row.method, Number.perplexity(row.value), row.baseline, Number.perplexity(row.reference),
        Compare.difference(row.value, from: row.reference),
      ])
    }
    return table.markup
  }
}
