/// What the law says against what was measured: every run a point, on the diagonal if the law is right.
package struct PredictionChart: Chart {
  package let id = "chart-prediction"
  package let title = "The law’s predictions against measured losses"
  let plan: RunSummary.Plan
  let points: [RunSummary.PlanPoint]

  /// Creates the chart; nil where no run has both numbers.
  package init?(_ plan: RunSummary.Plan) {
    self.plan = plan
    points = (plan.points ?? []).filter { $0.measured.finite != nil && $0.predicted.finite != nil }
    if points.isEmpty { return nil }
  }

  package var sentence: String {
    let errors = points.map { abs(($0.predicted ?? 0) - ($0.measured ?? 0)) / max(abs($0.measured ?? 1), 1e-12) }
    let mean = errors.reduce(0, +) / Double(errors.count)
    var text = "\(plan.law ?? "The law") explains \(Number.count(points.count, "run"))"
    if let r2 = plan.r2.finite { text += " with R² \(Number.fixed(r2, 3))" }
    text += " and a mean error of \(Number.percent(mean)), \(Number.percent(errors.max() ?? 0)) at worst"
    let held = zip(points, errors).filter { $0.0.heldOut == true }.map(\.1)
    if let error = plan.heldoutRelativeError.finite {
      text += held.isEmpty ? "; on runs it was not fitted on" : "; on the \(held.count) runs it was not fitted on"
      text += " the error is \(Number.percent(error))"
    }
    return text + "."
  }

  package func draw() -> SVG {
    var plot = Plot(width: 460, height: 420, left: 50, right: 14, top: 34, bottom: 44)
    let values: [Double] = points.flatMap { [$0.measured ?? 0, $0.predicted ?? 0] }
    let across = Scale(values, pixels: plot.across, padding: 0.04)
    let up = Scale(values, pixels: plot.upward, padding: 0.04)
    plot.horizontal(across, title: "measured loss, nats a token", count: 5)
    plot.vertical(up, title: "predicted loss", count: 5)
    plot.svg.line(plot.left, plot.bottom, plot.right, plot.top, "guide")
    var y = plot.bottom - 34
    let hasHeldOut = points.contains { $0.heldOut == true }
    for (style, shape, text) in [("o1", SVG.Shape.circle, "fitted"), ("f2", .diamond, "held out")] where hasHeldOut {
      plot.svg.mark(shape, plot.right - 76, y, 8, style)
      plot.svg.text(plot.right - 64, y + 4, text, "label")
      y += 18
    }
    for point in points.sorted(by: { ($0.heldOut == true ? 1 : 0) < ($1.heldOut == true ? 1 : 0) }) {
      let isHeld = point.heldOut == true
      let tip = """
        N \(Number.compact(point.n)), D \(Number.compact(point.d)), D′ \(Number.compact(point.dPrime))\(point.domain.map { ", \($0)" } ?? "")
        measured \(Number.fixed(point.measured, 3)), predicted \(Number.fixed(point.predicted, 3))
        """
      plot.svg.mark(
        isHeld ? .diamond : .circle, across(point.measured ?? 0), up(point.predicted ?? 0), isHeld ? 8 : 6.5, isHeld ? "f2" : "o1", tip: tip
      )
    }
    return plot.svg
  }
}
