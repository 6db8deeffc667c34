/// Training loss over tokens: the base models at the left on a log axis, their continuations at the right on an axis of their own, where a
/// short continuation stays legible.
package struct LossChart: Chart {
  package let id = "chart-loss"
  package let title = "Training loss over tokens"
  let bases: [Run], continuations: [Run]

  /// The most lines per panel with a color and a label; the others are thin and gray.
  static let named = 6

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
        "Of \(ends.count) continuations, \(lowest.name) ends lowest (\(Number.fixed(lowest.loss, 2)) nats/token) and \(highest.name) highest "
          + "(\(Number.fixed(highest.loss, 2))), each on its own data.")
    } else if let only = ends.first {
      parts.append("The continuation \(only.name) ends at \(Number.fixed(only.loss, 2)) nats/token on its own data.")
    }
    return parts.joined(separator: " ")
  }

  package func draw() -> SVG {
    var svg = SVG(width: 960, height: 340)
    if bases.isEmpty || continuations.isEmpty {
      panel(bases.isEmpty ? continuations : bases, from: 48, to: 820, isLogarithmic: continuations.isEmpty, "tokens", in: &svg)
    } else {
      panel(bases, from: 48, to: 420, isLogarithmic: true, "tokens of the base (log scale)", in: &svg)
      panel(continuations, from: 530, to: 830, isLogarithmic: false, "tokens of the continuation", in: &svg)
    }
    return svg
  }

  private func panel(_ runs: [Run], from left: Double, to right: Double, isLogarithmic: Bool, _ title: String, in svg: inout SVG) {
    var plot = Plot(width: 960, height: 340, left: left, right: 960 - right, top: 34, bottom: 40)
    plot.svg = svg
    let horizontal = Scale(
      runs.flatMap(\.curve).map(\.x), kind: isLogarithmic ? .logarithmic : .linear, pixels: plot.across, includingZero: !isLogarithmic)
    let vertical = Scale(runs.flatMap(\.curve).map(\.y), pixels: plot.upward, padding: 0.03)
    plot.horizontal(horizontal, title: title, count: 5, format: { Number.tick($0) })
    plot.vertical(vertical, title: "loss, nats/token")
    let ranked = runs.enumerated().sorted { ($0.element.role, $0.offset) < ($1.element.role, $1.offset) }.map(\.element)
    var labels: [(x: Double, y: Double, text: String, style: String)] = []
    let named = min(ranked.count, Self.named)
    let known = ranked.filter { $0.role < Run.roles.count }.count
    for (index, run) in ranked.enumerated().reversed() {
      let isNamed = index < named
      let color = run.role < Run.roles.count ? [1, 2, 3, 0][run.role] : [4, 0, 3, 1, 2][(index - known) % 5]
      let points = Self.binned(run.curve, by: horizontal).map { (x: horizontal($0.x), y: vertical($0.y)) }
      plot.svg.path(points, isNamed ? "l\(color)" : "l0 thin", tip: run.name)
      if isNamed, let end = points.last {
        labels.append((plot.right, end.y, TextMetrics.fit(run.name, into: 960 - right - 12, size: 12), "t\(color)"))
      }
    }
    plot.endLabels(labels)
    if ranked.count > named {
      plot.svg.text(plot.right, plot.top - 12, "\(Number.count(ranked.count - named, "other run")) in gray", "small soft", anchor: .end)
    }
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
