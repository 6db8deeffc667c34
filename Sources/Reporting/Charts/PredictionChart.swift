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
    let relative = { (point: RunSummary.PlanPoint) in
      abs((point.predicted ?? 0) - (point.measured ?? 0)) / max(abs(point.measured ?? 1), 1e-12)
    }
    let held = points.filter { $0.heldOut == true }
    let fitted = points.filter { $0.heldOut != true }
    let errors = (fitted.isEmpty ? held : fitted).map(relative)
    var text = "\(plan.law ?? "The law") explains \(Number.integer(errors.count)) measured losses"
    text += plan.r2.finite.map { " with R² \(Number.fixed($0, 3)) and" } ?? " with"
    text += " a mean error of \(Number.percent(errors.reduce(0, +) / Double(max(errors.count, 1))))"
    text += ", \(Number.percent(errors.max() ?? 0)) at worst"
    if let error = plan.heldoutRelativeError.finite {
      text += held.isEmpty ? "; on runs it was not fitted on" : "; on the \(Number.integer(held.count)) it was not fitted on"
      text += " the mean error is \(Number.percent(error))"
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
