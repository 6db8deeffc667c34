import Workflows

/// Target gain against the rise of the source loss: one point per setting of a sweep with the intervals over seeds, and the frontier.
package struct FrontierChart: Chart {
  package let id = "chart-frontier"
  package let title = "Target gain and rise of the source loss"
  let sweep: FinetuneSweep
  private let settings: [FinetuneSweep.Setting]

  /// Nil without settings.
  package init?(_ sweep: FinetuneSweep) {
    self.sweep = sweep
    settings = sweep.settings.filter { $0.gain.value.isFinite && $0.rise.value.isFinite }
    if settings.isEmpty { return nil }
  }

  package var sentence: String {
    let frontier = settings.filter(\.isOnFrontier)
    var text =
      "\(Number.count(settings.count, "setting")) of \(Number.count(methods.count, "method")), each the mean over \(seeds). "
    text += "On the frontier, where no other setting gains more and forgets less: "
    text += Compare.list(frontier.sorted { $0.rise.value < $1.rise.value }.map { Self.name($0) }) + "."
    for setting in settings where setting.isChosen {
      text += " Of \(setting.method)’s settings with a target gain, \(Self.knobs(setting)) forgets least: "
      text += "gain \(Self.mean(setting.gain)), rise \(Self.mean(setting.rise)) nats/token."
    }
    return text
  }

  private var methods: [String] {
    settings.reduce(into: []) { names, setting in if !names.contains(setting.method) { names.append(setting.method) } }
  }

  private var seeds: String {
    let counts = Set(settings.map(\.runs)).sorted()
    guard let least = counts.first, let most = counts.last else { return "" }
    return least == most ? Number.count(most, "seed") : "\(least) to \(most) seeds"
  }

  private static func knobs(_ setting: FinetuneSweep.Setting) -> String {
    let strength = setting.strength.map { "strength\(Number.gap)\(Number.trimmed($0, 4)), " } ?? ""
    return strength + "lr\(Number.gap)\(Number.trimmed(setting.learningRate, 7))"
  }

  private static func name(_ setting: FinetuneSweep.Setting) -> String { "\(setting.method) (\(knobs(setting)))" }

  private static func mean(_ mean: FinetuneSweep.Mean) -> String {
    Number.fixed(mean.value, 3) + (mean.error.map { "\(Number.gap)±\(Number.gap)\(Number.fixed($0, 3))" } ?? "")
  }

  package let width = 760.0

  private static let styles: [(color: Int, shape: SVG.Shape)] = [
    (1, .square), (2, .circle), (3, .diamond), (4, .triangle), (5, .square), (6, .circle), (1, .diamond), (2, .triangle),
  ]

  package func draw(width: Double) -> SVG {
    let isSlim = SVG(width: width, height: 0).isSlim, methods = methods
    let styles = Dictionary(methods.enumerated().map { ($1, Self.styles[$0 % Self.styles.count]) }) { $1 }
    let names = methods.map { (shape: styles[$0]?.shape ?? .circle, style: "f\(styles[$0]?.color ?? 0)", name: $0) }
    let legend = SVG.legendHeight(methods, width: width) + 24
    var plot = Plot(
      width: width, height: 400 + legend, left: isSlim ? 44 : 56, right: isSlim ? 8 : 24, top: isSlim ? 48 : 34, bottom: 44 + legend)
    func ends(_ mean: FinetuneSweep.Mean) -> [Double] { [mean.value - (mean.error ?? 0), mean.value + (mean.error ?? 0)] }
    let across = Scale(settings.flatMap { ends($0.rise) } + [0], pixels: plot.across, padding: 0.06)
    let up = Scale(settings.flatMap { ends($0.gain) } + [0], pixels: plot.upward, padding: 0.06)
    plot.horizontal(across, title: "rise of the source loss, nats/token", format: { Number.trimmed($0, 3) })
    plot.vertical(up, title: "target gain, nats/token; upper left is better", format: { Number.trimmed($0, 3) })
    plot.svg.line(across(0), plot.top, across(0), plot.bottom, "guide")
    plot.svg.line(plot.left, up(0), plot.right, up(0), "guide")
    let frontier = settings.filter(\.isOnFrontier).sorted { ($0.rise.value, $0.gain.value) < ($1.rise.value, $1.gain.value) }
    plot.svg.path(frontier.map { (across($0.rise.value), up($0.gain.value)) }, "l0 thin")
    for setting in settings {
      let style = styles[setting.method] ?? (0, .circle), x = across(setting.rise.value), y = up(setting.gain.value)
      if setting.rise.error != nil {
        plot.svg.line(across(ends(setting.rise)[0]), y, across(ends(setting.rise)[1]), y, "l\(style.color) thin")
      }
      if setting.gain.error != nil { plot.svg.line(x, up(ends(setting.gain)[0]), x, up(ends(setting.gain)[1]), "l\(style.color) thin") }
    }
    for setting in settings {
      let style = styles[setting.method] ?? (0, .circle), x = across(setting.rise.value), y = up(setting.gain.value)
      let tip =
        "\(Self.name(setting)), \(Number.count(setting.runs, "seed"))\ngain \(Self.mean(setting.gain)), rise \(Self.mean(setting.rise))"
      plot.svg.mark(style.shape, x, y, setting.isChosen ? 13 : 9, "\(setting.isOnFrontier ? "f" : "o")\(style.color)", tip: tip)
    }
    var placer = LabelPlacer(
      frame: .init(plot.left, plot.top - 8, width - plot.left, plot.bottom - plot.top + 8),
      marks: settings.map { (across($0.rise.value), up($0.gain.value)) })
    for setting in settings.filter(\.isChosen) + settings.filter({ $0.isOnFrontier && !$0.isChosen }) {
      let text = setting.isChosen ? Self.name(setting) : Self.knobs(setting)
      guard let (x, y) = placer.place(text, beside: (across(setting.rise.value), up(setting.gain.value))) else { continue }
      plot.svg.text(x, y, text, "\(setting.isChosen ? "bold" : "small") t\(styles[setting.method]?.color ?? 0)")
    }
    plot.svg.legend(names, x: plot.left, y: plot.bottom + 58)
    return plot.svg
  }
}
