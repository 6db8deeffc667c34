/// Seed against corpus, cluster by cluster: paired bars sorted by enrichment, with what the mixture draws and how often it
/// expects to pass over the cluster.
package struct HistogramChart: Chart {
  package let id = "chart-histogram"
  package let title = "Seed and corpus by cluster, most enriched first"
  let leaves: [RunSummary.Cluster]
  let mixture: RunSummary.Mixture?

  /// Rows drawn at most; the rest is summed in one.
  static let limit = 20

  /// Creates the chart; nil where no leaf has a share of the seed.
  package init?(_ clusters: [RunSummary.Cluster], mixture: RunSummary.Mixture?) {
    leaves = ClusterNumbers.leaves(of: clusters).filter { $0.seedShare.finite != nil }
      .sorted {
        let (a, b) = (ClusterNumbers.enrichment($0) ?? 0, ClusterNumbers.enrichment($1) ?? 0)
        return (b, $1.seedShare ?? 0) < (a, $0.seedShare ?? 0)
      }
    self.mixture = mixture
    if leaves.isEmpty { return nil }
  }

  package var sentence: String {
    let half = leaves.sorted { ($1.seedShare ?? 0) < ($0.seedShare ?? 0) }
    var sum = 0.0
    var count = 0
    for leaf in half where sum < 0.5 {
      sum += leaf.seedShare ?? 0
      count += 1
    }
    let general = half.prefix(count).reduce(0) { $0 + ($1.generalShare.finite ?? $1.share.finite ?? 0) }
    let few = count == 1 ? "One cluster of \(leaves.count) holds" : "\(count) clusters of \(leaves.count) hold"
    var text = "\(few) \(Number.percent(sum)) of the seed and \(Number.percent(general)) of the corpus"
    let empty = leaves.filter { ($0.seedShare ?? 0) <= 0 }.count
    if empty > 0 { text += "; \(empty) hold none of the seed" }
    if let most = leaves.compactMap({ $0.expectedEpochs.finite }).max() ?? mixture?.largestEpochs.finite {
      text += "; no cluster is passed over more than \(Number.factor(most)) times"
    }
    if let moved = mixture?.moved.finite {
      text += moved > 0 ? ", after the cap moved \(Number.percent(moved)) of the draw elsewhere" : ", and the cap moved nothing"
    }
    return text + "."
  }

  /// A row: label, shares, weight, epochs, tooltip.
  private struct Row {
    var label: String, seed: Double, general: Double, weight: Double?, epochs: Double?, tip: String
  }

  private var rows: [Row] {
    var rows = leaves.prefix(Self.limit).map { leaf in
      Row(
        label: leaf.terms.flatMap { $0.isEmpty ? nil : $0.prefix(4).joined(separator: " ") } ?? ClusterNumbers.name(leaf),
        seed: leaf.seedShare ?? 0, general: leaf.generalShare.finite ?? leaf.share.finite ?? 0, weight: leaf.weight.finite,
        epochs: leaf.expectedEpochs.finite, tip: ClusterNumbers.tip(leaf))
    }
    let rest = leaves.dropFirst(Self.limit)
    if !rest.isEmpty {
      let sum = { (key: (RunSummary.Cluster) -> Double?) in rest.reduce(0) { $0 + (key($1).finite ?? 0) } }
      let weighted = rest.contains { $0.weight.finite != nil }
      rows.append(
        Row(
          label: "\(rest.count) further clusters together", seed: sum { $0.seedShare }, general: sum { $0.generalShare ?? $0.share },
          weight: weighted ? sum { $0.weight } : nil, epochs: nil, tip: "\(rest.count) further clusters, summed"))
    }
    return rows
  }

  package func draw() -> SVG {
    let rows = rows
    let pitch = 24.0
    let hasWeight = rows.contains { $0.weight != nil }
    let hasEpochs = rows.contains { $0.epochs != nil }
    var plot = Plot(
      width: 960, height: 74 + pitch * Double(rows.count), left: 270, right: hasEpochs ? 110 : 60, top: 34, bottom: 40)
    let scale = Scale(rows.prefix(Self.limit).flatMap { [$0.seed, $0.general, $0.weight ?? 0] }, pixels: plot.across, includingZero: true)
    plot.horizontal(scale, title: "share of tokens", format: { Number.tickPercent($0) })
    key(hasWeight: hasWeight, plot: &plot)
    if hasEpochs { plot.svg.text(960, 22, "expected epochs", "label", anchor: .end) }
    for (index, row) in rows.enumerated() {
      let y = plot.top + pitch * Double(index) + 3
      let isRest = index == Self.limit
      plot.svg.text(
        plot.left - 10, y + 13, TextMetrics.fit(row.label, into: plot.left - 14, size: 12), isRest ? "soft" : "", anchor: .end)
      guard !isRest else {
        // Their sum would dwarf every bar; three numbers say it as well.
        let drawn = row.weight.map { ", drawn \(Number.percent($0))" } ?? ""
        plot.svg.text(plot.left + 6, y + 13, "seed \(Number.percent(row.seed)), corpus \(Number.percent(row.general))\(drawn)", "soft")
        continue
      }
      plot.svg.rectangle(plot.left, y, scale(row.seed) - plot.left, 8, "f2", tip: row.tip)
      plot.svg.rectangle(plot.left, y + 9, scale(row.general) - plot.left, 8, "f1", tip: row.tip)
      if let weight = row.weight { plot.svg.mark(.diamond, scale(weight), y + 8.5, 8, "o0", tip: row.tip) }
      if let epochs = row.epochs { plot.svg.text(960, y + 13, Number.epochs(epochs), "", anchor: .end) }
    }
    return plot.svg
  }

  private func key(hasWeight: Bool, plot: inout Plot) {
    var x = plot.left
    for (style, text) in [("f2", "seed"), ("f1", "corpus")] {
      plot.svg.rectangle(x, 14, 16, 8, style)
      plot.svg.text(x + 21, 22, text, "label")
      x += 42 + TextMetrics.width(text, size: 12)
    }
    if hasWeight {
      plot.svg.mark(.diamond, x + 6, 18, 8, "o0")
      plot.svg.text(x + 16, 22, "drawn by the mixture", "label")
    }
  }
}
