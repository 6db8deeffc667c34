import Foundation

/// The cluster tree as a map: a tile for every leaf, as large as its tokens, grouped by the first level, coloured by how much
/// more of the seed than of the corpus falls into it.
package struct ClusterMap: Chart {
  package let id = "chart-clusters"
  package var title: String {
    hasSeed ? "The cluster tree: area is tokens, colour is the seed’s enrichment" : "The cluster tree: area is tokens"
  }
  let leaves: [RunSummary.Cluster]

  /// Whether a seed was assigned to the tree.
  private var hasSeed: Bool { leaves.contains { ClusterNumbers.enrichment($0) != nil } }

  /// Tiles drawn at most; the smallest beyond are drawn as one.
  static let limit = 600

  /// Creates the map; nil where no leaf has tokens.
  package init?(_ clusters: [RunSummary.Cluster]) {
    leaves = ClusterNumbers.leaves(of: clusters).filter { ($0.tokens ?? 0).isFinite && ($0.tokens ?? 0) > 0 }
    if leaves.isEmpty { return nil }
  }

  package var sentence: String {
    let total = leaves.reduce(0) { $0 + ($1.tokens ?? 0) }
    var text = "\(Number.count(leaves.count, "leaf").replacingOccurrences(of: "leafs", with: "leaves")) hold "
    text += "\(Number.compact(total)) tokens, the largest \(Number.percent((leaves.compactMap(\.tokens).max() ?? 0) / total)) of them"
    let enriched = leaves.filter { (ClusterNumbers.enrichment($0) ?? 0) >= 2 }
    let seed = enriched.reduce(0) { $0 + ($1.seedShare.finite ?? 0) }
    let general = enriched.reduce(0) { $0 + ($1.tokens ?? 0) } / total
    if leaves.contains(where: { $0.seedShare.finite != nil }) {
      text +=
        enriched.isEmpty
        ? "; the seed is spread like the corpus, no leaf has twice its share"
        : "; \(enriched.count) of them, \(Number.percent(general)) of the tokens, hold \(Number.percent(seed)) of the seed"
    }
    let known = leaves.filter { $0.purity.finite != nil }
    if !known.isEmpty {
      let weight = known.reduce(0) { $0 + ($1.tokens ?? 0) }
      let purity = known.reduce(0) { $0 + ($1.tokens ?? 0) * ($1.purity ?? 0) } / weight
      text += "; on average \(Number.percent(purity)) of a leaf carries its commonest label"
    }
    return text + "."
  }

  package func draw() -> SVG {
    var svg = SVG(width: 960, height: 548)
    if hasSeed { key(in: &svg) }
    let ranked = leaves.sorted { ($1.tokens ?? 0) < ($0.tokens ?? 0) }
    let shown = Array(ranked.prefix(Self.limit))
    let rest = ranked.dropFirst(Self.limit).reduce(0) { $0 + ($1.tokens ?? 0) }
    // A one-level tree is one group; otherwise the first level's nodes are groups with a wider gap between them.
    let isDeep = shown.contains { ($0.path ?? []).count > 1 }
    let groups = Dictionary(grouping: shown) { isDeep ? $0.path?.first ?? -1 : 0 }.sorted { $0.key < $1.key }
    let weights = groups.map { $0.value.reduce(0) { $0 + ($1.tokens ?? 0) } } + (rest > 0 ? [rest] : [])
    let areas = Treemap.layout(weights, in: hasSeed ? .init(0, 30, 960, 518) : .init(0, 4, 960, 544))
    for (group, area) in zip(groups, areas) {
      let boxes = Treemap.layout(group.value.map { $0.tokens ?? 0 }, in: area.inset(isDeep ? 1.5 : 0))
      for (leaf, box) in zip(group.value, boxes) { tile(leaf, box.inset(0.5), in: &svg) }
    }
    if rest > 0, let area = areas.last {
      let name = "\(leaves.count - shown.count) smaller leaves"
      let box = area.inset(1.5)
      svg.rectangle(box.x, box.y, box.width, box.height, "k0", tip: name)
      svg.text(box.x + 6, box.y + 16, TextMetrics.fit(name, into: box.width - 12, size: 12), "soft")
    }
    return svg
  }

  private func tile(_ leaf: RunSummary.Cluster, _ box: Treemap.Box, in svg: inout SVG) {
    let level = ClusterNumbers.enrichmentClass(leaf)
    svg.rectangle(box.x, box.y, box.width, box.height, "e\(level)", tip: ClusterNumbers.tip(leaf))
    let terms = leaf.terms ?? []
    guard box.width > 44, box.height > 18 else { return }
    let style = level == 5 ? "on5" : "on"
    let rows = max(1, min(Int((box.height - 6) / 14), 4))
    var remaining = terms.isEmpty ? [ClusterNumbers.name(leaf)] : Array(terms.prefix(6))
    for row in 0..<rows {
      guard !remaining.isEmpty else { break }
      let line = TextMetrics.fit(words: remaining, separator: " ", into: box.width - 10, size: 11)
      guard !line.isEmpty else { break }
      svg.text(box.x + 5, box.y + 14 + Double(row) * 14, line, "small \(style)")
      remaining.removeFirst(max(1, line.split(separator: " ").count))
    }
  }

  private func key(in svg: inout SVG) {
    var x = 0.0
    svg.text(x, 13, "seed share ÷ corpus share", "label")
    x += 30 + TextMetrics.width("seed share ÷ corpus share", size: 12)
    for (level, text) in ["none", "below ½", "½ – 2", "2 – 4", "4 – 16", "above 16"].enumerated() {
      svg.rectangle(x, 2, 14, 14, "e\(level)")
      svg.text(x + 19, 13, text, "label")
      x += 34 + TextMetrics.width(text, size: 12)
    }
  }
}
