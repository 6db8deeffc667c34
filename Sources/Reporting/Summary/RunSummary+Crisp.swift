extension RunSummary {
  /// Clustered-importance sampling against its baselines, at the same tokens.
  package struct Crisp: Sendable, Codable, Equatable {
    /// The seed's name.
    package var seed: String?
    /// Tokens of each continuation.
    package var tokens: Double?
    /// Perplexity on the seed's held-out text.
    package var seedPerplexity: Methods?
    /// Perplexity on other general text.
    package var generalPerplexity: Methods?
    /// Further methods beside the four, such as `dsir`.
    package var others: [Method]?
    /// Share of the seed's domain in what CRISP draws, where a hidden label tells.
    package var domainShareInDraw: Double?
    /// Share of the seed's domain in the corpus.
    package var domainShareInCorpus: Double?

    /// Creates the value; what is not given is not known.
    package init(
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
  package struct Methods: Sendable, Codable, Equatable {
    /// The model all continue from.
    package var base: Double?
    /// Continued on the general corpus as it is.
    package var uniform: Double?
    /// Continued on the seed alone, repeated.
    package var specialist: Double?
    /// Continued on the CRISP mixture.
    package var crisp: Double?

    /// Creates the value; what is not given is not known.
    package init(base: Double? = nil, uniform: Double? = nil, specialist: Double? = nil, crisp: Double? = nil) {
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
  package struct Method: Sendable, Codable, Equatable {
    /// Its name.
    package var name: String?
    /// Perplexity on the seed's held-out text.
    package var seedPerplexity: Double?
    /// Perplexity on general text.
    package var generalPerplexity: Double?

    /// Creates the value; what is not given is not known.
    package init(name: String? = nil, seedPerplexity: Double? = nil, generalPerplexity: Double? = nil) {
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
