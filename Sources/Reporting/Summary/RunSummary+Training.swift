extension RunSummary {
  /// One training run.
  package struct Training: Sendable, Codable, Equatable {
    /// Its name.
    package var name: String?
    /// The run it continues, none for a base.
    package var parent: String?
    /// Parameters, embeddings included.
    package var parameters: Double?
    /// Tokens seen in this run.
    package var tokens: Double?
    /// FLOPs spent.
    package var flops: Double?
    /// Mean rate.
    package var tokensPerSecond: Double?
    /// Wall seconds.
    package var seconds: Double?
    /// Training loss: `[tokens of this run, nats a token]`.
    package var loss: [Point]?
    /// Validation loss, the same way.
    package var validation: [Point]?

    /// Creates the value; what is not given is not known.
    package init(
      name: String? = nil, parent: String? = nil, parameters: Double? = nil, tokens: Double? = nil, flops: Double? = nil,
      tokensPerSecond: Double? = nil, seconds: Double? = nil, loss: [Point]? = nil, validation: [Point]? = nil
    ) {
      self.name = name
      self.parent = parent
      self.parameters = parameters
      self.tokens = tokens
      self.flops = flops
      self.tokensPerSecond = tokensPerSecond
      self.seconds = seconds
      self.loss = loss
      self.validation = validation
    }

    private enum CodingKeys: String, CodingKey {
      case name, parent, parameters, tokens, flops, seconds, loss, validation
      case tokensPerSecond = "tokens_per_second"
    }
  }
}
