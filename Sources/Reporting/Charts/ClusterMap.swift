/// The leaf clusters as a treemap: area is tokens, color is enrichment in the specialist seed; grouped by the first level of the tree.
package struct ClusterMap: Chart {
  package let id = "chart-clusters"
  package var title: String {
    hasSeed ? "Leaf clusters: area is tokens, color is enrichment in the specialist seed" : "Leaf clusters: area is tokens"
  }
  let leaves: [Cluster]

  /// The most tiles; smaller leaves are drawn as one.
  static let limit = 600

  /// Nil if no leaf has tokens.
  package init?(_ clusters: [Cluster]) {
    leaves = clusters.leaves.filter { $0.node.tokens > 0 }
    if leaves.isEmpty { return nil }
  }

  private var hasSeed: Bool { leaves.contains { ($0.specialistShare ?? 0) > 0 } }

  package var sentence: String {
    let total = Self.tokens(leaves)
    let largest = leaves.reduce(0) { max($0, Double($1.node.tokens)) }
    var text = "\(Number.count(leaves.count, "leaf cluster")) \(leaves.count == 1 ? "holds" : "hold") \(Number.compact(total)) tokens; "
    text += "the largest has \(Number.percent(largest / total)) of them."
    if hasSeed {
      let enriched = leaves.filter { ($0.enrichment ?? 0) >= 2 }
      let seed = enriched.reduce(0) { $0 + ($1.specialistShare ?? 0) }
      text +=
        enriched.isEmpty
        ? " No cluster is enriched at least twofold in the specialist seed."
        : " The clusters enriched at least twofold (\(enriched.count) of \(leaves.count)) hold "
          + "\(Number.percent(Self.tokens(enriched) / total)) of the tokens and \(Number.percent(seed)) of the specialist seed."
    }
    let labeled = leaves.filter { $0.node.purity.finite != nil }
    if !labeled.isEmpty {
      let purity = labeled.reduce(0) { $0 + Double($1.node.tokens) * ($1.node.purity ?? 0) } / Self.tokens(labeled)
      text += " On average, weighted by tokens, \(Number.percent(purity)) of a cluster’s windows carry its most frequent label."
    }
    return text
  }

  private static func tokens(_ clusters: [Cluster]) -> Double { clusters.reduce(0) { $0 + Double($1.node.tokens) } }

  package func draw(width: Double) -> SVG {
    var svg = SVG(width: width, height: 548)
    let top = hasSeed ? key(in: &svg) + 17 : 4
    let ranked = leaves.sorted { $1.node.tokens < $0.node.tokens }
    let shown = Array(ranked.prefix(Self.limit))
    let rest = Self.tokens(Array(ranked.dropFirst(Self.limit)))
    // A tree of one level is one group; otherwise the nodes of the first level are groups with wider gaps between them.
    let isDeep = shown.contains { $0.path.count > 1 }
    let groups = Dictionary(grouping: shown) { isDeep ? $0.path.first ?? -1 : 0 }.sorted { $0.key < $1.key }
    let weights = groups.map { Self.tokens($0.value) } + (rest > 0 ? [rest] : [])
    let areas = Treemap.layout(weights, in: .init(0, top, width, 548 - top))
    for (group, area) in zip(groups, areas) {
      let boxes = Treemap.layout(group.value.map { Double($0.node.tokens) }, in: area.inset(isDeep ? 1.5 : 0))
      for (leaf, box) in zip(group.value, boxes) { tile(leaf, box.inset(0.5), in: &svg) }
    }
    if rest > 0, let area = areas.last {
      let name = "\(leaves.count - shown.count) smaller clusters"
      let box = area.inset(1.5)
      svg.rectangle(box.x, box.y, box.width, box.height, "k0", tip: name)
      svg.text(box.x + 6, box.y + 16, TextMetrics.fit(name, into: box.width - 12, size: 12), "soft")
    }
    return svg
  }

  private func tile(_ leaf: Cluster, _ box: Treemap.Box, in svg: inout SVG) {
    let level = leaf.enrichmentClass
    svg.rectangle(box.x, box.y, box.width, box.height, hasSeed ? "e\(level)" : "k1", tip: leaf.description)
    guard box.width > 24, box.height > 18 else { return }
    let style = hasSeed && level == 5 ? "on5" : "on"
    let rows = max(1, min(Int((box.height - 6) / 14), 4))
    // Whole words only: half a word says less than the next one that fits, and the tooltip has all.
    let words = (leaf.terms.isEmpty ? [leaf.name] : Array(leaf.terms.prefix(6)))
      .filter { TextMetrics.width($0, size: 11) <= box.width - 10 }
    for (row, line) in TextMetrics.wrap(words.joined(separator: " "), into: box.width - 10, size: 11).prefix(rows).enumerated() {
      svg.text(box.x + 5, box.y + 14 + Double(row) * 14, line, "small \(style)")
    }
  }

  /// - Returns: the baseline of the last line.
  private func key(in svg: inout SVG) -> Double {
    let title = "share of the specialist seed ÷ share of the corpus"
    svg.text(0, 13, title, "label")
    let classes = ["0", "< ½", "½ – 2", "2 – 4", "4 – 16", "> 16"].enumerated()
    let (x, y) = svg.isSlim ? (0, 31.0) : (30 + TextMetrics.width(title, size: 12), 13)
    return svg.legend(classes.map { (.square, "e\($0.offset)", $0.element) }, x: x, y: y)
  }
}
