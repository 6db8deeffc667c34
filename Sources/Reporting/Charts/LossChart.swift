/// Loss against tokens: the runs that start from nothing at the left on a logarithmic axis, those that continue one at the right
/// on their own, so that a short continuation is not squeezed into the last corner.
package struct LossChart: Chart {
  package let id = "chart-loss"
  package let title = "Training loss against tokens"
  let bases: [RunSummary.Training], continued: [RunSummary.Training]

  /// Lines named at their ends at most, a panel; further ones are thin and grey.
  static let named = 6

  /// Creates the chart; nil where no run has a curve.
  package init?(_ runs: [RunSummary.Training]) {
    let drawn = runs.filter { Self.curve($0).count > 1 }
    bases = drawn.filter { ($0.parent ?? "").isEmpty }
    continued = drawn.filter { !($0.parent ?? "").isEmpty }
    if drawn.isEmpty { return nil }
  }

  package var sentence: String {
    var parts: [String] = []
    if let base = bases.first, let first = Self.curve(base).first, let last = Self.curve(base).last {
      parts.append(
        "\(base.name ?? "The base") falls from \(Number.fixed(first.y, 2)) to \(Number.fixed(last.y, 2)) nats a token "
          + "over \(Number.compact(last.x)) tokens")
    }
    let ends = continued.compactMap { run in Self.curve(run).last.map { (name: run.name ?? "a run", loss: $0.y) } }
    if let lowest = ends.min(by: { $0.loss < $1.loss }), let highest = ends.max(by: { $0.loss < $1.loss }), ends.count > 1 {
      parts.append(
        "of its \(ends.count) continuations, each measured on its own data, \(lowest.name) ends lowest (\(Number.fixed(lowest.loss, 2))) "
          + "and \(highest.name) highest (\(Number.fixed(highest.loss, 2)))")
    } else if let only = ends.first {
      parts.append("its continuation \(only.name) ends at \(Number.fixed(only.loss, 2)) on its own data")
    }
    let text = parts.joined(separator: "; ") + "."
    return text.prefix(1).uppercased() + text.dropFirst()
  }

  package func draw() -> SVG {
    var svg = SVG(width: 960, height: 340)
    if bases.isEmpty || continued.isEmpty {
      panel(bases.isEmpty ? continued : bases, from: 48, to: 820, logarithmic: continued.isEmpty, "tokens", in: &svg)
    } else {
      panel(bases, from: 48, to: 420, logarithmic: true, "tokens, from the start", in: &svg)
      panel(continued, from: 530, to: 850, logarithmic: false, "tokens, since continuing", in: &svg)
    }
    return svg
  }

  private func panel(
    _ runs: [RunSummary.Training], from left: Double, to right: Double, logarithmic: Bool, _ title: String,
    in svg: inout SVG
  ) {
    var plot = Plot(width: 960, height: 340, left: left, right: 960 - right, top: 34, bottom: 40)
    plot.svg = svg
    let kind: Scale.Kind = logarithmic ? .logarithmic : .linear
    let horizontal = Scale(runs.flatMap(Self.curve).map(\.x), kind: kind, pixels: plot.across, includingZero: !logarithmic)
    let losses = runs.flatMap { Self.curve($0) + ($0.validation ?? []) }.map(\.y)
    let vertical = Scale(losses, pixels: plot.upward, padding: 0.03)
    plot.horizontal(horizontal, title: title, count: 5, format: { Number.tick($0) })
    plot.vertical(vertical, title: "loss, nats a token")
    let ranked = runs.enumerated().sorted { (Self.rank($0.element), $0.offset) < (Self.rank($1.element), $1.offset) }.map(\.element)
    var labels: [(x: Double, y: Double, text: String, style: String)] = []
    // Where there are too many to tell apart, those with a known part are named and the others are the crowd.
    let known = ranked.filter { Self.rank($0) < Self.known.count }.count
    let named = ranked.count <= Self.named ? ranked.count : min(known > 0 ? known : Self.named, Self.named)
    for (index, run) in ranked.enumerated().reversed() {
      let isNamed = index < named
      let colour = isNamed ? Self.colour(run, index: index) : 0
      let points = Self.binned(Self.curve(run), by: horizontal).map { (x: horizontal($0.x), y: vertical($0.y)) }
      plot.svg.path(points, isNamed ? "l\(colour)" : "l0 thin", tip: run.name)
      for point in (run.validation ?? []) where horizontal.holds(point.x) && vertical.holds(point.y) {
        let tip = "\(run.name ?? "run"), validation: \(Number.fixed(point.y, 3)) at \(Number.compact(point.x)) tokens"
        plot.svg.mark(.circle, horizontal(point.x), vertical(point.y), 6, "o\(colour)", tip: tip)
      }
      if isNamed, let end = points.last {
        let name = TextMetrics.fit((run.name ?? "run").spoken, into: 110, size: 12)
        labels.append((end.x, end.y, name, "t\(colour)"))
      }
    }
    plot.endLabels(labels)
    if ranked.count > named {
      plot.svg.text(plot.right, plot.top - 12, "\(ranked.count - named) further runs in grey", "small soft", anchor: .end)
    }
    svg = plot.svg
  }

  /// The finite points of a run's curve, by tokens.
  private static func curve(_ run: RunSummary.Training) -> [RunSummary.Point] {
    (run.loss ?? []).filter { $0.x.isFinite && $0.y.isFinite && $0.x > 0 }.sorted { $0.x < $1.x }
  }

  /// Means over stretches of three pixels: what the eye would average anyway.
  private static func binned(_ points: [RunSummary.Point], by scale: Scale) -> [RunSummary.Point] {
    var result: [RunSummary.Point] = []
    var (sumX, sumY, count, bin) = (0.0, 0.0, 0.0, -1)
    for point in points {
      let place = Int(scale(point.x) / 3)
      if place != bin && count > 0 {
        result.append(.init(sumX / count, sumY / count))
        (sumX, sumY, count) = (0, 0, 0)
      }
      bin = place
      (sumX, sumY, count) = (sumX + point.x, sumY + point.y, count + 1)
    }
    if count > 0 { result.append(.init(sumX / count, sumY / count)) }
    return result
  }

  private static let known = ["base", "uniform", "crisp", "specialist", "full"]

  private static func rank(_ run: RunSummary.Training) -> Int {
    known.firstIndex { (run.name ?? "").lowercased().contains($0) } ?? known.count
  }

  private static func colour(_ run: RunSummary.Training, index: Int) -> Int {
    [0, 1, 2, 3, 4, index % 5][rank(run)]
  }
}
