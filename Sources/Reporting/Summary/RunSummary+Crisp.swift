extension RunSummary {
  /// Clustered-importance sampling against its baselines, at the same tokens.
  public struct Crisp: Sendable, Codable, Equatable {
    /// The seed's name.
    public var seed: String?
    /// Tokens of each continuation.
    public var tokens: Double?
    /// Perplexity on the seed's held-out text.
    public var seedPerplexity: Methods?
    /// Perplexity on other general text.
    public var generalPerplexity: Methods?
    /// Further methods beside the four, such as `dsir`.
    public var others: [Method]?
    /// Share of the seed's domain in what CRISP draws, where a hidden label tells.
    public var domainShareInDraw: Double?
    /// Share of the seed's domain in the corpus.
    public var domainShareInCorpus: Double?

    /// Creates the value; what is not given is not known.
    public init(
      seed: String? = nil, tokens: Double? = nil, seedPerplexity: Methods? = nil, generalPerplexity: Methods? = nil,
      others: [Method]? = nil, domainShareInDraw: Double? = nil, domainShareInCorpus: Double? = nil
    ) {
      self.seed = seed
      self.tokens = tokens
      self.seedPerplexity = seedPerplexity
      self.generalPerplexity = generalPerplexity
      self.others = others
      self.domainShareInDraw = domainShareInDraw
      self.domainShareInCorpus = domainShareInCorpus
    }

    private enum CodingKeys: String, CodingKey {
      case seed, tokens, others
      case seedPerplexity = "seed_perplexity"
      case generalPerplexity = "general_perplexity"
      case domainShareInDraw = "domain_share_in_draw"
      case domainShareInCorpus = "domain_share_in_corpus"
    }
  }

  /// One number for each of the four methods.
  public struct Methods: Sendable, Codable, Equatable {
    /// The model all continue from.
    public var base: Double?
    /// Continued on the general corpus as it is.
    public var uniform: Double?
    /// Continued on the seed alone, repeated.
    public var specialist: Double?
    /// Continued on the CRISP mixture.
    public var crisp: Double?

    /// Creates the value; what is not given is not known.
    public init(base: Double? = nil, uniform: Double? = nil, specialist: Double? = nil, crisp: Double? = nil) {
      self.base = base
      self.uniform = uniform
      self.specialist = specialist
      self.crisp = crisp
    }

    private enum CodingKeys: String, CodingKey {
      case base, uniform, specialist, crisp
    }
  }

  /// A further method.
  public struct Method: Sendable, Codable, Equatable {
    /// Its name.
    public var name: String?
    /// Perplexity on the seed's held-out text.
    public var seedPerplexity: Double?
    /// Perplexity on general text.
    public var generalPerplexity: Double?

    /// Creates the value; what is not given is not known.
    public init(name: String? = nil, seedPerplexity: Double? = nil, generalPerplexity: Double? = nil) {
      self.name = name
      self.seedPerplexity = seedPerplexity
      self.generalPerplexity = generalPerplexity
    }

    private enum CodingKeys: String, CodingKey {
      case name
      case seedPerplexity = "seed_perplexity"
      case generalPerplexity = "general_perplexity"
    }
  }
}
