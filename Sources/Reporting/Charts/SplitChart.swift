/// Full against split, domain by domain: an open circle for the one model, an arrow to the full dot of the specialised one.
package struct SplitChart: Chart {
  package let id = "chart-split"
  package let title = "Perplexity by domain: one full model → the split"
  let split: RunSummary.Split
  let domains: [RunSummary.Domain]

  /// Rows drawn at most: where there are more, the best half and the worst half of them.
  static let limit = 40

  /// Creates the chart; nil where no domain has both numbers.
  package init?(_ split: RunSummary.Split) {
    self.split = split
    domains = (split.byDomain ?? []).filter { $0.full.positive != nil && $0.split.positive != nil }
      .sorted { ($0.split ?? 1) / ($0.full ?? 1) < ($1.split ?? 1) / ($1.full ?? 1) }
    if domains.isEmpty { return nil }
  }

  package var sentence: String {
    let better = domains.filter { Compare.isLower($0.split ?? 0, than: $0.full ?? 0) }.count
    var text = "The split is better in \(better) of \(Number.count(domains.count, "domain"))"
    if let best = domains.first, better > 0 {
      text += ", most in “\(Self.label(best))” (\(Number.perplexity(best.full)) → \(Number.perplexity(best.split)))"
    }
    if let worst = domains.last, Compare.isLower(worst.full ?? 0, than: worst.split ?? 0) {
      text += ", and loses most in “\(Self.label(worst))” (\(Number.perplexity(worst.full)) → \(Number.perplexity(worst.split)))"
    }
    if let full = split.meanPerplexity?.full.positive, let mean = split.meanPerplexity?.split.positive {
      text += "; over all of them \(Number.perplexity(mean)), \(Compare.phrase(mean, than: full)) "
      text += "the full model’s \(Number.perplexity(full))"
      text += Self.cost(split)
    }
    return text + "."
  }

  /// How the costs compare, where the summary says: the tokens of all branches together against the full model's.
  static func cost(_ split: RunSummary.Split) -> String {
    let domains = split.byDomain ?? []
    let counted = domains.compactMap { $0.tokens.positive }
    let all = counted.count == domains.count && !counted.isEmpty ? counted.reduce(0, +) : (split.branchTokens ?? 0) * Double(domains.count)
    guard let full = split.fullTokens.positive, all > 0, all.isFinite else { return "" }
    if abs(all / full - 1) < 0.02 { return " at equal compute" }
    return ", with \(Number.compact(all)) tokens on the branches against \(Number.compact(full)) on the full model"
  }

  /// Top terms, or the name.
  static func label(_ domain: RunSummary.Domain) -> String {
    if let terms = domain.terms, !terms.isEmpty { return terms.prefix(3).joined(separator: " ") }
    return domain.name ?? "a domain"
  }

  package func draw() -> SVG {
    let pitch = 25.0
    let isCut = domains.count > Self.limit
    let shown = isCut ? Array(domains.prefix(Self.limit / 2) + domains.suffix(Self.limit / 2)) : domains
    let hasMean = split.meanPerplexity?.full.positive != nil && split.meanPerplexity?.split.positive != nil
    let rows = shown.count + (isCut ? 1 : 0) + (hasMean ? 1 : 0)
    var plot = Plot(width: 960, height: 88 + pitch * Double(rows), left: 270, right: 104, top: 40, bottom: 44)
    let values: [Double] =
      shown.flatMap { [$0.full ?? 0, $0.split ?? 0] } + [split.meanPerplexity?.full ?? 0, split.meanPerplexity?.split ?? 0]
    let scale = Scale(values, kind: .logarithmic, pixels: plot.across, padding: 0.1)
    plot.horizontal(scale, title: "perplexity, lower is better (logarithmic)", format: { Number.trimmed($0, 2) })
    var x = plot.left
    for (style, text) in [("o1", "full model"), ("f2", "split, where better"), ("f3", "split, where not")] {
      plot.svg.mark(style == "f3" ? .diamond : .circle, x + 6, 16, 9, style)
      plot.svg.text(x + 16, 20, text, "label")
      x += 36 + TextMetrics.width(text, size: 12)
    }
    plot.svg.text(960, 20, "windows", "label", anchor: .end)
    for (index, domain) in shown.enumerated() {
      let isSecondHalf = isCut && index >= Self.limit / 2
      let y = plot.top + pitch * (Double(index) + (isSecondHalf ? 1.5 : 0.5))
      if isSecondHalf && index == Self.limit / 2 {
        plot.svg.text(plot.left - 10, y - pitch + 4, "\(domains.count - shown.count) further domains between", "soft", anchor: .end)
      }
      row(Self.fullLabel(domain), full: domain.full ?? 1, split: domain.split ?? 1, y: y, scale: scale, isMean: false, plot: &plot)
      plot.svg.text(960, y + 4, Number.fixed(domain.windows), "soft", anchor: .end)
    }
    if hasMean, let full = split.meanPerplexity?.full, let mean = split.meanPerplexity?.split {
      let y = plot.top + pitch * (Double(rows) - 0.5)
      plot.svg.line(0, y - pitch / 2, 960, y - pitch / 2, "axis")
      row("all domains", full: full, split: mean, y: y, scale: scale, isMean: true, plot: &plot)
    }
    return plot.svg
  }

  private static func fullLabel(_ domain: RunSummary.Domain) -> String {
    let terms = (domain.terms ?? []).prefix(5).joined(separator: " ")
    let name = domain.name ?? ""
    return terms.isEmpty ? name : name.isEmpty ? terms : "\(name): \(terms)"
  }

  private func row(_ name: String, full: Double, split: Double, y: Double, scale: Scale, isMean: Bool, plot: inout Plot) {
    let label = TextMetrics.fit(name, into: 256, size: isMean ? 13 : 12)
    plot.svg.text(plot.left - 10, y + 4, label, isMean ? "bold" : "", anchor: .end)
    let gains = split < full
    let colour = gains ? 2 : 3
    plot.svg.line(scale(full), y, scale(split), y, "l\(colour)")
    let tip = "\(name): full \(Number.perplexity(full)), split \(Number.perplexity(split))"
    plot.svg.mark(.circle, scale(full), y, 9, "o1", tip: tip)
    plot.svg.mark(gains ? .circle : .diamond, scale(split), y, 9, "f\(colour)", tip: tip)
    let bold = isMean ? " bold" : ""
    plot.svg.text(scale(full) + (gains ? 9 : -9), y + 4, Number.perplexity(full), "small t1\(bold)", anchor: gains ? .start : .end)
    plot.svg.text(
      scale(split) + (gains ? -9 : 9), y + 4, Number.perplexity(split), "small t\(colour)\(bold)", anchor: gains ? .end : .start)
  }
}
