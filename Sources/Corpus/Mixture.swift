/// What to draw: a weight per leaf of a cluster tree, with its provenance. A mixture is a small file, not a copy of the data.
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
    public var seedLow: Double?
    /// Its upper end.
    public var seedHigh: Double?

    /// Creates a cluster's share.
    public init(leaf: Int, general: Double, seed: Double, weight: Double, windows: Int, tokens: Int, epochs: Double) {
      self.leaf = leaf
      self.general = general
      self.seed = seed
      self.weight = weight
      self.windows = windows
      self.tokens = tokens
      self.epochs = epochs
    }
  }

  /// The format's name and version.
  public var format = "weir.mixture.1"
  /// `crisp`, `uniform`, ….
  public var method: String
  /// The fingerprint of the dataset it draws from.
  public var dataset: String
  /// The fingerprint of the cluster tree.
  public var tree: String
  /// The fingerprint of the cluster assignment.
  public var assignment: String
  /// The seed data's name and fingerprint; empty for uniform.
  public var seedData: String
  /// Levels of the tree that were used.
  public var depth: Int
  /// The pseudo-count of the back-off along the tree, 0 = the paper.
  public var smoothing: Double
  /// The cap on expected epochs; nil = none.
  public var maxEpochs: Double?
  /// Tokens of the run the epochs are expected for.
  public var runTokens: Int
  /// Share of probability that the cap moved elsewhere.
  public var moved: Double
  /// Kish's effective sample size, in windows.
  public var effectiveSampleSize: Double
  /// One entry per leaf, ordered by leaf.
  public var clusters: [Cluster]

  /// What wrote it, with its version; nil in files of earlier versions.
  public var tool: String?
  /// The fingerprint of the dataset that is drawn from, where it is not `dataset`: the seed's own (`specialist`).
  public var source: String?
  /// The seeds, one a task.
  public var seeds: [Seed]?
  /// What the method was told beyond the members above, by flag.
  public var settings: [String: String]?
  /// Resamples behind the intervals of `clusters`.
  public var resamples: Int?

  /// One seed of the combination.
  public struct Seed: Sendable, Codable, Equatable {
    /// The file.
    public var name: String
    /// XXH3-64 of its bytes.
    public var fingerprint: String
    /// Its weight in the combination, all summing to 1.
    public var weight: Double
    /// Documents.
    public var documents: Int
    /// Windows.
    public var windows: Int
    /// Tokens.
    public var tokens: Int

    /// Creates a seed's entry.
    public init(name: String, fingerprint: String, weight: Double, documents: Int, windows: Int, tokens: Int) {
      self.name = name
      self.fingerprint = fingerprint
      self.weight = weight
      self.documents = documents
      self.windows = windows
      self.tokens = tokens
    }
  }

  /// Creates a mixture.
  public init(
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
