import Planning

/// Predicted loss over the trunk's share of the compute, with its interval and the recommended split; the line is dotted where the law
/// extrapolates beyond the measured runs.
package struct AllocationChart: Chart {
  package let id = "chart-allocation"
  package let title = "Predicted loss, weighted mean over domains, by the trunk’s share of the compute"
  package let width = 760.0
  let allocation: Allocation
  /// The fit behind the predictions; nil where it is not known.
  let plan: Plan?
  let curve: [Allocation.Candidate]

  /// Nil if the curve has fewer than two points.
  package init?(_ allocation: Allocation, plan: Plan?) {
    (self.allocation, self.plan) = (allocation, plan)
    curve = allocation.curve.filter { $0.loss.value.isFinite }.sorted { $0.trunkShare < $1.trunkShare }
    if curve.count < 2 { return nil }
  }

  private var best: Allocation.Candidate { allocation.split }

  package var sentence: String {
    let lowest = curve.min { $0.loss.value < $1.loss.value } ?? best
    let isLowest = best.loss.value <= lowest.loss.value + 0.002
    func loss(_ candidate: Allocation.Candidate) -> String { "\(Number.fixed(candidate.loss.value, 3)) nats/token" }
    var text = isLowest ? "The predicted loss is lowest, \(loss(best)), with " : "The plan predicts a loss of \(loss(best)) with "
    text += "\(Number.percent(best.trunkShare)) of the compute for the trunk: D = \(Number.compact(best.d)) general tokens, and "
    text += "D′ = \(Number.compact(best.meanDPrime)) specialization tokens per domain"
    text += Set(best.dPrime).count > 1 ? " on average." : "."
    if !isLowest { text += " With \(Number.percent(lowest.trunkShare)) for the trunk, the predicted loss is lower, \(loss(lowest))." }
    if let end = curve.last, end.trunkShare > best.trunkShare + 0.01 {
      let difference = end.loss.value - best.loss.value
      text += " With \(Number.percent(end.trunkShare)) for the trunk, the predicted loss is \(loss(end)), "
      text += "\(Number.fixed(abs(difference), 3)) \(difference >= 0 ? "higher" : "lower")."
    }
    if let beyond = plan?.extrapolation(of: best) { text += " This is an extrapolation: \(beyond)." }
    return text
  }

  private func extrapolates(_ candidate: Allocation.Candidate) -> Bool { plan?.extrapolation(of: candidate) != nil }

  package func draw(width: Double) -> SVG {
    let isSlim = SVG(width: width, height: 0).isSlim
    var plot = Plot(width: width, height: 300, left: 48, right: isSlim ? 12 : 40, top: 52, bottom: 44)
    let across = Scale([0, 1], pixels: plot.across)
    // Splits far worse than no specialization at all would flatten the interesting part; there, the line leaves the frame.
    let losses = curve.map(\.loss.value)
    let (least, most) = (losses.min() ?? 0, losses.max() ?? 1)
    let roof = least + max(0.3 * (most - least), 3 * ((losses.last ?? least) - least))
    let curve = curve.filter { $0.loss.value <= roof }
    let bounds = curve.flatMap { [$0.loss.value, $0.loss.low ?? .nan, $0.loss.high ?? .nan] } + [best.loss.value]
    let up = Scale(bounds, pixels: plot.upward, padding: 0.16)
    plot.horizontal(across, title: "trunk’s share of the compute", format: { Number.tickPercent($0) })
    plot.vertical(up, title: "predicted loss, nats/token", count: 4)
    let banded = curve.filter { $0.loss.low.finite != nil && $0.loss.high.finite != nil }
    let upper = banded.map { (x: across($0.trunkShare), y: up($0.loss.high ?? 0)) }
    let lower = banded.reversed().map { (x: across($0.trunkShare), y: up($0.loss.low ?? 0)) }
    plot.svg.path(upper + lower, "interval", closed: true)
    // The line between two splits is drawn through only where both are inside the measured runs.
    for (one, other) in zip(curve, curve.dropFirst()) {
      let isBeyond = extrapolates(one) || extrapolates(other)
      plot.svg.path([one, other].map { (x: across($0.trunkShare), y: up($0.loss.value)) }, isBeyond ? "l2 beyond" : "l2")
    }
    if plan != nil {
      plot.svg.path([(plot.left, 12), (plot.left + 26, 12)], "l2")
      plot.svg.text(plot.left + 32, 16, "measured range", "label")
      plot.svg.path([(plot.left + 146, 12), (plot.left + 172, 12)], "l2 beyond")
      plot.svg.text(plot.left + 178, 16, "extrapolation", "label")
    }
    let (x, y) = (across(best.trunkShare), up(best.loss.value))
    let (share, loss) = (Number.percent(best.trunkShare), Number.fixed(best.loss.value, 3))
    plot.svg.line(x, y, x, plot.bottom, "guide")
    plot.svg.mark(.circle, x, y, 11, extrapolates(best) ? "o2" : "f2", tip: "\(share): \(loss)")
    let isRight = x > (plot.left + plot.right) / 2
    let textY = plot.bottom - y > 30 ? y + 23 : y - 18
    let text = "plan: \(share), loss \(loss)\(extrapolates(best) ? ", extrapolated" : "")"
    let size = 1.1 * TextMetrics.width(text, size: 12)
    plot.svg.text(min(max(isRight ? x - 7 - size : x + 7, plot.left + 4), width - size), textY, text, "t2 bold")
    return plot.svg
  }
}
