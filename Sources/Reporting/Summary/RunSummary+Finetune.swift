extension RunSummary {
  /// Direct finetuning against label annealing.
  package struct Finetune: Sendable, Codable, Equatable {
    /// Before finetuning.
    package var base: FinetunePoint?
    /// Direct finetuning, chosen on validation.
    package var direct: FinetunePoint?
    /// Label annealing, chosen on validation.
    package var anneal: FinetunePoint?
    /// Every run of the sweep.
    package var points: [FinetunePoint]?

    /// Creates the value; what is not given is not known.
    package init(base: FinetunePoint? = nil, direct: FinetunePoint? = nil, anneal: FinetunePoint? = nil, points: [FinetunePoint]? = nil) {
      self.base = base
      self.direct = direct
      self.anneal = anneal
      self.points = points
    }

    private enum CodingKeys: String, CodingKey {
      case base, direct, anneal, points
    }
  }

  /// One finetuned model.
  package struct FinetunePoint: Sendable, Codable, Equatable {
    /// `direct`, `anneal`, `l2`, `replay`, `lora`, ….
    package var method: String?
    /// Weight of the memory term.
    package var lambda: Double?
    /// Temperature of the memory term.
    package var temperature: Double?
    /// Peak learning rate.
    package var learningRate: Double?
    /// Passes over the fine-tuning data.
    package var epochs: Double?
    /// Perplexity on the target's held-out text.
    package var targetPerplexity: Double?
    /// Perplexity on the source's held-out text.
    package var sourcePerplexity: Double?

    /// Creates the value; what is not given is not known.
    package init(
      method: String? = nil, lambda: Double? = nil, temperature: Double? = nil, learningRate: Double? = nil, epochs: Double? = nil,
      targetPerplexity: Double? = nil, sourcePerplexity: Double? = nil
    ) {
      self.method = method
      self.lambda = lambda
      self.temperature = temperature
      self.learningRate = learningRate
      self.epochs = epochs
      self.targetPerplexity = targetPerplexity
      self.sourcePerplexity = sourcePerplexity
    }

    private enum CodingKeys: String, CodingKey {
      case method, lambda, temperature, epochs
      case learningRate = "learning_rate"
      case targetPerplexity = "target_perplexity"
      case sourcePerplexity = "source_perplexity"
    }
  }
}
