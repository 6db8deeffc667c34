/// What several charts and tables ask of a cluster.
enum ClusterNumbers {
  /// The nodes that no other node descends from.
  /// - Complexity: O(n · depth).
  static func leaves(of clusters: [RunSummary.Cluster]) -> [RunSummary.Cluster] {
    var parents: Set<[Int]> = []
    for path in clusters.compactMap(\.path) {
      for length in 0..<path.count { parents.insert(Array(path.prefix(length))) }
    }
    return clusters.filter { $0.path.map { !parents.contains($0) } ?? true }
  }

  /// Seed share over general share; the corpus's share stands in where the mixture gives none.
  static func enrichment(_ cluster: RunSummary.Cluster) -> Double? {
    guard let seed = cluster.seedShare.finite, let general = cluster.generalShare.positive ?? cluster.share.positive else { return nil }
    return seed / general
  }

  /// 0 none of the seed, 1 below a half, 2 about the same (or unknown), 3, 4, 5 above 2, 4, 16.
  static func enrichmentClass(_ cluster: RunSummary.Cluster) -> Int {
    guard let value = enrichment(cluster) else { return 2 }
    return value <= 0 ? 0 : value < 0.5 ? 1 : value < 2 ? 2 : value < 4 ? 3 : value < 16 ? 4 : 5
  }

  /// The node's path, `3/12`.
  static func name(_ cluster: RunSummary.Cluster) -> String {
    let path = cluster.path ?? []
    return path.isEmpty ? "root" : path.map(String.init).joined(separator: "/")
  }

  /// Path and top terms.
  static func tip(_ cluster: RunSummary.Cluster) -> String {
    var lines = ["\(name(cluster)): \((cluster.terms ?? []).prefix(8).joined(separator: ", "))"]
    lines.append("\(Number.compact(cluster.tokens)) tokens, \(Number.compact(cluster.windows)) windows")
    if let seed = cluster.seedShare.finite {
      lines.append("seed \(Number.percent(seed)), corpus \(Number.percent(cluster.generalShare ?? cluster.share))")
    }
    if let weight = cluster.weight.finite {
      lines.append("drawn \(Number.percent(weight)), epochs \(Number.epochs(cluster.expectedEpochs))")
    }
    if let purity = cluster.purity.finite { lines.append("\(Number.percent(purity)) \(cluster.domain ?? "of its commonest label")") }
    return lines.joined(separator: "\n")
  }
}
