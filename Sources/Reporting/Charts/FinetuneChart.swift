import Workflows

/// Perplexity on the target against that on the original domain: one point per run, the runs of a method joined in the order of λ or the learning rate.
package struct FinetuneChart: Chart {
  package let id = "chart-finetune"
  package let title = "Perplexity on the target and on the original domain after finetuning"
  let finetuning: FinetuningComparison
  let points: [Point]

  struct Point {
    var method: String
    var settings: RunReport.Finetuning?
    var target: Double
    var source: Double
    /// Whether it is one of the two runs that are compared.
    var isMain: Bool

    /// - Parameter name: the method, where the report does not say.
    init?(_ run: EvaluatedRun?, name: String = "other", isMain: Bool = false) {
      guard let run, let (target, source) = run.both else { return nil }
      settings = run.report.finetuning
      method = settings?.method ?? name
      (self.target, self.source, self.isMain) = (target, source, isMain)
    }

    /// λ, or the learning rate times the epochs.
    var knob: Double {
      guard let settings else { return 0 }
      return method == "anneal" ? settings.lambda : settings.learningRate * Double(settings.epochs)
    }
  }

  /// Nil if no finetuned model has both perplexities.
  package init?(_ finetuning: FinetuningComparison) {
    self.finetuning = finetuning
    let main = [finetuning.direct, finetuning.anneal].compactMap { Point($0, isMain: true) }
    let others = finetuning.methods.compactMap { Point($0.run, name: $0.name, isMain: true) } + finetuning.others.compactMap { Point($0) }
    points = main + others.filter { other in !main.contains { $0.target == other.target && $0.source == other.source } }
    if points.isEmpty { return nil }
  }

  package var sentence: String {
    guard let direct = finetuning.direct?.both, let anneal = finetuning.anneal?.both else {
      return "\(Number.count(points.count, "finetuned model")); direct finetuning and label annealing cannot be compared."
    }
    let base = finetuning.base?.both?.general
    var text = "Direct finetuning reaches a perplexity of \(Number.perplexity(direct.target)) on the target and "
    text += "\(Number.perplexity(direct.general)) on the original domain"
    text += base.map { " (before finetuning: \(Number.perplexity($0)))." } ?? "."
    text += " Label annealing reaches \(Number.perplexity(anneal.target)) and \(Number.perplexity(anneal.general)): "
    text += "\(Compare.phrase(anneal.target, than: direct.target)) direct finetuning on the target, "
    text += "\(Compare.phrase(anneal.general, than: direct.general)) it on the original domain."
    if let base, direct.general > base * 1.005 {
      let avoided = (direct.general - anneal.general) / (direct.general - base)
      if avoided > 0.005 { text += " It avoids \(avoided >= 1 ? "all" : Number.percent(avoided)) of the forgetting." }
    }
    for (name, run) in finetuning.methods {
      guard let (target, general) = run.both else { continue }
      text += " The method \(name) reaches \(Number.perplexity(target)) and \(Number.perplexity(general))."
    }
    return text
  }

  /// The color and the shape of each method; no two have both in common.
  private var styles: [String: (color: Int, shape: SVG.Shape)] {
    let others = Set(points.map(\.method)).subtracting(["direct", "anneal"]).sorted()
    let free: [(Int, SVG.Shape)] = [(3, .diamond), (4, .triangle), (5, .square), (6, .circle), (3, .triangle), (4, .diamond)]
    return others.enumerated().reduce(into: ["direct": (1, .square), "anneal": (2, .circle)]) { styles, other in
      styles[other.element] = free[other.offset % free.count]
    }
  }

  package let width = 760.0

  package func draw(width: Double) -> SVG {
    let isSlim = SVG(width: width, height: 0).isSlim, styles = styles
    var plot = Plot(width: width, height: 420, left: isSlim ? 44 : 56, right: isSlim ? 8 : 90, top: isSlim ? 48 : 34, bottom: 44)
    let base = Point(finetuning.base)
    let all = points + (base.map { [$0] } ?? [])
    let across = Scale(all.map(\.target), kind: .logarithmic, pixels: plot.across, padding: 0.08)
    let up = Scale(all.map(\.source), kind: .logarithmic, pixels: plot.upward, padding: 0.08)
    plot.horizontal(across, title: "perplexity on the target (log scale)", format: { Number.trimmed($0, 2) })
    plot.vertical(up, title: "perplexity on the original domain (log scale); lower left is better", format: { Number.trimmed($0, 2) })
    func place(_ point: Point) -> (x: Double, y: Double) { (across(point.target), up(point.source)) }
    if let base { plot.svg.line(plot.left, up(base.source), plot.right, up(base.source), "guide") }
    var labels: [(mark: (x: Double, y: Double), text: String, isMain: Bool, color: Int)] = []
    for (method, group) in Dictionary(grouping: points, by: \.method).sorted(by: { $0.key < $1.key }) {
      let style = styles[method] ?? (3, .diamond)
      let sorted = group.sorted { $0.knob < $1.knob }
      plot.svg.path(sorted.map(place), "l\(style.color) thin")
      for (index, point) in sorted.enumerated() {
        let (x, y) = place(point)
        let isNamed = point.isMain || index == 0 && !sorted.contains(where: \.isMain)
        let look = "\(point.isMain ? "f" : "o")\(style.color)"
        plot.svg.mark(style.shape, x, y, point.isMain ? 13 : 9, look, tip: tip(point, named: point.method))
        labels.append(((x, y), Self.label(point, isNamed: isNamed), point.isMain, style.color))
      }
    }
    if let base {
      let (x, y) = place(base)
      plot.svg.mark(.diamond, x, y, 12, "f0", tip: tip(base, named: "base"))
      labels.append(((x, y), "base", true, 0))
    }
    // The main runs get their labels first.
    var placer = LabelPlacer(frame: .init(plot.left, plot.top - 8, width - plot.left, plot.bottom - plot.top + 8), marks: all.map(place))
    for label in labels.filter(\.isMain) + labels.filter({ !$0.isMain }) {
      guard let (x, y) = placer.place(label.text, beside: label.mark) else { continue }
      plot.svg.text(x, y, label.text, "\(label.isMain ? "bold" : "small") t\(label.color)")
    }
    return plot.svg
  }

  private static func label(_ point: Point, isNamed: Bool) -> String {
    let name = point.method == "anneal" ? "label annealing" : point.method
    guard let settings = point.settings else { return name }
    let knob =
      point.method == "anneal"
      ? "λ\(Number.gap)\(Number.trimmed(settings.lambda, 4))" : "lr\(Number.gap)\(Number.trimmed(settings.learningRate, 7))"
    return isNamed ? "\(name), \(knob)" : knob
  }

  private func tip(_ point: Point, named name: String) -> String {
    var text = "\(name): target \(Number.perplexity(point.target)), original domain \(Number.perplexity(point.source))"
    if let settings = point.settings {
      text += "\nλ \(Number.trimmed(settings.lambda, 4)), temperature \(Number.trimmed(settings.temperature, 3))"
      text += "\nlearning rate \(Number.trimmed(settings.learningRate, 7)), \(Number.count(settings.epochs, "epoch"))"
    }
    return text
  }
}
