/// Predicted loss against the share of the compute that the trunk gets, with its interval and its lowest point.
package struct AllocationChart: Chart {
  package let id = "chart-allocation"
  package let title = "Predicted loss against the trunk’s share of the compute"
  let plan: RunSummary.Plan
  let curve: [RunSummary.CurvePoint]

  /// Creates the chart; nil where the curve has fewer than two points.
  package init?(_ plan: RunSummary.Plan) {
    self.plan = plan
    curve = (plan.curve ?? []).filter { $0.share.finite != nil && $0.loss.finite != nil }.sorted { ($0.share ?? 0) < ($1.share ?? 0) }
    if curve.count < 2 { return nil }
  }

  /// The advised division: the allocation's own, or the lowest point of the curve.
  private var best: (share: Double, loss: Double, d: Double?, dPrime: Double?)? {
    let lowest = curve.min { ($0.loss ?? 0) < ($1.loss ?? 0) }
    guard let share = plan.allocation?.share.finite ?? lowest?.share, let loss = plan.allocation?.loss.finite ?? lowest?.loss else {
      return nil
    }
    return (share, loss, plan.allocation?.d.finite ?? lowest?.d, plan.allocation?.dPrime.finite ?? lowest?.dPrime)
  }

  package var sentence: String {
    guard let best else { return "" }
    let lowest = curve.min { ($0.loss ?? 0) < ($1.loss ?? 0) }
    let isLowest = best.loss <= (lowest?.loss ?? best.loss) + 0.002
    var text =
      isLowest
      ? "The predicted loss is lowest, \(Number.fixed(best.loss, 3)), where " : "The plan predicts \(Number.fixed(best.loss, 3)) where "
    text += "the trunk gets \(Number.percent(best.share)) of the compute"
    if let d = best.d.finite, let dPrime = best.dPrime.finite {
      text +=
        ": D = \(Number.compact(d)) for all and D′ = \(Number.compact(dPrime)) for each domain\((plan.allocation?.domains ?? []).isEmpty ? "" : " on average")"
    }
    if !isLowest, let lowest {
      text += "; the curve is lower, \(Number.fixed(lowest.loss, 3)), at \(Number.percent(lowest.share))"
    }
    if let end = curve.last, let loss = end.loss, let share = end.share, share > best.share + 0.01 {
      let difference = loss - best.loss
      text += "; with \(Number.percent(share)) for the trunk it would be \(Number.fixed(loss, 3)), "
      text += "\(Number.fixed(abs(difference), 3)) \(difference >= 0 ? "more" : "less")"
    }
    return text + "."
  }

  package func draw() -> SVG {
    var plot = Plot(width: 760, height: 300, left: 56, right: 40, top: 34, bottom: 44)
    let across = Scale([0, 1], pixels: plot.across)
    // What is far worse than not specialising at all would flatten the part that matters; the line leaves the frame there.
    let losses = curve.compactMap(\.loss)
    let (least, most) = (losses.min() ?? 0, losses.max() ?? 1)
    let roof = least + max(0.3 * (most - least), 3 * ((losses.last ?? least) - least))
    let curve = curve.filter { ($0.loss ?? 0) <= roof }
    let bounds = curve.flatMap { [$0.loss ?? .nan, $0.low ?? .nan, $0.high ?? .nan] } + [best?.loss ?? .nan]
    let up = Scale(bounds, pixels: plot.upward, padding: 0.16)
    plot.horizontal(across, title: "share of the compute for the trunk", format: { Number.tickPercent($0) })
    plot.vertical(up, title: "predicted loss, nats a token", count: 4)
    let banded = curve.filter { $0.low.finite != nil && $0.high.finite != nil }
    let upper = banded.map { (x: across($0.share ?? 0), y: up($0.high ?? 0)) }
    let lower = banded.reversed().map { (x: across($0.share ?? 0), y: up($0.low ?? 0)) }
    plot.svg.path(upper + lower, "interval", closed: true)
    plot.svg.path(curve.map { (x: across($0.share ?? 0), y: up($0.loss ?? 0)) }, "l2")
    if let best {
      let (x, y) = (across(best.share), up(best.loss))
      plot.svg.line(x, y, x, plot.bottom, "guide")
      plot.svg.mark(.circle, x, y, 11, "f2", tip: "\(Number.percent(best.share)): \(Number.fixed(best.loss, 3))")
      let isRight = x > (plot.left + plot.right) / 2
      let text = "advised: \(Number.percent(best.share)), loss \(Number.fixed(best.loss, 3))"
      let below = plot.bottom - y > 30 ? y + 23 : y - 18
      plot.svg.text(x + (isRight ? -7 : 7), below, text, "t2 bold", anchor: isRight ? .end : .start)
    }
    return plot.svg
  }
}
