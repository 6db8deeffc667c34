/// The results in a few tiles and one table.
enum Headline {
  /// A tile's content; `isGood` colours the comparison, and the words say the same for those who do not see colours.
  private struct Tile {
    var name: String, value: String, than: String, isGood: Bool?
  }

  /// The section; nil where the run has no result yet.
  static func section(_ summary: RunSummary) -> Section? {
    let tiles = tiles(summary)
    let markup = tiles.map { tile in
      let style = tile.isGood.map { $0 ? " good" : " bad" } ?? ""
      return """
        <div class="tile"><div class="name">\(Escape.text(tile.name))</div><div class="value">\(Escape.text(tile.value))</div>\
        <div class="than\(style)">\(Escape.text(tile.than))</div></div>
        """
    }.joined(separator: "\n")
    return Section(
      "results", "Results", lead: "What was measured, each against its reference.",
      [tiles.isEmpty ? nil : "<div class=\"tiles\">\n\(markup)\n</div>", table(summary)])
  }

  /// One comparison: what, on what, the reference's and our number.
  private struct Comparison {
    var name: String, ours: Double, reference: Double, oursName: String, referenceName: String
  }

  private static func comparisons(_ summary: RunSummary) -> [Comparison] {
    let crisp = summary.crisp
    let mean = summary.split?.meanPerplexity
    let (direct, anneal) = (summary.finetune?.direct, summary.finetune?.anneal)
    let all: [(String, Double?, Double?, String, String)] = [
      ("Seed’s held-out perplexity", crisp?.seedPerplexity?.crisp, crisp?.seedPerplexity?.uniform, "CRISP", "uniform"),
      ("General perplexity", crisp?.generalPerplexity?.crisp, crisp?.generalPerplexity?.uniform, "CRISP", "uniform"),
      ("Seed’s held-out perplexity", crisp?.seedPerplexity?.crisp, crisp?.seedPerplexity?.specialist, "CRISP", "specialist only"),
      ("Perplexity over all domains", mean?.split, mean?.full, "split", "full model"),
      ("Target perplexity", anneal?.targetPerplexity, direct?.targetPerplexity, "label annealing", "direct"),
      ("Source perplexity", anneal?.sourcePerplexity, direct?.sourcePerplexity, "label annealing", "direct"),
    ]
    return all.compactMap { name, ours, reference, oursName, referenceName in
      guard let ours = ours.positive, let reference = reference.positive else { return nil }
      return Comparison(name: name, ours: ours, reference: reference, oursName: oursName, referenceName: referenceName)
    }
  }

  private static func tiles(_ summary: RunSummary) -> [Tile] {
    var tiles = comparisons(summary).filter { $0.referenceName != "specialist only" }.map { item in
      let phrase = Compare.phrase(item.ours, than: item.reference)
      let isGood = phrase.hasPrefix("no") ? nil : item.ours < item.reference
      return Tile(
        name: "\(item.name), \(item.oursName == "label annealing" ? "annealed" : item.oursName)", value: Number.perplexity(item.ours),
        than: "\(phrase) \(item.referenceName) (\(Number.perplexity(item.reference)))", isGood: isGood)
    }
    if let plan = summary.plan, let error = plan.heldoutRelativeError.finite {
      let r2 = plan.r2.finite.map { ", R² \(Number.fixed($0, 3))" } ?? ""
      tiles.append(Tile(name: "The law on runs it has not seen", value: Number.percent(error), than: "mean error\(r2)", isGood: nil))
    }
    if let share = summary.plan?.allocation?.share.finite {
      let budget = summary.plan?.allocation?.budget.positive.map { "of \(Number.scientific($0)) FLOPs" } ?? "of the compute"
      tiles.append(Tile(name: "Best share for the shared trunk", value: Number.percent(share), than: budget, isGood: nil))
    }
    if let tokens = summary.dataset?.tokens.positive {
      let documents = summary.dataset?.documents.finite.map { "from \(Number.fixed($0)) documents" } ?? ""
      tiles.append(Tile(name: "Tokens in the dataset", value: Number.compact(tokens), than: documents, isGood: nil))
    }
    return tiles
  }

  private static func table(_ summary: RunSummary) -> String? {
    let rows = comparisons(summary)
    guard !rows.isEmpty else { return nil }
    var table = Table(
      "Ours against the reference; lower is better everywhere",
      [.text("Measure"), .text("Ours"), .number(""), .text("Reference"), .number(""), .text("Ours is")])
    for row in rows {
      let phrase = Compare.phrase(row.ours, than: row.reference)
      let short = ["than", "from"].reduce(phrase) { $0.hasSuffix(" \($1)") ? String($0.dropLast($1.count + 1)) : $0 }
      table.add([row.name, row.oursName, Number.perplexity(row.ours), row.referenceName, Number.perplexity(row.reference), short])
    }
    return table.markup
  }
}
