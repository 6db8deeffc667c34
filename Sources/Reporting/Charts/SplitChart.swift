import Workflows

/// Perplexity per domain: an open circle for the single-model baseline, and a line to the mark of the split.
package struct SplitChart: Chart {
  package let id = "chart-split"
  package let title = "Perplexity by domain: single-model baseline → split"
  let domains: [Row]
  /// The perplexity of the mean loss over domains, each with the same weight.
  let mean: (full: Double, split: Double)?
  /// The same with the domains weighted by their held-out tokens.
  let weighted: (full: Double, split: Double)?

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
    func pair(_ perplexity: [String: Double]) -> (full: Double, split: Double)? {
      perplexity["full"].positive.flatMap { full in perplexity["split"].positive.map { (full, $0) } }
    }
    (mean, weighted) = (pair(split.meanPerplexity), pair(split.tokenPerplexity))
    if domains.isEmpty { return nil }
  }

  package var sentence: String {
    let better = domains.filter { Compare.isLower($0.split, than: $0.full) }.count
    func change(_ row: Row) -> String { "“\(row.label)” (\(Number.perplexity(row.full)) → \(Number.perplexity(row.split)))" }
    var text = "The split is better in \(better) of \(Number.count(domains.count, "domain"))."
    if let best = domains.first, better > 0 { text += " Perplexity falls most in \(change(best))." }
    if let worst = domains.last, Compare.isLower(worst.full, than: worst.split) { text += " Perplexity rises most in \(change(worst))." }
    if let mean {
      text += " With the same weight for every domain, its perplexity is \(Number.perplexity(mean.split)), "
      text += "\(Compare.phrase(mean.split, than: mean.full)) the single-model baseline’s \(Number.perplexity(mean.full)) at equal compute."
    }
    if let weighted {
      text += " Weighted by held-out tokens, it is \(Number.perplexity(weighted.split)), "
      text += "\(Compare.phrase(weighted.split, than: weighted.full)) the baseline’s \(Number.perplexity(weighted.full))."
    }
    return text
  }

  package func draw(width: Double) -> SVG {
    let isSlim = SVG(width: width, height: 0).isSlim
    let isCut = domains.count > Self.limit
    let shown = isCut ? Array(domains.prefix(Self.limit / 2) + domains.suffix(Self.limit / 2)) : domains
    let summary = [(Self.meanName, mean), (Self.weightedName, weighted)].compactMap { name, pair in pair.map { (name, $0) } }
    let rows = shown.count + (isCut ? 1 : 0) + summary.count
    // On a phone, the name of a row is above it.
    let pitch = isSlim ? 44.0 : 25, left = isSlim ? 4.0 : 270, right = isSlim ? 4.0 : 104
    let names = ["single-model baseline", "split, better", "split, not better"]
    let top = (isSlim ? 28 : 40) + SVG.legendHeight(names, width: width - left)
    var plot = Plot(width: width, height: top + 48 + pitch * Double(rows), left: left, right: right, top: top, bottom: 44)
    let values = shown.flatMap { [$0.full, $0.split] } + summary.flatMap { [$0.1.full, $0.1.split] }
    let scale = Scale(values, kind: .logarithmic, pixels: plot.across, padding: isSlim ? 0.25 : 0.1)
    plot.horizontal(scale, title: "perplexity (log scale), lower is better", format: { Number.trimmed($0, 2) })
    let styles: [(SVG.Shape, String)] = [(.circle, "o1"), (.circle, "f2"), (.diamond, "f3")]
    plot.svg.legend(zip(styles, names).map { ($0.0, $0.1, $1) }, x: plot.left, y: isSlim ? 14 : 20)
    if !isSlim { plot.svg.text(width, 20, "windows", "label", anchor: .end) }
    for (index, domain) in shown.enumerated() {
      let isSecondHalf = isCut && index >= Self.limit / 2
      let y = plot.top + pitch * (Double(index) + (isSecondHalf ? 1.5 : 0.5))
      if isSecondHalf && index == Self.limit / 2 {
        plot.svg.text(
          plot.left + (isSlim ? 0 : -10), y - pitch + 4, "\(domains.count - shown.count) domains in between", "soft",
          anchor: isSlim ? .start : .end)
      }
      row(domain.fullLabel, full: domain.full, split: domain.split, y: y, scale: scale, isMean: false, plot: &plot)
      if !isSlim { plot.svg.text(width, y + 4, Number.integer(domain.domain.windows), "soft", anchor: .end) }
    }
    for (index, (name, pair)) in summary.enumerated() {
      let y = plot.top + pitch * (Double(rows - summary.count + index) + 0.5)
      if index == 0 { plot.svg.line(0, y - pitch / 2, width, y - pitch / 2, "axis") }
      row(name, full: pair.full, split: pair.split, y: y, scale: scale, isMean: true, plot: &plot)
    }
    return plot.svg
  }

  static let meanName = "all domains, same weight"
  static let weightedName = "all domains, by tokens"

  private func row(_ name: String, full: Double, split: Double, y middle: Double, scale: Scale, isMean: Bool, plot: inout Plot) {
    let isSlim = plot.svg.isSlim, y = isSlim ? middle + 8 : middle
    let words = name.split(separator: " ").map(String.init)
    let label = TextMetrics.fit(words: words, separator: " ", into: isSlim ? plot.svg.width - 8 : 248, size: isMean ? 13 : 12)
    if isSlim {
      plot.svg.text(plot.left, y - 14, label, isMean ? "bold" : "")
    } else {
      plot.svg.text(plot.left - 10, y + 4, label, isMean ? "bold" : "", anchor: .end)
    }
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
