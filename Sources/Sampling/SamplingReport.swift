import Artifacts

/// A mixture explained: what is drawn more than its share, how often it repeats, and how concentrated the draw is.
package struct SamplingReport: Sendable, Codable, Equatable {
  /// One cluster's line.
  package struct Row: Sendable, Codable, Equatable {
    /// The leaf.
    package var leaf: Int
    /// P(c|Ds) as counted.
    package var seed: Double
    /// P(c|Dg).
    package var general: Double
    /// The share of the training tokens.
    package var weight: Double
    /// weight / P(c|Dg): the importance weight of CRISP after smoothing and caps.
    package var importance: Double
    /// Expected passes.
    package var epochs: Double
    /// Expected tokens of the run.
    package var runTokens: Double
  }

  /// Clusters with a weight or a seed, by descending weight.
  package var rows: [Row]
  /// Clusters with a positive weight.
  package var drawnClusters: Int
  /// Clusters in all.
  package var clusters: Int
  /// The largest expected passes over a cluster, and the cluster.
  package var largestEpochs: Double
  /// The cluster with the largest expected passes.
  package var largestEpochsLeaf: Int
  /// Kish's effective sample size, in windows.
  package var effectiveSampleSize: Double
  /// Share of probability that the cap, or a lack of text, moved to other clusters.
  package var moved: Double
  /// Tokens of the run that are second or later passes, expected.
  package var repeatedShare: Double
  /// Σ weight · ln(weight / P(c|Dg)), in nats: how far the draw is from the general corpus.
  package var divergence: Double

  /// Explains a mixture.
  package init(_ mixture: Mixture) {
    rows = mixture.clusters.filter { $0.weight > 0 || $0.seed > 0 }
      .map { cluster in
        Row(
          leaf: cluster.leaf, seed: cluster.seed, general: cluster.general, weight: cluster.weight,
          importance: cluster.general > 0 ? cluster.weight / cluster.general : 0, epochs: cluster.epochs,
          runTokens: cluster.weight * Double(mixture.runTokens))
      }
      .sorted { $0.weight != $1.weight ? $0.weight > $1.weight : $0.leaf < $1.leaf }
    drawnClusters = mixture.clusters.reduce(0) { $0 + ($1.weight > 0 ? 1 : 0) }
    clusters = mixture.clusters.count
    let most = mixture.clusters.max { $0.epochs < $1.epochs }
    largestEpochs = most?.epochs ?? 0
    largestEpochsLeaf = most?.leaf ?? 0
    effectiveSampleSize = mixture.effectiveSampleSize
    moved = mixture.moved
    repeatedShare = rows.reduce(0.0) { $0 + ($1.epochs > 1 ? $1.weight * (1 - 1 / $1.epochs) : 0) }
    divergence = rows.reduce(0.0) { sum, row in
      row.weight > 0 && row.general > 0 ? sum + row.weight * Elementary.natural(row.weight / row.general) : sum
    }
  }
}
