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
    /// The probability with which the loader draws the cluster; the weights sum to 1.
    public var weight: Double
    /// Windows of the dataset in the cluster.
    public var windows: Int
    /// Tokens of the dataset in the cluster.
    public var tokens: Int
    /// Expected passes over the cluster in a run of `tokens` tokens.
    public var epochs: Double
    /// A bootstrap interval of P(c|Ds) after smoothing, over resampled documents of the seed; nil = not asked for, or 0 throughout.
    package var seedLow: Double?
    /// Its upper end.
    package var seedHigh: Double?

    /// Creates a cluster's share.
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
  /// The fingerprint of the dataset it draws from.
  public var dataset: String
  /// The fingerprint of the cluster tree.
  public var tree: String
  /// The fingerprint of the cluster assignment.
  package var assignment: String
  /// The seed data's name and fingerprint; empty for uniform.
  package var seedData: String
  /// Levels of the tree that were used.
  package var depth: Int
  /// The pseudo-count of the back-off along the tree, 0 = the paper.
  package var smoothing: Double
  /// The cap on expected epochs; nil = none.
  public var maxEpochs: Double?
  /// Tokens of the run the epochs are expected for.
  public var runTokens: Int
  /// Share of probability that the cap moved elsewhere.
  package var moved: Double
  /// Kish's effective sample size, in windows.
  package var effectiveSampleSize: Double
  /// One entry per leaf, ordered by leaf.
  public var clusters: [Cluster]

  /// What wrote it, with its version; nil in files of earlier versions.
  package var tool: String?
  /// The fingerprint of the dataset that is drawn from, where it is not `dataset`: the seed's own (`specialist`).
  package var source: String?
  /// The seeds, one a task.
  package var seeds: [Seed]?
  /// What the method was told beyond the members above, by flag.
  package var settings: [String: String]?
  /// Resamples behind the intervals of `clusters`.
  package var resamples: Int?

  /// One seed of the combination.
  package struct Seed: Sendable, Codable, Equatable {
    /// The file.
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

    /// Creates a seed's entry.
    package init(name: String, fingerprint: String, weight: Double, documents: Int, windows: Int, tokens: Int) {
      self.name = name
      self.fingerprint = fingerprint
      self.weight = weight
      self.documents = documents
      self.windows = windows
      self.tokens = tokens
    }
  }

  /// Creates a mixture.
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
