/// What each method gains on the seed and what it pays on general text: a row a method, a full dot for the seed's held-out
/// text, an open square for general text.
package struct PerplexityChart: Chart {
  package let id = "chart-perplexity"
  package let title = "Perplexity on the seed’s held-out text and on general text"
  let crisp: RunSummary.Crisp

  /// One method's numbers.
  struct Row {
    var name: String, seed: Double?, general: Double?, isOurs: Bool
  }

  /// Creates the chart; nil where no method has a number.
  package init?(_ crisp: RunSummary.Crisp) {
    self.crisp = crisp
    if rows.isEmpty { return nil }
  }

  /// The methods with at least one number.
  var rows: [Row] {
    let (seed, general) = (crisp.seedPerplexity, crisp.generalPerplexity)
    var rows = [
      Row(name: "base", seed: seed?.base, general: general?.base, isOurs: false),
      Row(name: "uniform", seed: seed?.uniform, general: general?.uniform, isOurs: false),
      Row(name: "specialist only", seed: seed?.specialist, general: general?.specialist, isOurs: false),
    ]
    rows += (crisp.others ?? []).map {
      Row(name: $0.name ?? "other", seed: $0.seedPerplexity, general: $0.generalPerplexity, isOurs: false)
    }
    rows.append(Row(name: "CRISP", seed: seed?.crisp, general: general?.crisp, isOurs: true))
    return rows.filter { $0.seed.positive != nil || $0.general.positive != nil }
  }

  package var sentence: String {
    let (seed, general) = (crisp.seedPerplexity, crisp.generalPerplexity)
    guard let ours = seed?.crisp.positive, let uniform = seed?.uniform.positive else {
      return "Perplexity of \(Number.count(rows.count, "model")); CRISP and uniform cannot be compared yet."
    }
    var text = "CRISP reaches \(Number.perplexity(ours)) on the seed’s held-out text, "
    text +=
      "\(Compare.phrase(ours, than: uniform)) uniform (\(Number.perplexity(uniform)))\(crisp.tokens.positive == nil ? "" : " at the same tokens")"
    let gains = Compare.isLower(ours, than: uniform)
    if let oursGeneral = general?.crisp.positive, let uniformGeneral = general?.uniform.positive {
      let pair = "\(Number.perplexity(oursGeneral)) against \(Number.perplexity(uniformGeneral)) on general text"
      let pays = Compare.isLower(uniformGeneral, than: oursGeneral)
      switch (gains, pays) {
      case (true, true): text += ", and pays for it with \(pair)"
      case (true, false): text += ", and pays nothing for it: \(pair)"
      case (false, true): text += ", so here it gains nothing, and it pays with \(pair)"
      case (false, false): text += ", so here it gains nothing on the seed, with \(pair)"
      }
    } else if !gains {
      text += ", so here it gains nothing"
    }
    if let alone = seed?.specialist.positive {
      text += "; the seed alone, repeated, gives \(Number.perplexity(alone))"
      if let aloneGeneral = general?.specialist.positive { text += " and \(Number.perplexity(aloneGeneral))" }
    }
    return text + "."
  }

  package func draw() -> SVG {
    let rows = rows
    let pitch = 40.0
    var plot = Plot(width: 960, height: 84 + pitch * Double(rows.count), left: 130, right: 40, top: 36, bottom: 44)
    let scale = Scale(
      rows.flatMap { [$0.seed.positive, $0.general.positive].compactMap { $0 } }, kind: .logarithmic, pixels: plot.across, padding: 0.07)
    plot.horizontal(scale, title: "perplexity, lower is better (logarithmic)", format: { Number.trimmed($0, 2) })
    plot.svg.mark(.circle, plot.left + 6, 14, 10, "f2")
    plot.svg.text(plot.left + 17, 18, "seed’s held-out text", "label")
    plot.svg.mark(.square, plot.left + 156, 14, 10, "o1")
    plot.svg.text(plot.left + 167, 18, "general text", "label")
    for (index, row) in rows.enumerated() {
      let y = plot.top + pitch * (Double(index) + 0.5)
      plot.svg.text(
        plot.left - 12, y + 4, TextMetrics.fit(row.name, into: plot.left - 16, size: 12), row.isOurs ? "bold" : "", anchor: .end)
      let (seed, general) = (row.seed.positive, row.general.positive)
      if let seed, let general { plot.svg.line(scale(seed), y, scale(general), y, "leader") }
      let seedIsLeft = (seed ?? 0) <= (general ?? .infinity)
      if let general {
        plot.svg.mark(.square, scale(general), y, 11, "o1", tip: "\(row.name), general text: \(Number.perplexity(general))")
        let side = seedIsLeft ? 10.0 : -10
        plot.svg.text(scale(general) + side, y + 4, Number.perplexity(general), "t1", anchor: seedIsLeft ? .start : .end)
      }
      if let seed {
        plot.svg.mark(.circle, scale(seed), y, 11, "f2", tip: "\(row.name), the seed’s text: \(Number.perplexity(seed))")
        let side = seedIsLeft ? -10.0 : 10
        plot.svg.text(
          scale(seed) + side, y + 4, Number.perplexity(seed), row.isOurs ? "t2 bold" : "t2", anchor: seedIsLeft ? .end : .start)
      }
    }
    return plot.svg
  }
}
