import Artifacts

/// The shares of the specialist seed and of the corpus per cluster, as paired bars sorted by enrichment, with the mixture's weight and expected
/// epochs.
package struct HistogramChart: Chart {
  package let id = "chart-histogram"
  package let title = "Specialist seed and corpus by cluster, most enriched first"
  let leaves: [Cluster]
  let mixture: Mixture

  /// The most rows; the remaining clusters are summed in one.
  static let limit = 20

  /// Nil if no leaf has a share of the specialist seed.
  package init?(_ clusters: [Cluster], mixture: Mixture) {
    leaves = clusters.leaves.filter { $0.specialistShare != nil }
      .sorted { ($1.enrichment ?? 0, $1.specialistShare ?? 0) < ($0.enrichment ?? 0, $0.specialistShare ?? 0) }
    self.mixture = mixture
    if leaves.isEmpty { return nil }
  }

  package var sentence: String {
    var (seed, general, count) = (0.0, 0.0, 0)
    for leaf in leaves.sorted(by: { ($1.specialistShare ?? 0) < ($0.specialistShare ?? 0) }) where seed < 0.5 {
      seed += leaf.specialistShare ?? 0
      general += leaf.generalShare
      count += 1
    }
    var text = count == 1 ? "One of \(leaves.count) clusters holds " : "\(count) of \(leaves.count) clusters hold "
    text += "\(Number.percent(seed)) of the specialist seed and \(Number.percent(general)) of the corpus."
    let empty = leaves.filter { ($0.specialistShare ?? 0) <= 0 }.count
    if empty > 0 { text += " \(Number.count(empty, "cluster")) \(empty == 1 ? "holds" : "hold") none of the specialist seed." }
    text += " The mixture expects at most \(Number.epochs(mixture.largestEpochs)) epochs over any cluster"
    if mixture.maxEpochs != nil {
      text +=
        mixture.moved > 0 ? "; the cap on epochs moved \(Number.percent(mixture.moved)) of the weight" : "; the cap on epochs did not apply"
    }
    return text + "."
  }

  private struct Row { var label: String, seed: Double, general: Double, weight: Double?, epochs: Double?, tip: String, isRest = false }

  private var rows: [Row] {
    let shown = leaves.filter { ($0.specialistShare ?? 0) > 0 || ($0.sampled?.weight ?? 0) > 0 }.prefix(Self.limit)
    var rows = shown.map { leaf in
      Row(
        label: leaf.terms.isEmpty ? leaf.name : leaf.terms.prefix(4).joined(separator: " "), seed: leaf.specialistShare ?? 0,
        general: leaf.generalShare, weight: leaf.sampled?.weight.finite, epochs: leaf.sampled?.epochs.finite, tip: leaf.description)
    }
    let paths = Set(shown.map(\.path))
    let rest = leaves.filter { !paths.contains($0.path) }
    if !rest.isEmpty {
      func sum(_ value: (Cluster) -> Double?) -> Double { rest.reduce(0) { $0 + (value($1).finite ?? 0) } }
      rows.append(
        Row(
          label: "\(rest.count) other clusters", seed: sum { $0.specialistShare }, general: sum { $0.generalShare },
          weight: sum { $0.sampled?.weight }, epochs: nil, tip: "\(rest.count) other clusters, summed", isRest: true))
    }
    return rows
  }

  package func draw() -> SVG {
    let rows = rows
    let pitch = 24.0
    var plot = Plot(width: 960, height: 74 + pitch * Double(rows.count), left: 270, right: 110, top: 34, bottom: 40)
    let scale = Scale(
      rows.filter { !$0.isRest }.flatMap { [$0.seed, $0.general, $0.weight ?? 0] }, pixels: plot.across, includingZero: true)
    plot.horizontal(scale, title: "share of tokens", format: { Number.tickPercent($0) })
    plot.svg.legend([(.square, "f2", "specialist seed"), (.square, "f1", "corpus"), (.diamond, "o0", "mixture")], x: plot.left, y: 22)
    plot.svg.text(960, 22, "expected epochs", "label", anchor: .end)
    for (index, row) in rows.enumerated() {
      let y = plot.top + pitch * Double(index) + 3
      let label = TextMetrics.fit(row.label, into: plot.left - 14, size: 12)
      plot.svg.text(plot.left - 10, y + 13, label, row.isRest ? "soft" : "", anchor: .end)
      guard !row.isRest else {
        // A bar for the sum would dwarf all others.
        var text = "specialist seed \(Number.percent(row.seed)), corpus \(Number.percent(row.general))"
        if let weight = row.weight { text += ", mixture \(Number.percent(weight))" }
        plot.svg.text(plot.left + 6, y + 13, text, "soft")
        continue
      }
      plot.svg.rectangle(plot.left, y, scale(row.seed) - plot.left, 8, "f2", tip: row.tip)
      plot.svg.rectangle(plot.left, y + 9, scale(row.general) - plot.left, 8, "f1", tip: row.tip)
      if let weight = row.weight { plot.svg.mark(.diamond, scale(weight), y + 8.5, 8, "o0", tip: row.tip) }
      if let epochs = row.epochs { plot.svg.text(960, y + 13, Number.epochs(epochs), "", anchor: .end) }
    }
    return plot.svg
  }
}
