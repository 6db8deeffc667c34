/// What is learnt against what is forgotten: target perplexity across, source perplexity up, a point a run, the runs of a
/// method joined in the order of their knob.
package struct FinetuneChart: Chart {
  package let id = "chart-finetune"
  package let title = "Finetuning: learnt against forgotten"
  let finetune: RunSummary.Finetune
  let points: [RunSummary.FinetunePoint]

  /// Creates the chart; nil where no run has both numbers.
  package init?(_ finetune: RunSummary.Finetune) {
    self.finetune = finetune
    let sweep = (finetune.points ?? []).filter(Self.isComplete)
    let chosen = [("direct", finetune.direct), ("anneal", finetune.anneal)].compactMap { name, point in
      point.map { point in
        var named = point
        named.method = point.method ?? name
        return named
      }
    }.filter { point in
      Self.isComplete(point)
        && !sweep.contains { $0.targetPerplexity == point.targetPerplexity && $0.sourcePerplexity == point.sourcePerplexity }
    }
    points = sweep + chosen
    if points.isEmpty { return nil }
  }

  private static func isComplete(_ point: RunSummary.FinetunePoint) -> Bool {
    point.targetPerplexity.positive != nil && point.sourcePerplexity.positive != nil
  }

  package var sentence: String {
    guard let direct = finetune.direct, let anneal = finetune.anneal, Self.isComplete(direct), Self.isComplete(anneal),
      let target = anneal.targetPerplexity, let source = anneal.sourcePerplexity, let directTarget = direct.targetPerplexity,
      let directSource = direct.sourcePerplexity
    else { return "\(Number.count(points.count, "finetuned model")); direct and annealed cannot be compared yet." }
    var text = "Direct finetuning reaches \(Number.perplexity(directTarget)) on the target and leaves "
    text += "\(Number.perplexity(directSource)) on the source"
    if let base = finetune.base?.sourcePerplexity.positive { text += " (\(Number.perplexity(base)) before)" }
    text += "; label annealing reaches \(Number.perplexity(target)) and \(Number.perplexity(source)): "
    let learns = Compare.phrase(target, than: directTarget)
    let keeps = Compare.phrase(source, than: directSource)
    text += "\(learns) direct on the target, \(keeps) it on the source"
    if let base = finetune.base?.sourcePerplexity.positive, directSource > base * 1.005 {
      let kept = (directSource - source) / (directSource - base)
      if kept > 0.005 { text += "; it keeps \(kept > 1 ? "more than all" : Number.percent(kept)) of what direct forgets" }
    }
    return text + "."
  }

  private static let order = ["direct", "anneal", "l2", "replay", "lora"]

  private static func rank(_ method: String) -> Int { order.firstIndex(of: method) ?? order.count }

  private static func style(_ method: String) -> (colour: Int, shape: SVG.Shape) {
    switch method {
    case "direct": (1, .square)
    case "anneal": (2, .circle)
    case "l2": (3, .diamond)
    case "replay": (4, .triangle)
    default: (0, .diamond)
    }
  }

  package func draw() -> SVG {
    var plot = Plot(width: 760, height: 420, left: 56, right: 90, top: 34, bottom: 44)
    let base = finetune.base.flatMap { Self.isComplete($0) ? $0 : nil }
    let all = points + (base.map { [$0] } ?? [])
    let across = Scale(all.map { $0.targetPerplexity ?? 0 }, kind: .logarithmic, pixels: plot.across, padding: 0.08)
    let up = Scale(all.map { $0.sourcePerplexity ?? 0 }, kind: .logarithmic, pixels: plot.upward, padding: 0.08)
    plot.horizontal(across, title: "target perplexity (logarithmic)", format: { Number.trimmed($0, 2) })
    plot.vertical(up, title: "source perplexity (logarithmic); towards the lower left is better", format: { Number.trimmed($0, 2) })
    let place = { (point: RunSummary.FinetunePoint) in
      (x: across(point.targetPerplexity ?? 1), y: up(point.sourcePerplexity ?? 1))
    }
    if let base {
      let y = up(base.sourcePerplexity ?? 1)
      plot.svg.line(plot.left, y, plot.right, y, "guide")
    }
    let methods = Dictionary(grouping: points) { $0.method ?? "other" }
      .sorted { (Self.rank($0.key), $0.key) < (Self.rank($1.key), $1.key) }
    var texts: [(mark: (x: Double, y: Double), text: String, isChosen: Bool, colour: Int)] = []
    for (method, group) in methods {
      let style = Self.style(method)
      let sorted = group.sorted { Self.knob($0) < Self.knob($1) }
      plot.svg.path(sorted.map(place), "l\(style.colour) thin")
      for point in sorted {
        let (x, y) = place(point)
        let chosen = isChosen(point)
        let isFirst = point == sorted.first && !sorted.contains(where: isChosen)
        plot.svg.mark(style.shape, x, y, chosen ? 13 : 9, "\(chosen ? "f" : "o")\(style.colour)", tip: tip(point))
        texts.append(((x, y), Self.short(point, named: chosen || isFirst), chosen, style.colour))
      }
    }
    if let base {
      let (x, y) = place(base)
      plot.svg.mark(.diamond, x, y, 12, "f0", tip: tip(base))
      texts.append(((x, y), "base", true, 0))
    }
    // The chosen runs get their labels first.
    var placer = LabelPlacer(frame: .init(plot.left, plot.top - 8, 760 - plot.left, plot.bottom - plot.top + 8), marks: all.map(place))
    for label in texts.filter(\.isChosen) + texts.filter({ !$0.isChosen }) {
      guard let (x, y) = placer.place(label.text, beside: label.mark) else { continue }
      plot.svg.text(x, y, label.text, "\(label.isChosen ? "bold" : "small") t\(label.colour)")
    }
    return plot.svg
  }

  private func isChosen(_ point: RunSummary.FinetunePoint) -> Bool {
    [finetune.direct, finetune.anneal].contains {
      $0?.targetPerplexity == point.targetPerplexity && $0?.sourcePerplexity == point.sourcePerplexity
    }
  }

  /// What orders the runs of a method: the memory term's weight, or the learning rate times epochs.
  private static func knob(_ point: RunSummary.FinetunePoint) -> Double {
    point.lambda.finite ?? (point.learningRate.finite ?? 1) * (point.epochs.finite ?? 1)
  }

  /// The method where it is to be named, and its knob.
  private static func short(_ point: RunSummary.FinetunePoint, named: Bool) -> String {
    let method = point.method == "anneal" ? "label annealing" : point.method ?? "other"
    let gap = Number.gap
    let knob =
      point.lambda.finite.map { "λ\(gap)\(Number.trimmed($0, 4))" } ?? point.learningRate.finite.map { "lr\(gap)\(Number.trimmed($0, 7))" }
    guard let knob else { return method }
    return named ? "\(method), \(knob)" : knob
  }

  private func tip(_ point: RunSummary.FinetunePoint) -> String {
    var text = "\(point.method ?? "base"): target \(Number.perplexity(point.targetPerplexity))"
    text += ", source \(Number.perplexity(point.sourcePerplexity))"
    if let lambda = point.lambda.finite { text += "\nλ \(Number.trimmed(lambda, 4))" }
    if let temperature = point.temperature.finite { text += ", T \(Number.trimmed(temperature, 3))" }
    if let rate = point.learningRate.finite { text += "\nlearning rate \(Number.trimmed(rate, 7))" }
    if let epochs = point.epochs.finite { text += ", \(Number.trimmed(epochs, 2)) epochs" }
    return text
  }
}
