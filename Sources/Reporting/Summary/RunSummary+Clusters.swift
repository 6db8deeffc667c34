extension RunSummary {
  /// One node of the cluster tree, with its numbers in the mixture.
  package struct Cluster: Sendable, Codable, Equatable {
    /// Child numbers from the root down.
    package var path: [Int]?
    /// Windows of the general corpus.
    package var windows: Double?
    /// Tokens of the general corpus.
    package var tokens: Double?
    /// Share of the corpus's tokens.
    package var share: Double?
    /// Share of the commonest hidden label, where there is one.
    package var purity: Double?
    /// The commonest hidden label.
    package var domain: String?
    /// Top terms.
    package var terms: [String]?
    /// P(c|Ds), as counted.
    package var seedShare: Double?
    /// P(c|Dg).
    package var generalShare: Double?
    /// The probability with which it is drawn.
    package var weight: Double?
    /// Expected passes over it.
    package var expectedEpochs: Double?

    /// Creates the value; what is not given is not known.
    package init(
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
  package struct Mixture: Sendable, Codable, Equatable {
    /// `crisp`, `uniform`, ….
    package var method: String?
    /// The seed.
    package var seedData: String?
    /// Levels of the tree used.
    package var depth: Int?
    /// Pseudo-count of the back-off along the tree.
    package var smoothing: Double?
    /// Cap on expected epochs.
    package var maxEpochs: Double?
    /// Tokens the epochs are expected for.
    package var runTokens: Double?
    /// Kish's effective sample size, windows.
    package var effectiveSampleSize: Double?
    /// Largest expected epochs of a cluster.
    package var largestEpochs: Double?
    /// Share of probability that the cap moved elsewhere.
    package var moved: Double?

    /// Creates the value; what is not given is not known.
    package init(
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
