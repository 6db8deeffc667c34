import Artifacts
import Pipeline
import Primitives

import func Foundation.log

/// Describes the clusters of a tree: sizes, distinctive words, sample texts, and agreement with labels.
package enum ClusterShow {
  package struct Configuration: Sendable, Codable, Equatable {
    /// Levels of the tree to describe; nil for all.
    package var depth: Int? = nil
    /// Words per node.
    package var terms = 8
    /// Sample texts per node.
    package var samples = 2
    /// Bytes per sample text.
    package var sampleBytes = 160
    /// The most windows per leaf that are sampled for words.
    package var textWindows = 64
    /// Labels per node.
    package var labels = 3
    package var randomSeed: UInt64 = 1

    package init() {}
  }

  /// - Parameters:
  ///   - lengths: [windows] tokens of each window.
  ///   - vectors: nil for no sample texts.
  ///   - text: the text of a window; nil for no words and no sample texts.
  ///   - label: the label of a window, such as its domain.
  /// - Throws: `WeirError` if tree, assignment, lengths and vectors do not belong together.
  package static func report(
    tree: ClusterTree, assignment: ClusterAssignment, lengths: [Int], vectors: WindowVectors? = nil,
    configuration: Configuration = Configuration(), text: ((Int) throws -> [UInt8])? = nil, label: ((Int) throws -> String?)? = nil,
    progress: Progress = .silent
  ) throws -> ClusterReport {
    guard assignment.leafCount == tree.leafCount, assignment.leaves.count == lengths.count else {
      throw WeirError("cluster assignment", "does not belong to this tree and dataset", remedy: "run `weir cluster assign` again")
    }
    if let vectors, vectors.count != lengths.count || vectors.dimensions != tree.dimensions {
      throw WeirError(vectors.path, "does not belong to this tree and dataset", remedy: "run `weir embed` again")
    }
    let index = assignment.index
    let depth = configuration.depth ?? .max
    let shown = tree.nodes.indices.filter { tree.nodes[$0].level <= depth }
    let leafNodes = tree.leafNodes
    // Sums over subtrees, children before parents.
    var windows = [Int](repeating: 0, count: tree.nodes.count)
    var tokens = windows
    for leaf in 0..<index.leafCount {
      windows[leafNodes[leaf]] = index.count(of: leaf)
      tokens[leafNodes[leaf]] = index.windows(of: leaf).reduce(0) { $0 + lengths[Int($1)] }
    }
    for node in tree.nodes.indices.reversed() where tree.nodes[node].parent >= 0 {
      windows[tree.nodes[node].parent] += windows[node]
      tokens[tree.nodes[node].parent] += tokens[node]
    }
    let words = try text.map { try countWords(index, configuration: configuration, text: $0, progress: progress) }
    let labels = try label.map { label in try (0..<lengths.count).map { try label($0) } }
    var report = ClusterReport(
      nodes: [], windows: windows[0], tokens: tokens[0], leaves: index.leafCount,
      emptyLeaves: (0..<index.leafCount).reduce(0) { $0 + (index.count(of: $1) == 0 ? 1 : 0) }, textWindows: words?.texts ?? 0,
      labelled: labels?.reduce(0) { $0 + ($1 == nil ? 0 : 1) } ?? 0, purity: nil, mutualInformation: nil)
    let terms = words.map { telling($0, tree: tree, shown: shown, count: configuration.terms) } ?? [:]
    let nearest =
      try vectors.map { try nearestWindows($0, tree: tree, assignment: assignment, shown: shown, count: configuration.samples) } ?? [:]
    let tables = labels.map { labelTables($0, tree: tree, leaves: assignment.leaves) }
    for node in shown {
      let entry = tree.nodes[node]
      var samples: [ClusterReport.Sample] = []
      if let text {
        for (window, score) in nearest[node] ?? [] {
          let bytes = try text(window).prefix(configuration.sampleBytes).map { $0 < 0x20 ? 0x20 : $0 }
          var sample = String(decoding: bytes, as: UTF8.self)
          if sample.last == "\u{FFFD}" { sample.removeLast() }
          samples.append(ClusterReport.Sample(window: window, score: score, text: sample))
        }
      }
      let table = (tables?[node] ?? [:]).sorted { $0.value != $1.value ? $0.value > $1.value : $0.key < $1.key }
      let labelled = table.reduce(0) { $0 + $1.value }
      report.nodes.append(
        ClusterReport.Node(
          node: node, parent: entry.parent, level: entry.level, leaf: entry.leaf, windows: windows[node], tokens: tokens[node],
          share: tokens[0] > 0 ? Double(tokens[node]) / Double(tokens[0]) : 0, terms: terms[node] ?? [], samples: samples,
          labels: table.prefix(configuration.labels).map { ClusterReport.Label(label: $0.key, windows: $0.value) },
          purity: table.first.map { Double($0.value) / Double(labelled) }))
    }
    if let tables { (report.purity, report.mutualInformation) = agreement(leafNodes.map { tables[$0] }) }
    return report
  }

  /// Counts words in a sample of the windows of each leaf.
  private static func countWords(
    _ index: LeafIndex, configuration: Configuration, text: (Int) throws -> [UInt8], progress: Progress
  ) throws -> (counts: ClusterWords, texts: Int, byLeaf: [Int]) {
    var counts = ClusterWords(clusters: index.leafCount)
    var byLeaf = [Int](repeating: 0, count: index.leafCount)
    let random = CounterRandom(seed: configuration.randomSeed, stream: 0x5357)
    for leaf in 0..<index.leafCount {
      try progress.checkStop()
      progress.update(Double(leaf), of: Double(index.leafCount), unit: "clusters", detail: "words")
      var chosen = Array(index.windows(of: leaf))
      if chosen.count > configuration.textWindows {
        chosen = chosen.map { (random.bits(UInt64($0)), $0) }.sorted { $0 < $1 }.prefix(configuration.textWindows).map(\.1).sorted()
      }
      for window in chosen { counts.add(try text(Int(window)), cluster: leaf) }
      byLeaf[leaf] = chosen.count
    }
    return (counts, byLeaf.reduce(0, +), byLeaf)
  }

  /// For each node except the root, the words with the highest p·ln(p/q), where p is the fraction of its windows with the word and q that of its
  /// parent. Words in most windows of the parent score low by themselves, because the ratio is close to 1. Leaves with more windows than were sampled
  /// do not get more weight.
  private static func telling(
    _ words: (counts: ClusterWords, texts: Int, byLeaf: [Int]), tree: ClusterTree, shown: [Int], count: Int
  ) -> [Int: [ClusterReport.Term]] {
    var nodeWords = [[Int: Int]](repeating: [:], count: tree.nodes.count)
    var nodeTexts = [Int](repeating: 0, count: tree.nodes.count)
    for (leaf, node) in tree.leafNodes.enumerated() {
      nodeWords[node] = words.counts.byCluster[leaf]
      nodeTexts[node] = words.byLeaf[leaf]
    }
    for node in tree.nodes.indices.reversed() where tree.nodes[node].parent >= 0 {
      let parent = tree.nodes[node].parent
      nodeWords[parent].merge(nodeWords[node], uniquingKeysWith: +)
      nodeTexts[parent] += nodeTexts[node]
    }
    var result: [Int: [ClusterReport.Term]] = [:]
    for node in shown where nodeTexts[node] > 0 && tree.nodes[node].parent >= 0 {
      let parent = tree.nodes[node].parent
      var scored: [(score: Double, share: Double, word: [UInt8])] = []
      for (word, windows) in nodeWords[node] {
        // A word in a single window describes that window, not the cluster.
        guard windows > 1 || nodeTexts[node] < 4 else { continue }
        let share = Double(windows) / Double(nodeTexts[node])
        let above = Double(nodeWords[parent][word] ?? windows) / Double(nodeTexts[parent])
        let score = share * log(share / above)
        if score > 0 { scored.append((score, share, words.counts.words[word])) }
      }
      scored.sort { $0.score != $1.score ? $0.score > $1.score : $0.word.lexicographicallyPrecedes($1.word) }
      result[node] = scored.prefix(count).map {
        ClusterReport.Term(word: String(decoding: $0.word, as: UTF8.self), score: $0.score, share: $0.share)
      }
    }
    return result
  }

  /// The windows closest to the centroid of each node, closest first.
  private static func nearestWindows(
    _ vectors: WindowVectors, tree: ClusterTree, assignment: ClusterAssignment, shown: [Int], count: Int
  ) throws -> [Int: [(window: Int, score: Double)]] {
    guard count > 0 else { return [:] }
    let isShown = Set(shown), leafNodes = tree.leafNodes, d = tree.dimensions
    var best: [Int: [(window: Int, score: Double)]] = [:]
    try vectors.withVectors { x in
      for window in 0..<vectors.count {
        var node = leafNodes[Int(assignment.leaves[window])]
        while node >= 0 {
          if isShown.contains(node) {
            var score = 0.0
            for j in 0..<d {
              let (a, b) = (Double(x[window * d + j]), Double(tree.centroids[node * d + j]))
              score += tree.spherical ? a * b : -(a - b) * (a - b)
            }
            var list = best[node] ?? []
            if list.count < count || score > (list.last?.score ?? -.infinity) {
              list.insert((window, score), at: list.firstIndex { $0.score < score } ?? list.count)
              if list.count > count { list.removeLast() }
              best[node] = list
            }
          }
          node = tree.nodes[node].parent
        }
      }
    }
    return best
  }

  /// [nodes] windows by label in the subtree of each node.
  private static func labelTables(_ labels: [String?], tree: ClusterTree, leaves: [UInt32]) -> [[String: Int]] {
    var tables = [[String: Int]](repeating: [:], count: tree.nodes.count)
    let leafNodes = tree.leafNodes
    for (window, label) in labels.enumerated() {
      if let label { tables[leafNodes[Int(leaves[window])]][label, default: 0] += 1 }
    }
    for node in tree.nodes.indices.reversed() where tree.nodes[node].parent >= 0 {
      tables[tree.nodes[node].parent].merge(tables[node], uniquingKeysWith: +)
    }
    return tables
  }

  /// Purity and normalized mutual information of a contingency table with one row per leaf; nil without labels.
  static func agreement(_ rows: [[String: Int]]) -> (purity: Double?, mutualInformation: Double?) {
    let total = rows.reduce(0) { $0 + $1.values.reduce(0, +) }
    guard total > 0 else { return (nil, nil) }
    let n = Double(total)
    var columns: [String: Int] = [:]
    for row in rows { columns.merge(row, uniquingKeysWith: +) }
    // Sorted, so that the sums do not depend on the order of a dictionary.
    func entropy(_ counts: [Int]) -> Double { counts.filter { $0 > 0 }.sorted().reduce(0.0) { $0 - Double($1) / n * log(Double($1) / n) } }
    let rowEntropy = entropy(rows.map { $0.values.reduce(0, +) })
    let columnEntropy = entropy(Array(columns.values))
    let joint = entropy(rows.flatMap { Array($0.values) })
    let purity = Double(rows.reduce(0) { $0 + ($1.values.max() ?? 0) }) / n
    let mean = (rowEntropy + columnEntropy) / 2
    return (purity, mean > 0 ? max(0, rowEntropy + columnEntropy - joint) / mean : 1)
  }
}
