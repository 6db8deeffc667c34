/// The perplexities of the base and its continuations: one row per mixture, a filled circle for held-out text of the specialist seed's
/// domain, an open square for general text.
package struct PerplexityChart: Chart {
  package let id = "chart-perplexity"
  package let title = "Perplexity on held-out text of the specialist seed’s domain and on general text"
  let comparison: SamplingComparison
  let rows: [Row]

  struct Row { var name: String, target: Double?, general: Double?, isCrisp: Bool }

  /// Nil if no model was evaluated.
  package init?(_ comparison: SamplingComparison) {
    self.comparison = comparison
    let runs = (comparison.base.map { [(name: "base", run: $0)] } ?? []) + comparison.continuations
    rows = runs.compactMap { name, run in
      guard run.target.positive != nil || run.general.positive != nil else { return nil }
      return Row(name: name, target: run.target.positive, general: run.general.positive, isCrisp: name == "CRISP")
    }
    if rows.isEmpty { return nil }
  }

  package var sentence: String {
    guard let crisp = comparison.crisp?.target.positive, let uniform = comparison.uniform?.target.positive else {
      return "Perplexity of \(Number.count(rows.count, "model")); CRISP and uniform sampling cannot be compared."
    }
    var text = "On held-out text of the specialist seed’s domain, CRISP reaches a perplexity of \(Number.perplexity(crisp)), "
    text += "\(Compare.phrase(crisp, than: uniform)) uniform sampling (\(Number.perplexity(uniform))) with the same number of tokens."
    if let crisp = comparison.crisp?.general.positive, let uniform = comparison.uniform?.general.positive {
      text += " On general text, its perplexity of \(Number.perplexity(crisp)) is \(Compare.phrase(crisp, than: uniform)) "
      text += "uniform sampling (\(Number.perplexity(uniform)))."
    }
    if let (target, general) = comparison.specialist?.both {
      text += " Training on the specialist seed alone gives \(Number.perplexity(target)) and \(Number.perplexity(general))."
    }
    for (name, run) in comparison.others {
      guard let (target, general) = run.both else { continue }
      text += " The mixture of \(name) gives \(Number.perplexity(target)) and \(Number.perplexity(general))."
    }
    return text
  }

  package func draw(width: Double) -> SVG {
    let isSlim = SVG(width: width, height: 0).isSlim
    // On a phone, the name of a row is above it.
    let pitch = isSlim ? 46.0 : 40, left = isSlim ? 4.0 : 130, right = isSlim ? 4.0 : 40
    var plot = Plot(width: width, height: 84 + pitch * Double(rows.count), left: left, right: right, top: 36, bottom: 44)
    let scale = Scale(
      rows.flatMap { [$0.target, $0.general].compactMap { $0 } }, kind: .logarithmic, pixels: plot.across, padding: isSlim ? 0.2 : 0.07)
    plot.horizontal(scale, title: "perplexity (log scale), lower is better", format: { Number.trimmed($0, 2) })
    let target = "specialist seed’s domain"
    plot.svg.legend([(.circle, "f2", target), (.square, "o1", "general text")], x: plot.left, y: 18)
    for (index, row) in rows.enumerated() {
      let y = plot.top + pitch * (Double(index) + (isSlim ? 0.7 : 0.5))
      if isSlim {
        plot.svg.text(plot.left, y - 15, TextMetrics.fit(row.name, into: width - 8, size: 12), row.isCrisp ? "bold" : "")
      } else {
        plot.svg.text(
          plot.left - 12, y + 4, TextMetrics.fit(row.name, into: plot.left - 16, size: 12), row.isCrisp ? "bold" : "", anchor: .end)
      }
      if let target = row.target, let general = row.general { plot.svg.line(scale(target), y, scale(general), y, "leader") }
      let targetIsLeft = (row.target ?? 0) <= (row.general ?? .infinity)
      func draw(_ value: Double?, _ shape: SVG.Shape, _ style: String, of text: String, label: String, isLeft: Bool) {
        guard let value else { return }
        plot.svg.mark(shape, scale(value), y, 11, style, tip: "\(row.name), \(text): \(Number.perplexity(value))")
        plot.svg.text(scale(value) + (isLeft ? -10 : 10), y + 4, Number.perplexity(value), label, anchor: isLeft ? .end : .start)
      }
      draw(row.general, .square, "o1", of: "general text", label: "t1", isLeft: !targetIsLeft)
      draw(row.target, .circle, "f2", of: target, label: row.isCrisp ? "t2 bold" : "t2", isLeft: targetIsLeft)
    }
    return plot.svg
  }
}
