import Primitives

/// The configuration of a training run, except for its data and its initial model. Runs with equal configuration, data and initial model
/// are equal.
package struct TrainingConfiguration: Codable, Sendable, Equatable {
  /// Tokens to train on, rounded up to whole batches; nil to use `steps`.
  package var tokens: Int?
  /// Steps to train for if `tokens` is nil.
  package var steps: Int?
  /// The peak learning rate.
  package var learningRate = 3e-3
  package var schedule = LearningRateSchedule.wsd
  /// Fraction of the steps in which the learning rate rises linearly to its peak.
  package var warmup = 0.02
  /// Fraction of the steps in which `wsd` decays.
  package var decay = 0.2
  /// The final learning rate as a fraction of the peak (`wsd`, `cosine`).
  package var finalRate = 0.0
  /// AdamW's β₁.
  package var beta1 = 0.9
  /// AdamW's β₂.
  package var beta2 = 0.95
  /// AdamW's ε.
  package var epsilon = 1e-8
  /// Weight decay of the layers' matrices; norms and embeddings have none.
  package var weightDecay = 0.1
  /// Gradient clipping: maximum global norm; 0 disables it.
  package var clip = 1.0
  /// Seeds the random initialization.
  package var randomSeed: UInt64 = 0
  /// muP: the width at which the learning rate was tuned (see `WidthScaling`); nil for the standard parametrization.
  package var baseWidth: Int?
  /// muP: the head width at which the learning rate was tuned; nil if heads have the same width in all models.
  package var baseHeadWidth: Int?
  /// Steps between evaluations; 0 to evaluate only at the end.
  package var evaluateEvery = 0
  /// Additional evaluations, each after this number of tokens.
  package var evaluateAt: [Int] = []
  /// Steps between regular checkpoints; 0 for none.
  package var checkpointEvery = 0
  /// Checkpoints to keep permanently, each after this number of tokens; 0 is the initial model.
  package var checkpointAt: [Int] = []
  /// The number of most recent regular checkpoints to keep.
  package var keepLast = 2
  /// Steps between checkpoints that are kept permanently; nil for none.
  package var keepEvery: Int?
  /// Micro-batches per step, to save memory; nil for one.
  package var accumulate: Int?
  /// z-loss: weight of the squared log-partition function (Chowdhery et al. 2204.02311 §5: 1e-4); nil for none.
  package var zLoss: Double?
  /// The precision of matrix products in training; nil for float32.
  package var precision: Precision?
  /// Decay of an exponential moving average of the weights, which is then evaluated and exported; nil for none.
  package var emaDecay: Double?
  /// Label annealing against the initial model; nil for plain cross-entropy.
  package var annealing: Annealing?
  /// Whether the cross-entropy of each token is weighted by the token's probability, a constant for the gradient (DFT, Wu et al. 2508.05629);
  /// with annealing at T = 1, ASFT (2509.23753). nil for false.
  package var weighted: Bool?
  /// L2 regularization toward the initial weights θ0: weight of ½·‖θ − θ0‖² in the loss; 0 for none.
  package var l2 = 0.0
  /// Elastic weight consolidation; nil for none.
  package var ewc: ElasticConsolidation?
  /// Low-rank adaptation of the initial model; nil to train all parameters.
  package var lowRank: LowRank?
  /// Rejected steps in a row that are skipped before the run rolls back.
  package var patience = 3
  /// Which of the evaluated models the run ends with; nil for the last one.
  package var selection: CheckpointSelection?
  /// The settings of the loss guard; nil for the defaults.
  package var lossGuard: LossGuard.Settings?

  enum CodingKeys: String, CodingKey {
    case tokens, steps, learningRate, schedule, warmup, decay, finalRate, beta1, beta2, epsilon, weightDecay, clip, baseWidth, baseHeadWidth
    case evaluateEvery, evaluateAt, checkpointEvery, checkpointAt, keepEvery, accumulate, zLoss, precision, annealing, lowRank, patience
    case weighted, ewc, selection
    case randomSeed = "seed"
    case keepLast = "keep"
    case emaDecay = "average"
    case l2 = "pull"
    case lossGuard = "guarding"
  }

  /// Creates a configuration with default values; set `tokens` or `steps`.
  package init(tokens: Int? = nil, steps: Int? = nil) {
    self.tokens = tokens
    self.steps = steps
  }

  /// Throws `WeirError` with the name of the first invalid property.
  package func validate() throws {
    func require(_ condition: Bool, _ property: String, _ reason: @autoclosure () -> String) throws {
      if !condition { throw WeirError(property, reason()) }
    }
    func notNegative(_ value: Double, _ property: String) throws {
      try require(value >= 0 && value.isFinite, property, "must be a finite number ≥ 0, not \(value)")
    }
    try require((tokens ?? steps ?? 0) > 0, "tokens", "a run needs a positive number of tokens or steps")
    try require(learningRate.isFinite && learningRate > 0, "learningRate", "must be positive, not \(learningRate)")
    for (property, value) in [("warmup", warmup), ("decay", decay), ("finalRate", finalRate)] {
      try require((0...1).contains(value), property, "must be in 0…1, not \(value)")
    }
    // Sums of decimal fractions may exceed 1 by rounding.
    try require(
      schedule != .wsd || warmup + decay < 1 + 1e-9, "warmup", "overlaps the decay: \(warmup) + \(decay) of the steps are more than 1")
    for (property, value) in [("beta1", beta1), ("beta2", beta2)] {
      try require((0..<1).contains(value), property, "must be in 0..<1, not \(value)")
    }
    try require(epsilon > 0, "epsilon", "must be positive, not \(epsilon)")
    for (property, value) in [("weightDecay", weightDecay), ("clip", clip), ("l2", l2)] {
      try notNegative(value, property)
    }
    for (property, value) in [("evaluateEvery", evaluateEvery), ("checkpointEvery", checkpointEvery), ("patience", patience)] {
      try require(value >= 0, property, "must not be negative: \(value)")
    }
    for (property, value) in [
      ("baseWidth", baseWidth), ("baseHeadWidth", baseHeadWidth), ("keepLast", keepLast), ("keepEvery", keepEvery),
      ("accumulate", accumulate),
    ] {
      if let value { try require(value > 0, property, "must be positive, not \(value)") }
    }
    if let zLoss {
      try notNegative(zLoss, "zLoss")
      try require(zLoss == 0 || annealing == nil && !isWeighted, "zLoss", "cannot be combined with label annealing or weighted tokens")
    }
    if let emaDecay { try require((0..<1).contains(emaDecay), "emaDecay", "must be in 0..<1, not \(emaDecay)") }
    try lossGuard?.validate()
    if let ewc { try notNegative(ewc.weight, "ewc") }
    try selection?.validate()
    if let lowRank {
      try lowRank.validate()
      try require(emaDecay == nil, "emaDecay", "cannot be combined with a low-rank adapter")
      try require(l2 == 0, "l2", "cannot be combined with a low-rank adapter, whose factors the weight decay keeps small")
      try require(ewc == nil, "ewc", "cannot be combined with a low-rank adapter, which has no full-size gradients")
    }
    try annealing?.validate()
  }

  /// Whether the cross-entropy of each token is weighted by the token's probability.
  var isWeighted: Bool { weighted ?? false }

  /// Whether the run keeps a copy of the initial weights. With a low-rank adapter, the weights of the base stay as they are.
  var keepsInitialWeights: Bool { l2 > 0 || ewc != nil || annealing != nil && lowRank == nil }

  /// Floating-point operations per token of training, with those of the frozen model. A product with fixed weights has no gradient of
  /// its weights, and the forward pass is one third of training.
  package func flopsPerToken(_ model: ModelConfiguration, context: Int?) -> Double {
    let full = model.flopsPerToken(context: context)
    var flops = full
    if let lowRank { flops = full * 2 / 3 + 6 * Double(lowRank.parameters(model)) }
    // Stored predictions cost one pass over the data, which has as many tokens as one epoch; it is left out.
    return annealing == nil || annealing?.cached != nil ? flops : flops + full / 3
  }

  /// Micro-batches per step.
  var microBatches: Int { accumulate ?? 1 }

  /// The number of steps, with batches of `batchTokens` tokens.
  package func stepCount(batchTokens: Int) -> Int { tokens.map { max(1, ($0 + batchTokens - 1) / batchTokens) } ?? steps ?? 0 }
}
