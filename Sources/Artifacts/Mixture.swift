/// A weight per leaf of a cluster tree, with provenance. A mixture is a small file, not a copy of the data; the loader samples the dataset by it.
public struct Mixture: Sendable, Codable, Equatable {
  /// One cluster's share.
  public struct Cluster: Sendable, Codable, Equatable {
    /// The leaf.
    public var leaf: Int
    /// P(c|Dg), by tokens.
    public var general: Double
    /// P(c|Ds) as counted, before smoothing and caps.
    public var seed: Double
    /// The probability that the loader samples the cluster; the weights sum to 1.
    public var weight: Double
    /// Windows of the dataset in the cluster.
    public var windows: Int
    /// Tokens of the dataset in the cluster.
    public var tokens: Int
    /// Expected passes over the cluster in a run of `tokens` tokens.
    public var epochs: Double
    /// The bootstrap interval of P(c|Ds) after smoothing, over resampled documents of the seed; nil if it was not computed or is always 0.
    package var seedLow: Double?
    /// The upper end of the interval.
    package var seedHigh: Double?

    package init(leaf: Int, general: Double, seed: Double, weight: Double, windows: Int, tokens: Int, epochs: Double) {
      self.leaf = leaf
      self.general = general
      self.seed = seed
      self.weight = weight
      self.windows = windows
      self.tokens = tokens
      self.epochs = epochs
    }
  }

  package static let format: String = "weir.mixture.1"

  package var format: String = Self.format
  /// `crisp`, `uniform`, ….
  public var method: String
  /// The fingerprint of the dataset that the mixture samples from.
  public var dataset: String
  /// The fingerprint of the cluster tree.
  public var tree: String
  /// The fingerprint of the cluster assignment.
  package var assignment: String
  /// Name and fingerprint of the specialist seed; empty for `uniform`.
  package var seedData: String
  /// The levels of the tree that are used.
  package var depth: Int
  /// The pseudo-count for smoothing along the tree; 0 as in the paper.
  package var smoothing: Double
  /// The cap on expected epochs; nil = none.
  public var maxEpochs: Double?
  /// The tokens of the run that `epochs` refers to.
  public var runTokens: Int
  /// The probability mass that the cap moved to other clusters.
  package var moved: Double
  /// Kish's effective sample size, in windows.
  package var effectiveSampleSize: Double
  /// One entry per leaf, ordered by leaf.
  public var clusters: [Cluster]

  /// The tool and its version; nil in files of earlier versions.
  package var tool: String?
  /// The fingerprint of the dataset to sample from, if it is not `dataset`: that of the specialist seed (`specialist`).
  package var source: String?
  /// The specialist seeds, one per task.
  package var seeds: [Seed]?
  /// Other options of the method, by flag.
  package var settings: [String: String]?
  /// The number of bootstrap resamples for the intervals of `clusters`.
  package var resamples: Int?

  /// One specialist seed of a combination.
  package struct Seed: Sendable, Codable, Equatable {
    package var name: String
    /// XXH3-64 of its bytes.
    package var fingerprint: String
    /// Its weight in the combination, all summing to 1.
    public var weight: Double
    /// Documents.
    package var documents: Int
    /// Windows.
    public var windows: Int
    /// Tokens.
    public var tokens: Int

    package init(name: String, fingerprint: String, weight: Double, documents: Int, windows: Int, tokens: Int) {
      self.name = name
      self.fingerprint = fingerprint
      self.weight = weight
      self.documents = documents
      self.windows = windows
      self.tokens = tokens
    }
  }

  package init(
    method: String, dataset: String, tree: String, assignment: String, seedData: String, depth: Int, smoothing: Double,
    maxEpochs: Double?, runTokens: Int, moved: Double, effectiveSampleSize: Double, clusters: [Cluster]
  ) {
    self.method = method
    self.dataset = dataset
    self.tree = tree
    self.assignment = assignment
    self.seedData = seedData
    self.depth = depth
    self.smoothing = smoothing
    self.maxEpochs = maxEpochs
    self.runTokens = runTokens
    self.moved = moved
    self.effectiveSampleSize = effectiveSampleSize
    self.clusters = clusters
  }
}
