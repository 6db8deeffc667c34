import Artifacts

/// The shares of the specialist seed and of the corpus per cluster, as paired bars sorted by enrichment, with the mixture's weight and expected
/// epochs.
package struct HistogramChart: Chart {
  package let id = "chart-histogram"
  package var title: String {
    hasSeed ? "Specialist seed and corpus by cluster, most enriched first" : "Mixture and corpus by cluster"
  }
  let leaves: [Cluster]
  let mixture: Mixture

  /// The most rows; the remaining clusters are summed in one.
  static let limit = 20

  /// Nil if no leaf is in the mixture.
  package init?(_ clusters: [Cluster], mixture: Mixture) {
    leaves = clusters.leaves.filter { $0.sampled != nil }.sorted { one, other in
      func rank(_ leaf: Cluster) -> (Double, Double, Double) {
        (leaf.enrichment ?? 0, leaf.specialistShare ?? 0, leaf.sampled?.weight ?? 0)
      }
      return rank(other) < rank(one)
    }
    self.mixture = mixture
    if leaves.isEmpty { return nil }
  }

  private var hasSeed: Bool { leaves.contains { ($0.specialistShare ?? 0) > 0 } }

  package var sentence: String { (hasSeed ? seedSentence : "") + epochsSentence }

  private var seedSentence: String {
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
    return text + " "
  }

  private var epochsSentence: String {
    var text = "The mixture expects at most \(Number.epochs(mixture.largestEpochs)) epochs over any cluster"
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
        label: leaf.terms.isEmpty ? "cluster \(leaf.name)" : leaf.terms.prefix(4).joined(separator: " "), seed: leaf.specialistShare ?? 0,
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

  package func draw(width: Double) -> SVG {
    let rows = rows
    let isSlim = SVG(width: width, height: 0).isSlim
    // On a phone, the name of a cluster is above its bars.
    let (pitch, left, right) = isSlim ? (42.0, 12.0, 52.0) : (24, 270, 110)
    let names = (hasSeed ? ["specialist seed"] : []) + ["corpus", "mixture"]
    let top = 34 + (isSlim ? SVG.legendHeight(names, width: width) + 18 : 0)
    var plot = Plot(width: width, height: top + 40 + pitch * Double(rows.count), left: left, right: right, top: top, bottom: 40)
    let scale = Scale(
      rows.filter { !$0.isRest }.flatMap { [$0.seed, $0.general, $0.weight ?? 0] }, pixels: plot.across, includingZero: true)
    plot.horizontal(scale, title: "share of tokens", count: isSlim ? 4 : 6, format: { Number.tickPercent($0) })
    let styles: [(shape: SVG.Shape, style: String, name: String)] = [
      (.square, "f2", "specialist seed"), (.square, "f1", "corpus"), (.diamond, "o0", "mixture"),
    ]
    plot.svg.legend(hasSeed ? styles : Array(styles.dropFirst()), x: plot.left, y: 14)
    plot.svg.text(width, isSlim ? top - 8 : 14, "expected epochs", "label", anchor: .end)
    for (index, row) in rows.enumerated() {
      let start = plot.top + pitch * Double(index) + 3, y = isSlim ? start + 16 : start
      if isSlim {
        plot.svg.text(
          0, start + 11,
          TextMetrics.fit(words: row.label.split(separator: " ").map(String.init), separator: " ", into: width - 60, size: 12),
          row.isRest ? "soft" : "")
      } else {
        let label = TextMetrics.fit(words: row.label.split(separator: " ").map(String.init), separator: " ", into: plot.left - 14, size: 12)
        plot.svg.text(plot.left - 10, y + 13, label, row.isRest ? "soft" : "", anchor: .end)
      }
      guard !row.isRest else {
        // A bar for the sum would dwarf all others.
        var parts = hasSeed ? ["specialist seed \(Number.percent(row.seed))"] : []
        parts.append("corpus \(Number.percent(row.general))")
        if let weight = row.weight { parts.append("mixture \(Number.percent(weight))") }
        plot.svg.text(plot.left + (isSlim ? 0 : 6), y + 13, parts.joined(separator: ", "), isSlim ? "small soft" : "soft")
        continue
      }
      if hasSeed { plot.svg.rectangle(plot.left, y, scale(row.seed) - plot.left, 8, "f2", tip: row.tip) }
      plot.svg.rectangle(plot.left, y + 9, scale(row.general) - plot.left, 8, "f1", tip: row.tip)
      if let weight = row.weight { plot.svg.mark(.diamond, scale(weight), y + 8.5, 8, "o0", tip: row.tip) }
      if let epochs = row.epochs { plot.svg.text(width, y + 13, Number.epochs(epochs), "", anchor: .end) }
    }
    return plot.svg
  }
}
