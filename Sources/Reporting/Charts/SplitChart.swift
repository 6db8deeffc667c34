import Workflows

/// Perplexity per domain: an open circle for the single-model baseline, and a line to the mark of the split.
package struct SplitChart: Chart {
  package let id = "chart-split"
  package let title = "Perplexity by domain: single-model baseline → split"
  let domains: [Row]
  /// The perplexity of the mean loss over domains.
  let mean: (full: Double, split: Double)?

  /// A domain that both models were evaluated on.
  struct Row {
    var domain: SplitReport.Domain
    var full: Double
    var split: Double

    /// The terms, or the name.
    var label: String { domain.terms.isEmpty ? domain.name : domain.terms.prefix(3).joined(separator: " ") }
    var fullLabel: String { domain.terms.isEmpty ? domain.name : "\(domain.name): \(domain.terms.prefix(5).joined(separator: " "))" }
  }

  /// The most rows; of more domains, the best and the worst are drawn.
  static let limit = 40

  /// Nil if no domain has both perplexities.
  package init?(_ split: SplitReport) {
    domains = split.byDomain.compactMap { domain in
      guard let full = domain.full.positive, let split = domain.split.positive else { return nil }
      return Row(domain: domain, full: full, split: split)
    }.sorted { $0.split / $0.full < $1.split / $1.full }
    mean = split.meanPerplexity["full"].positive.flatMap { full in split.meanPerplexity["split"].positive.map { (full, $0) } }
    if domains.isEmpty { return nil }
  }

  package var sentence: String {
    let better = domains.filter { Compare.isLower($0.split, than: $0.full) }.count
    func change(_ row: Row) -> String { "“\(row.label)” (\(Number.perplexity(row.full)) → \(Number.perplexity(row.split)))" }
    var text = "The split is better in \(better) of \(Number.count(domains.count, "domain"))."
    if let best = domains.first, better > 0 { text += " Perplexity falls most in \(change(best))." }
    if let worst = domains.last, Compare.isLower(worst.full, than: worst.split) { text += " Perplexity rises most in \(change(worst))." }
    if let mean {
      text += " Over all domains, its perplexity is \(Number.perplexity(mean.split)), \(Compare.phrase(mean.split, than: mean.full)) "
      text += "the single-model baseline’s \(Number.perplexity(mean.full)) at equal compute."
    }
    return text
  }

  package func draw() -> SVG {
    let pitch = 25.0
    let isCut = domains.count > Self.limit
    let shown = isCut ? Array(domains.prefix(Self.limit / 2) + domains.suffix(Self.limit / 2)) : domains
    let rows = shown.count + (isCut ? 1 : 0) + (mean == nil ? 0 : 1)
    var plot = Plot(width: 960, height: 88 + pitch * Double(rows), left: 270, right: 104, top: 40, bottom: 44)
    let values = shown.flatMap { [$0.full, $0.split] } + (mean.map { [$0.full, $0.split] } ?? [])
    let scale = Scale(values, kind: .logarithmic, pixels: plot.across, padding: 0.1)
    plot.horizontal(scale, title: "perplexity (log scale), lower is better", format: { Number.trimmed($0, 2) })
    plot.svg.legend(
      [(.circle, "o1", "single-model baseline"), (.circle, "f2", "split, better"), (.diamond, "f3", "split, not better")], x: plot.left,
      y: 20)
    plot.svg.text(960, 20, "windows", "label", anchor: .end)
    for (index, domain) in shown.enumerated() {
      let isSecondHalf = isCut && index >= Self.limit / 2
      let y = plot.top + pitch * (Double(index) + (isSecondHalf ? 1.5 : 0.5))
      if isSecondHalf && index == Self.limit / 2 {
        plot.svg.text(plot.left - 10, y - pitch + 4, "\(domains.count - shown.count) domains in between", "soft", anchor: .end)
      }
      row(domain.fullLabel, full: domain.full, split: domain.split, y: y, scale: scale, isMean: false, plot: &plot)
      plot.svg.text(960, y + 4, Number.integer(domain.domain.windows), "soft", anchor: .end)
    }
    if let mean {
      let y = plot.top + pitch * (Double(rows) - 0.5)
      plot.svg.line(0, y - pitch / 2, 960, y - pitch / 2, "axis")
      row("all domains", full: mean.full, split: mean.split, y: y, scale: scale, isMean: true, plot: &plot)
    }
    return plot.svg
  }

  private func row(_ name: String, full: Double, split: Double, y: Double, scale: Scale, isMean: Bool, plot: inout Plot) {
    let label = TextMetrics.fit(name, into: 238, size: isMean ? 13 : 12)
    plot.svg.text(plot.left - 10, y + 4, label, isMean ? "bold" : "", anchor: .end)
    let isBetter = split < full
    let color = isBetter ? 2 : 3
    plot.svg.line(scale(full), y, scale(split), y, "l\(color)")
    let tip = "\(name): single-model baseline \(Number.perplexity(full)), split \(Number.perplexity(split))"
    plot.svg.mark(.circle, scale(full), y, 9, "o1", tip: tip)
    plot.svg.mark(isBetter ? .circle : .diamond, scale(split), y, 9, "f\(color)", tip: tip)
    let bold = isMean ? " bold" : ""
    plot.svg.text(scale(full) + (isBetter ? 9 : -9), y + 4, Number.perplexity(full), "small t1\(bold)", anchor: isBetter ? .start : .end)
    plot.svg.text(
      scale(split) + (isBetter ? -9 : 9), y + 4, Number.perplexity(split), "small t\(color)\(bold)", anchor: isBetter ? .end : .start)
  }
}
