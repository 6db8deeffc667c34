/// Predicted against measured loss: one point per run, on the diagonal if the law is right.
package struct PredictionChart: Chart {
  package let id = "chart-prediction"
  package let title = "Predicted and measured loss"
  let plan: Plan
  let points: [Plan.Point]

  /// Nil if there are no runs.
  package init?(_ plan: Plan) {
    self.plan = plan
    points = plan.points.filter { $0.run.measured.isFinite && $0.run.predicted.isFinite }
    if points.isEmpty { return nil }
  }

  package var sentence: String {
    let fitted = points.filter { !$0.isHeldOut }
    let errors = (fitted.isEmpty ? points : fitted).map { abs($0.run.predicted - $0.run.measured) / max(abs($0.run.measured), 1e-12) }
    func r2(_ value: Double?) -> String { value.finite.map { ", R² \(Number.fixed($0, 3))" } ?? "" }
    var text = "\(plan.fit.selected) fits \(Number.integer(errors.count)) measured losses with a mean relative error of "
    text += "\(Number.percent(errors.reduce(0, +) / Double(errors.count))) "
    text += "(largest: \(Number.percent(errors.max() ?? 0))\(r2(plan.score?.r2)))."
    if let error = plan.score?.heldOutError.finite {
      text += " On held-out runs, which are the largest, it is \(Number.percent(error))\(r2(plan.heldOutR2(of: plan.fit.selected)))."
    }
    return text
  }

  package let width = 460.0

  package func draw(width: Double) -> SVG {
    var plot = Plot(width: width, height: width * 0.91, left: 44, right: 14, top: 34, bottom: 44)
    let values = points.flatMap { [$0.run.measured, $0.run.predicted] }
    let across = Scale(values, pixels: plot.across, padding: 0.04)
    let up = Scale(values, pixels: plot.upward, padding: 0.04)
    plot.horizontal(across, title: "measured loss, nats/token", count: 5)
    plot.vertical(up, title: "predicted loss, nats/token", count: 5)
    plot.svg.line(plot.left, plot.bottom, plot.right, plot.top, "guide")
    if points.contains(where: \.isHeldOut) {
      for (row, (style, shape, text)) in [("o1", SVG.Shape.circle, "fitted"), ("f2", .diamond, "held out")].enumerated() {
        let y = plot.bottom - 34 + 18 * Double(row)
        plot.svg.mark(shape, plot.right - 76, y, 8, style)
        plot.svg.text(plot.right - 64, y + 4, text, "label")
      }
    }
    for point in points.filter({ !$0.isHeldOut }) + points.filter(\.isHeldOut) {
      let run = point.run
      let tip = """
        N \(Number.compact(run.n)), D \(Number.compact(run.d)), D′ \(Number.compact(run.dPrime)), \(point.domain)
        measured \(Number.fixed(run.measured, 3)), predicted \(Number.fixed(run.predicted, 3))
        """
      let (x, y) = (across(run.measured), up(run.predicted))
      plot.svg.mark(point.isHeldOut ? .diamond : .circle, x, y, point.isHeldOut ? 8 : 6.5, point.isHeldOut ? "f2" : "o1", tip: tip)
    }
    return plot.svg
  }
}
