/// Training loss over tokens: the base models at the left on a log axis, their continuations at the right on an axis of their own, where a
/// short continuation stays legible.
package struct LossChart: Chart {
  package let id = "chart-loss"
  package let title = "Training loss over tokens"
  let bases: [Run], continuations: [Run]

  /// The most lines per panel with a color and a label; the others are thin and gray.
  static let named = 7

  struct Run {
    var name: String
    /// The finite points, by tokens.
    var curve: [(x: Double, y: Double)]

    init(_ run: RunSummary.Training) {
      name = run.name
      curve = run.report.curve.compactMap { $0.count == 2 ? (x: $0[0], y: $0[1]) : nil }
        .filter { $0.x.positive != nil && $0.y.isFinite }.sorted { $0.x < $1.x }
    }

    /// The role that the name tells, from 0, so that it has the same color on every page; `roles.count` if none.
    var role: Int { Run.roles.firstIndex { name.lowercased().contains($0) } ?? Run.roles.count }
    static let roles = ["uniform", "crisp", "seed", "base"]
  }

  /// Nil if no run has a curve.
  package init?(_ runs: [RunSummary.Training]) {
    func drawn(_ runs: [RunSummary.Training]) -> [Run] { runs.map(Run.init).filter { $0.curve.count > 1 } }
    bases = drawn(runs.filter { $0.parent == nil })
    continuations = drawn(runs.filter { $0.parent != nil })
    if bases.isEmpty && continuations.isEmpty { return nil }
  }

  package var sentence: String {
    var parts: [String] = []
    if let base = bases.first, let first = base.curve.first, let last = base.curve.last {
      parts.append(
        "The loss of \(base.name) \(last.y > first.y ? "rises" : "falls") from \(Number.fixed(first.y, 2)) to \(Number.fixed(last.y, 2)) nats/token "
          + "over \(Number.compact(last.x)) tokens.")
    }
    let ends = continuations.compactMap { run in run.curve.last.map { (name: run.name, loss: $0.y) } }
    if let lowest = ends.min(by: { $0.loss < $1.loss }), let highest = ends.max(by: { $0.loss < $1.loss }), ends.count > 1 {
      parts.append(
        "\(ends.count) continuations, each on its own data, end at \(Number.fixed(lowest.loss, 2)) nats/token (\(lowest.name)) to "
          + "\(Number.fixed(highest.loss, 2)) (\(highest.name)): these losses do not rank them.")
    } else if let only = ends.first {
      parts.append("The continuation \(only.name) ends at \(Number.fixed(only.loss, 2)) nats/token on its own data.")
    }
    return parts.joined(separator: " ")
  }

  package func draw(width: Double) -> SVG {
    let panels = [
      (bases, continuations.isEmpty ? "tokens (log scale)" : "tokens of the base (log scale)", true),
      (continuations, bases.isEmpty ? "tokens" : "tokens of the continuation", false),
    ].filter { !$0.0.isEmpty }
    guard SVG(width: width, height: 0).isSlim else {
      var svg = SVG(width: width, height: 340)
      // The continuations, of which there are more, get more room; the names are at the right of each panel.
      let middle = panels.count == 1 ? width : 440.0
      for (index, panel) in panels.enumerated() {
        let (from, to) = index == 0 ? (0, middle) : (middle + 30, width)
        let names = lines(of: panel.0).filter(\.isNamed).map { TextMetrics.width($0.run.name, size: 14) }
        let room = min(names.max() ?? 0, (to - from) / 2) + 14
        draw(panel.0, from: from + 48, to: to - room, top: 34, bottom: 300, isLogarithmic: panel.2, panel.1, namesBelow: false, in: &svg)
      }
      return svg
    }
    // On a phone, one panel is below the other, and the names are below the panels.
    let heights = panels.map { 316 + 18 * Double(lines(of: $0.0).filter(\.isNamed).count) }
    var svg = SVG(width: width, height: heights.reduce(0, +))
    var top = 0.0
    for (panel, height) in zip(panels, heights) {
      draw(panel.0, from: 36, to: width - 8, top: top + 34, bottom: top + 250, isLogarithmic: panel.2, panel.1, namesBelow: true, in: &svg)
      top += height
    }
    return svg
  }

  /// A run with its color; runs without a color of their own are thin and gray.
  private struct Line { var run: Run, color: Int, isNamed: Bool }

  /// The runs in the order of their roles. No two of a panel have the same color: a role has its own one, the others share what is left.
  private func lines(of runs: [Run]) -> [Line] {
    let ranked = runs.enumerated().sorted { ($0.element.role, $0.offset) < ($1.element.role, $1.offset) }.map(\.element)
    var free = [4, 5, 6, 3, 1, 2, 0]
    var colors: [Int: Int] = [:]
    for (index, run) in ranked.enumerated().prefix(Self.named) where run.role < Run.roles.count {
      let own = [1, 2, 3, 0][run.role]
      guard free.contains(own) else { continue }
      free.removeAll { $0 == own }
      colors[index] = own
    }
    return ranked.enumerated().map { index, run in
      guard index < Self.named else { return Line(run: run, color: 0, isNamed: false) }
      return Line(run: run, color: colors[index] ?? free.removeFirst(), isNamed: true)
    }
  }

  private func draw(
    _ runs: [Run], from left: Double, to right: Double, top: Double, bottom: Double, isLogarithmic: Bool, _ title: String,
    namesBelow: Bool, in svg: inout SVG
  ) {
    var plot = Plot(width: svg.width, height: svg.height, left: left, right: svg.width - right, top: top, bottom: svg.height - bottom)
    plot.svg = svg
    let horizontal = Scale(
      runs.flatMap(\.curve).map(\.x), kind: isLogarithmic ? .logarithmic : .linear, pixels: plot.across, includingZero: !isLogarithmic)
    let vertical = Scale(runs.flatMap(\.curve).map(\.y), pixels: plot.upward, padding: 0.03)
    plot.horizontal(horizontal, title: title, count: 5, format: { Number.tick($0) })
    plot.vertical(vertical, title: "loss, nats/token")
    let lines = lines(of: runs)
    var labels: [(x: Double, y: Double, text: String, style: String)] = []
    for line in lines.reversed() {
      let points = Self.binned(line.run.curve, by: horizontal).map { (x: horizontal($0.x), y: vertical($0.y)) }
      plot.svg.path(points, line.isNamed ? "l\(line.color)" : "l0 thin", tip: line.run.name)
      guard line.isNamed, !namesBelow, let end = points.last else { continue }
      labels.append((plot.right, end.y, TextMetrics.fit(line.run.name, into: svg.width - right - 12, size: 12), "t\(line.color)"))
    }
    plot.endLabels(labels)
    if namesBelow {
      for (row, line) in lines.filter(\.isNamed).enumerated() {
        let y = bottom + 54 + 18 * Double(row)
        plot.svg.path([(left, y - 4), (left + 24, y - 4)], "l\(line.color)")
        plot.svg.text(left + 32, y, TextMetrics.fit(line.run.name, into: svg.width - left - 32, size: 12), "t\(line.color)")
      }
    }
    let gray = lines.filter { !$0.isNamed }.count
    if gray > 0 { plot.svg.text(plot.right, plot.top - 12, "\(Number.count(gray, "other run")) in gray", "small soft", anchor: .end) }
    svg = plot.svg
  }

  /// Means over bins of three pixels.
  private static func binned(_ points: [(x: Double, y: Double)], by scale: Scale) -> [(x: Double, y: Double)] {
    var result: [(x: Double, y: Double)] = []
    var (sumX, sumY, count, bin) = (0.0, 0.0, 0.0, -1)
    for point in points {
      let place = Int(scale(point.x) / 3)
      if place != bin && count > 0 {
        result.append((sumX / count, sumY / count))
        (sumX, sumY, count) = (0, 0, 0)
      }
      bin = place
      (sumX, sumY, count) = (sumX + point.x, sumY + point.y, count + 1)
    }
    if count > 0 { result.append((sumX / count, sumY / count)) }
    return result
  }
}
