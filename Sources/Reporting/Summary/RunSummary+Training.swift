extension RunSummary {
  /// One training run.
  public struct Training: Sendable, Codable, Equatable {
    /// Its name.
    public var name: String?
    /// The run it continues, none for a base.
    public var parent: String?
    /// Parameters, embeddings included.
    public var parameters: Double?
    /// Tokens seen in this run.
    public var tokens: Double?
    /// FLOPs spent.
    public var flops: Double?
    /// Mean rate.
    public var tokensPerSecond: Double?
    /// Wall seconds.
    public var seconds: Double?
    /// Training loss: `[tokens of this run, nats a token]`.
    public var loss: [Point]?
    /// Validation loss, the same way.
    public var validation: [Point]?

    /// Creates the value; what is not given is not known.
    public init(
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
