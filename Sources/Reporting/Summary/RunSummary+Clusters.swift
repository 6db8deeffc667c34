extension RunSummary {
  /// One node of the cluster tree, with its numbers in the mixture.
  public struct Cluster: Sendable, Codable, Equatable {
    /// Child numbers from the root down.
    public var path: [Int]?
    /// Windows of the general corpus.
    public var windows: Double?
    /// Tokens of the general corpus.
    public var tokens: Double?
    /// Share of the corpus's tokens.
    public var share: Double?
    /// Share of the commonest hidden label, where there is one.
    public var purity: Double?
    /// The commonest hidden label.
    public var domain: String?
    /// Top terms.
    public var terms: [String]?
    /// P(c|Ds), as counted.
    public var seedShare: Double?
    /// P(c|Dg).
    public var generalShare: Double?
    /// The probability with which it is drawn.
    public var weight: Double?
    /// Expected passes over it.
    public var expectedEpochs: Double?

    /// Creates the value; what is not given is not known.
    public init(
      path: [Int]? = nil, windows: Double? = nil, tokens: Double? = nil, share: Double? = nil, purity: Double? = nil,
      domain: String? = nil, terms: [String]? = nil, seedShare: Double? = nil, generalShare: Double? = nil, weight: Double? = nil,
      expectedEpochs: Double? = nil
    ) {
      self.path = path
      self.windows = windows
      self.tokens = tokens
      self.share = share
      self.purity = purity
      self.domain = domain
      self.terms = terms
      self.seedShare = seedShare
      self.generalShare = generalShare
      self.weight = weight
      self.expectedEpochs = expectedEpochs
    }

    private enum CodingKeys: String, CodingKey {
      case path, windows, tokens, share, purity, domain, terms, weight
      case seedShare = "seed_share"
      case generalShare = "general_share"
      case expectedEpochs = "expected_epochs"
    }
  }

  /// The mixture as a whole.
  public struct Mixture: Sendable, Codable, Equatable {
    /// `crisp`, `uniform`, ….
    public var method: String?
    /// The seed.
    public var seedData: String?
    /// Levels of the tree used.
    public var depth: Int?
    /// Pseudo-count of the back-off along the tree.
    public var smoothing: Double?
    /// Cap on expected epochs.
    public var maxEpochs: Double?
    /// Tokens the epochs are expected for.
    public var runTokens: Double?
    /// Kish's effective sample size, windows.
    public var effectiveSampleSize: Double?
    /// Largest expected epochs of a cluster.
    public var largestEpochs: Double?
    /// Share of probability that the cap moved elsewhere.
    public var moved: Double?

    /// Creates the value; what is not given is not known.
    public init(
      method: String? = nil, seedData: String? = nil, depth: Int? = nil, smoothing: Double? = nil, maxEpochs: Double? = nil,
      runTokens: Double? = nil, effectiveSampleSize: Double? = nil, largestEpochs: Double? = nil, moved: Double? = nil
    ) {
      self.method = method
      self.seedData = seedData
      self.depth = depth
      self.smoothing = smoothing
      self.maxEpochs = maxEpochs
      self.runTokens = runTokens
      self.effectiveSampleSize = effectiveSampleSize
      self.largestEpochs = largestEpochs
      self.moved = moved
    }

    private enum CodingKeys: String, CodingKey {
      case method, depth, smoothing, moved
      case seedData = "seed_data"
      case maxEpochs = "max_epochs"
      case runTokens = "run_tokens"
      case effectiveSampleSize = "effective_sample_size"
      case largestEpochs = "largest_epochs"
    }
  }
}
