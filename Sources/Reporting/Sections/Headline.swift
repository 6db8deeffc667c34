/// The main results, as tiles and as a table.
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
    return Section(
      "results", "Results", lead: "Each result next to its baseline; for perplexity, lower is better.",
      [tiles.isEmpty ? nil : "<div class=\"tiles\">\n\(markup)\n</div>", table(summary.results)])
  }

  /// The perplexity of a method and of its baseline.
  private struct Comparison {
    var measure: String, method: String, value: Double, baseline: String, reference: Double
    /// Whether it has a tile.
    var isMain = true
  }

  private static func comparisons(_ results: RunResults) -> [Comparison] {
    var list: [Comparison] = []
    func add(_ measure: String, _ method: String, _ value: Double?, _ baseline: String, _ reference: Double?, isMain: Bool = true) {
      guard let value = value.positive, let reference = reference.positive else { return }
      list.append(
        Comparison(measure: measure, method: method, value: value, baseline: baseline, reference: reference, isMain: isMain))
    }
    if let crisp = results.crisp {
      add("Perplexity on the specialist seed’s domain", "CRISP", crisp.crisp?.target, "uniform sampling", crisp.uniform?.target)
      add("Perplexity on general text", "CRISP", crisp.crisp?.general, "uniform sampling", crisp.uniform?.general)
      add(
        "Perplexity on the specialist seed’s domain", "CRISP", crisp.crisp?.target, "the specialist seed alone", crisp.specialist?.target,
        isMain: false)
    }
    if let mean = results.split?.meanPerplexity {
      add("Perplexity over all domains", "split", mean["split"], "the full model", mean["full"])
    }
    if let finetuning = results.finetuning {
      let (direct, anneal) = (finetuning.direct, finetuning.anneal)
      add("Perplexity on the finetuning target", "label annealing", anneal?.target, "direct finetuning", direct?.target)
      add("Perplexity on the source", "label annealing", anneal?.general, "direct finetuning", direct?.general)
    }
    return list
  }

  private static func tiles(_ summary: RunSummary) -> [Tile] {
    var tiles = comparisons(summary.results).filter(\.isMain).map { item in
      Tile(
        name: "\(item.measure), \(item.method)", value: Number.perplexity(item.value),
        note: "\(Compare.phrase(item.value, than: item.reference)) \(item.baseline) (\(Number.perplexity(item.reference)))",
        isGood: Compare.isSame(item.value, item.reference) ? nil : item.value < item.reference)
    }
    if let plan = summary.results.plan, let error = plan.score?.heldOutError.finite {
      let r2 = plan.score?.r2.finite.map { "; R² \(Number.fixed($0, 3)) on fitted runs" } ?? ""
      tiles.append(
        Tile(name: "Scaling law’s error on held-out runs", value: Number.percent(error), note: "mean relative error\(r2)", isGood: nil))
    }
    if let allocation = summary.results.plan?.allocation {
      tiles.append(
        Tile(
          name: "Best share of the compute for the trunk", value: Number.percent(allocation.split.trunkShare),
          note: "of \(Number.scientific(allocation.request.budget)) FLOPs", isGood: nil))
    }
    if let dataset = summary.dataset {
      tiles.append(
        Tile(
          name: "Tokens in the dataset", value: Number.compact(dataset.tokens), note: "in \(Number.count(dataset.documents, "document"))",
          isGood: nil))
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
