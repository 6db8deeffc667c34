extension RunSummary {
  /// One model continued on everything against one per domain, at equal compute.
  package struct Split: Sendable, Codable, Equatable {
    /// The exponential of the mean log-loss over all domains.
    package var meanPerplexity: FullAndSplit?
    /// Each domain's own numbers.
    package var byDomain: [Domain]?
    /// Tokens of the shared trunk, D.
    package var trunkTokens: Double?
    /// Tokens of each branch, D'.
    package var branchTokens: Double?
    /// Tokens the full model was continued for; equal compute is claimed where they equal those of all branches together.
    package var fullTokens: Double?
    /// How a text finds its model.
    package var router: String?

    /// Creates the value; what is not given is not known.
    package init(
      meanPerplexity: FullAndSplit? = nil, byDomain: [Domain]? = nil, trunkTokens: Double? = nil, branchTokens: Double? = nil,
      fullTokens: Double? = nil, router: String? = nil
    ) {
      self.meanPerplexity = meanPerplexity
      self.byDomain = byDomain
      self.trunkTokens = trunkTokens
      self.branchTokens = branchTokens
      self.fullTokens = fullTokens
      self.router = router
    }

    private enum CodingKeys: String, CodingKey {
      case router
      case meanPerplexity = "mean_perplexity"
      case byDomain = "by_domain"
      case trunkTokens = "trunk_tokens"
      case branchTokens = "branch_tokens"
      case fullTokens = "full_tokens"
    }
  }

  /// A number for the full model and one for the split.
  package struct FullAndSplit: Sendable, Codable, Equatable {
    /// One model on everything.
    package var full: Double?
    /// One model per domain.
    package var split: Double?

    /// Creates the value; what is not given is not known.
    package init(full: Double? = nil, split: Double? = nil) {
      self.full = full
      self.split = split
    }

    private enum CodingKeys: String, CodingKey {
      case full, split
    }
  }

  /// One domain of the split.
  package struct Domain: Sendable, Codable, Equatable {
    /// The domain's name or number.
    package var name: String?
    /// Its top terms.
    package var terms: [String]?
    /// Held-out windows.
    package var windows: Double?
    /// Perplexity of the full model.
    package var full: Double?
    /// Perplexity of the split.
    package var split: Double?
    /// Specialisation tokens of the domain.
    package var tokens: Double?

    /// Creates the value; what is not given is not known.
    package init(
      name: String? = nil, terms: [String]? = nil, windows: Double? = nil, full: Double? = nil, split: Double? = nil,
      tokens: Double? = nil
    ) {
      self.name = name
      self.terms = terms
      self.windows = windows
      self.full = full
      self.split = split
      self.tokens = tokens
    }

    private enum CodingKeys: String, CodingKey {
      case name, terms, windows, full, split, tokens
    }
  }
}
