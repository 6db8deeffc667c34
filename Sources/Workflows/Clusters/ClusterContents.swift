import Artifacts
import Clustering
import Documents
import Pipeline
import Tokenization
import Tokens

/// The contents of the clusters of a dataset: sizes, terms, sample texts, labels.
package enum ClusterContents {
  /// - Parameters:
  ///   - depth: the levels of the tree to describe; nil for all.
  ///   - samples: texts per cluster.
  package static func report(
    dataset: TokenDataset, tree: StoredTree, depth: Int? = nil, samples: Int = 0, progress: Progress = .silent
  ) throws -> ClusterReport {
    let assignment = try dataset.assignment(to: tree)
    let tokenizer = try dataset.openTokenizer()
    var labels: [String?] = []
    try dataset.forEachInfo { _, info in
      labels.append(Document.label(members: info.members, source: info.source))
      return true
    }
    var configuration = ClusterShow.Configuration()
    configuration.depth = depth
    configuration.samples = samples
    return try ClusterShow.report(
      tree: tree.tree, assignment: assignment, lengths: dataset.windowLengths,
      vectors: dataset.vectors(embedder: tree.tree.embedder), configuration: configuration,
      text: { tokenizer.decode(try dataset.tokens(window: $0).map { UInt32($0) }.filter { $0 != UInt32(dataset.endOfDocument) }) },
      label: { labels[dataset.window($0).document] }, progress: progress)
  }

  /// Terms that distinguish each node of a level from its parent.
  package static func terms(dataset: TokenDataset, tree: StoredTree, level: Int, progress: Progress = .silent) throws -> [[String]] {
    let report = try report(dataset: dataset, tree: tree, depth: level, progress: progress)
    return tree.tree.nodes(atLevel: level).map { node in report.nodes.first { $0.node == node }?.terms.prefix(4).map { $0.word } ?? [] }
  }
}
