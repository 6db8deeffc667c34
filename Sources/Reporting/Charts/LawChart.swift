import Planning

/// Loss over general tokens D, one line of predictions per D′ with the measured runs on it; for the largest model of one domain only, so that
/// one thing varies at a time. Without a law, the lines join the measured runs.
package struct LawChart: Chart {
  package let id = "chart-law"
  package let title: String
  let points: [Plan.Point]
  let series: [(dPrime: Double, points: [Plan.Point])]

  /// Nil if there are fewer than two runs.
  package init?(_ plan: Plan) { self.init(plan.points) }

  /// Measured runs without a law. Nil if there are fewer than two.
  package init?(_ runs: [MeasuredRun]) {
    let parts = runs.filter { $0.domain != MeasuredRun.mean }
    self.init(
      (parts.isEmpty ? runs : parts).map {
        Plan.Point(domain: $0.domain, run: FitPoint(measured: $0), isHeldOut: false)
      })
  }

  private init?(_ all: [Plan.Point]) {
    // A held-out run is there twice, with the prediction of the whole fit and with that of a fit without it; the first counts.
    var seen: Set<[String]> = []
    let measured = all.filter { $0.run.d.positive != nil && $0.run.measured.isFinite }
    let usable = (measured.filter { !$0.isHeldOut } + measured.filter(\.isHeldOut)).filter { point in
      seen.insert([point.domain, "\(point.run.n)", "\(point.run.d)", "\(point.run.dPrime)"]).inserted
    }
    // The domain and size with the most runs; of several, the largest size.
    let groups = Dictionary(grouping: usable) { [$0.domain, String($0.run.n)] }
    let best = groups.max { a, b in
      (a.value.count, a.value.first?.run.n ?? 0, b.key[0]) < (b.value.count, b.value.first?.run.n ?? 0, a.key[0])
    }
    points = best?.value ?? []
    guard points.count > 1, let first = points.first else { return nil }
    title = "Loss over D at several D′; N = \(Number.compact(first.run.n)), \(first.domain)"
    var grouped = Dictionary(grouping: points) { $0.run.dPrime.finite ?? 0 }.sorted { $0.key < $1.key }
      .map { (dPrime: $0.key, points: $0.value.sorted { $0.run.d < $1.run.d }) }
    // At most five lines can be told apart: the first, the last, and three evenly between.
    if grouped.count > 5 {
      let last = grouped.count - 1
      grouped = (0..<5).map { grouped[$0 * last / 4] }
    }
    series = grouped
  }

  package var sentence: String {
    guard let least = series.first, let most = series.last, series.count > 1 else { return "All runs have the same D′." }
    let common = least.points.compactMap { a in most.points.first { $0.run.d == a.run.d }.map { (a.run, $0.run) } }
    guard let first = common.first, let last = common.last else { return "No D was measured at more than one D′." }
    func effect(_ gain: Double) -> String { "\(gain >= 0 ? "lowers" : "raises") the loss by \(Number.fixed(abs(gain), 2)) nats/token" }
    var text = "At D = \(Number.compact(first.0.d)), raising D′ from \(Number.compact(least.dPrime)) to \(Number.compact(most.dPrime)) "
    text += effect(first.0.measured - first.1.measured)
    if first.0.d != last.0.d { text += "; at D = \(Number.compact(last.0.d)), it " + effect(last.0.measured - last.1.measured) }
    return text + "."
  }

  package let width = 460.0

  /// Whether there are predictions.
  private var isFitted: Bool { points.contains { $0.run.predicted.isFinite } }

  package func draw(width: Double) -> SVG {
    let isSlim = SVG(width: width, height: 0).isSlim
    var plot = Plot(width: width, height: width * 0.91 + (isSlim ? 14 : 0), left: 44, right: 64, top: isSlim ? 48 : 34, bottom: 44)
    let drawn = series.flatMap(\.points)
    let across = Scale(drawn.map(\.run.d), kind: .logarithmic, pixels: plot.across, padding: 0.04)
    let up = Scale(drawn.flatMap { [$0.run.measured, $0.run.predicted].filter(\.isFinite) }, pixels: plot.upward, padding: 0.05)
    plot.horizontal(across, title: "general tokens D (log scale)", count: 4, format: { Number.tick($0) })
    plot.vertical(up, title: isFitted ? "loss, nats/token; lines: predicted, marks: measured" : "measured loss, nats/token", count: 5)
    plot.svg.text(plot.right + 10, plot.top + (isSlim ? 4 : -12), "D′", "label")
    let shapes: [SVG.Shape] = [.circle, .square, .triangle, .diamond, .circle]
    let colors = [0, 1, 4, 3, 2]
    var labels: [(x: Double, y: Double, text: String, style: String)] = []
    for (index, line) in series.enumerated() {
      let color = index == series.count - 1 ? 2 : colors[index]
      let predicted = line.points.filter { $0.run.predicted.isFinite }.map { (x: across($0.run.d), y: up($0.run.predicted)) }
      let measured = line.points.map { (x: across($0.run.d), y: up($0.run.measured)) }
      plot.svg.path(isFitted ? predicted : measured, "l\(color)")
      for point in line.points {
        let tip = "D \(Number.compact(point.run.d)), D′ \(Number.compact(line.dPrime)): \(Number.fixed(point.run.measured, 3))"
        plot.svg.mark(shapes[index], across(point.run.d), up(point.run.measured), 7, "o\(color)", tip: tip)
      }
      if let end = predicted.last ?? line.points.last.map({ (x: across($0.run.d), y: up($0.run.measured)) }) {
        labels.append((end.x, end.y, Number.compact(line.dPrime), "t\(color)"))
      }
    }
    plot.endLabels(labels)
    return plot.svg
  }
}
