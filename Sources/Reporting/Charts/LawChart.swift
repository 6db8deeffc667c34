/// Loss against general tokens D, a line of predictions for every D', the measured runs on it; the largest model only, so that
/// one thing varies at a time.
package struct LawChart: Chart {
  package let id = "chart-law"
  package let title: String
  let points: [RunSummary.PlanPoint]
  let series: [(dPrime: Double, points: [RunSummary.PlanPoint])]

  /// Creates the chart; nil where fewer than two runs have N, D and a loss.
  package init?(_ plan: RunSummary.Plan) {
    // A run may be there twice, with the whole fit's prediction and with that of a fit which did not see it: the first counts.
    var seen: Set<[String]> = []
    let measured = (plan.points ?? []).filter { $0.d.positive != nil && $0.measured.finite != nil }
    let usable = (measured.filter { $0.heldOut != true } + measured.filter { $0.heldOut == true }).filter { point in
      seen.insert([point.domain ?? "", "\(point.n ?? 0)", "\(point.d ?? 0)", "\(point.dPrime ?? 0)"]).inserted
    }
    // The domain and the size with most runs, the larger on a tie.
    let counts = Dictionary(grouping: usable) { [$0.domain ?? "", String($0.n ?? 0)] }
    let best = counts.max { a, b in
      (a.value.count, a.value.first?.n ?? 0, b.key[0]) < (b.value.count, b.value.first?.n ?? 0, a.key[0])
    }
    points = best?.value ?? []
    let first = points.first
    let size = first?.n.positive.map { ", N = \(Number.compact($0))" } ?? ""
    let domain = first?.domain.map { ", \($0)" } ?? ""
    title = "Loss against D at several D′\(size)\(domain)"
    var grouped = Dictionary(grouping: points) { $0.dPrime.finite ?? 0 }.sorted { $0.key < $1.key }
      .map { (dPrime: $0.key, points: $0.value.sorted { ($0.d ?? 0) < ($1.d ?? 0) }) }
    // Five lines can be told apart: first, last and evenly between.
    if grouped.count > 5 {
      let last = grouped.count - 1
      grouped = (0..<5).map { grouped[$0 * last / 4] }
    }
    series = grouped
    if points.count < 2 { return nil }
  }

  package var sentence: String {
    guard let least = series.first, let most = series.last, series.count > 1 else {
      return "Loss falls with D; there are no runs at a second D′ yet."
    }
    let common = least.points.compactMap { a in most.points.first { $0.d == a.d }.map { (a, $0) } }
    guard let first = common.first, let last = common.last, let d = first.0.d, let dLast = last.0.d else {
      return "Loss against D for \(series.count) values of D′."
    }
    let gain = { (pair: (RunSummary.PlanPoint, RunSummary.PlanPoint)) in (pair.0.measured ?? 0) - (pair.1.measured ?? 0) }
    var text = "At D = \(Number.compact(d)), raising D′ from \(Number.compact(least.dPrime)) to \(Number.compact(most.dPrime)) "
    text += gain(first) >= 0 ? "lowers" : "raises"
    text += " the loss by \(Number.fixed(abs(gain(first)), 2)) nats"
    if d != dLast {
      text += "; at D = \(Number.compact(dLast)) it \(gain(last) >= 0 ? "lowers" : "raises") it by \(Number.fixed(abs(gain(last)), 2))"
    }
    return text + "."
  }

  package func draw() -> SVG {
    var plot = Plot(width: 460, height: 420, left: 50, right: 78, top: 34, bottom: 44)
    let drawn = series.flatMap(\.points)
    let across = Scale(drawn.compactMap(\.d), kind: .logarithmic, pixels: plot.across, padding: 0.04)
    let up = Scale(drawn.flatMap { [$0.measured ?? .nan, $0.predicted ?? .nan] }, pixels: plot.upward, padding: 0.05)
    plot.horizontal(across, title: "general tokens D (logarithmic)", count: 4, format: { Number.tick($0) })
    plot.vertical(up, title: "loss; lines predicted, marks measured", count: 5)
    plot.svg.text(plot.right + 10, plot.top - 12, "D′", "label")
    let shapes: [SVG.Shape] = [.circle, .square, .triangle, .diamond, .circle]
    let colours = [0, 1, 4, 3, 2]
    var labels: [(x: Double, y: Double, text: String, style: String)] = []
    for (index, line) in series.enumerated() {
      let colour = series.count == 1 ? 2 : index == series.count - 1 ? 2 : colours[index]
      let predicted = line.points.filter { $0.predicted.finite != nil }.map { (x: across($0.d ?? 1), y: up($0.predicted ?? 0)) }
      plot.svg.path(predicted, "l\(colour)")
      for point in line.points {
        let tip = "D \(Number.compact(point.d)), D′ \(Number.compact(line.dPrime)): \(Number.fixed(point.measured, 3))"
        plot.svg.mark(shapes[index], across(point.d ?? 1), up(point.measured ?? 0), 7, "o\(colour)", tip: tip)
      }
      if let end = predicted.last ?? line.points.last.map({ (x: across($0.d ?? 1), y: up($0.measured ?? 0)) }) {
        labels.append((end.x, end.y, Number.compact(line.dPrime), "t\(colour)"))
      }
    }
    plot.endLabels(labels)
    return plot.svg
  }
}
