import Artifacts

import func Foundation.log

/// Which clusters a mixture upsamples, how often they repeat, and how concentrated the mixture is.
package struct MixtureReport: Sendable, Codable, Equatable {
  /// One cluster.
  package struct Row: Sendable, Codable, Equatable {
    package var leaf: Int
    /// P(c|Ds) as counted.
    package var seed: Double
    /// P(c|Dg).
    package var general: Double
    /// The fraction of the training tokens.
    package var weight: Double
    /// weight / P(c|Dg): the importance weight of CRISP, after smoothing and caps.
    package var importance: Double
    /// Expected epochs.
    package var epochs: Double
    /// Expected tokens of the run.
    package var runTokens: Double

    /// The expected fraction of its tokens that are repeats.
    package var repeatedShare: Double { epochs > 1 ? 1 - 1 / epochs : 0 }
  }

  /// Clusters with a positive weight or seed windows, by descending weight.
  package var rows: [Row]
  /// Clusters with a positive weight.
  package var drawnClusters: Int
  /// All clusters.
  package var clusters: Int
  /// The largest expected epochs over a cluster.
  package var largestEpochs: Double
  /// The cluster with the largest expected epochs.
  package var largestEpochsLeaf: Int
  /// Kish's effective sample size, in windows.
  package var effectiveSampleSize: Double
  /// The probability that moved to other clusters because of the cap, or because a cluster has no text.
  package var moved: Double
  /// The expected fraction of the run's tokens that are repeats.
  package var repeatedShare: Double
  /// Σ weight · ln(weight / P(c|Dg)), in nats: the divergence from the general corpus.
  package var divergence: Double

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
    repeatedShare = rows.reduce(0.0) { $0 + $1.weight * $1.repeatedShare }
    divergence = rows.reduce(0.0) { sum, row in row.weight > 0 && row.general > 0 ? sum + row.weight * log(row.weight / row.general) : sum }
  }
}
