import Artifacts
import Clustering

/// A node of the cluster tree: its contents, and what a mixture samples from it.
package struct Cluster: Sendable {
  /// Child numbers from the root down.
  package var path: [Int]
  package var node: ClusterReport.Node
  /// The cluster in the mixture; nil for inner nodes, and without a mixture.
  package var sampled: Mixture.Cluster?

  /// All nodes below the root.
  package static func all(of report: ClusterReport, mixture: Mixture?) -> [Cluster] {
    var paths: [Int: [Int]] = [:]
    var children: [Int: Int] = [:]
    return report.nodes.compactMap { node in
      guard node.parent >= 0 else { return nil }
      let path = paths[node.parent, default: []] + [children[node.parent, default: 0]]
      paths[node.node] = path
      children[node.parent, default: 0] += 1
      return Cluster(path: path, node: node, sampled: mixture?.clusters.first { $0.leaf == node.leaf })
    }
  }

  /// The clusters of a mixture by itself, without the tree that they are leaves of.
  package static func all(of mixture: Mixture) -> [Cluster] {
    mixture.clusters.map { cluster in
      let node = ClusterReport.Node(leaf: cluster.leaf, windows: cluster.windows, tokens: cluster.tokens, share: cluster.general)
      // Without a specialist seed, `seed` repeats the corpus.
      var sampled = cluster
      if mixture.seedData.isEmpty { sampled.seed = .nan }
      return Cluster(path: [cluster.leaf], node: node, sampled: sampled)
    }
  }

  /// The child numbers, such as `3/12`.
  var name: String { path.map(String.init).joined(separator: "/") }
  var terms: [String] { node.terms.map(\.word) }
  /// P(c|Ds): the cluster's share of the specialist seed.
  var specialistShare: Double? { sampled.flatMap { $0.seed.finite } }
  /// P(c|Dg): the cluster's share of the corpus.
  var generalShare: Double { sampled.flatMap { $0.general.finite } ?? node.share.finite ?? 0 }

  /// P(c|Ds) / P(c|Dg); nil without a mixture, or if the corpus has nothing in the cluster.
  var enrichment: Double? {
    guard let specialistShare, let general = generalShare.positive else { return nil }
    return specialistShare / general
  }

  /// The color class of the enrichment: 0 for none of the specialist seed, 1 below ½, 2 up to 2 or unknown, 3 up to 4, 4 up to 16, 5 above.
  var enrichmentClass: Int {
    guard let enrichment else { return 2 }
    return enrichment <= 0 ? 0 : enrichment < 0.5 ? 1 : enrichment < 2 ? 2 : enrichment < 4 ? 3 : enrichment < 16 ? 4 : 5
  }

  /// The tooltip.
  var description: String {
    var lines = ["\(name): \(terms.prefix(8).joined(separator: ", "))"]
    lines.append("\(Number.compact(node.tokens)) tokens, \(Number.integer(node.windows)) windows")
    if let specialistShare { lines.append("specialist seed \(Number.percent(specialistShare)), corpus \(Number.percent(generalShare))") }
    if let sampled { lines.append("mixture \(Number.percent(sampled.weight)), \(Number.epochs(sampled.epochs)) epochs") }
    if let purity = node.purity, let label = node.labels.first?.label { lines.append("\(Number.percent(purity)) \(label)") }
    return lines.joined(separator: "\n")
  }
}

extension [Cluster] {
  /// The clusters that no other one descends from.
  var leaves: [Cluster] {
    let parents = Set(map(\.node.parent))
    return filter { !parents.contains($0.node.node) }
  }
}
