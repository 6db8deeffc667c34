import Foundation
import Primitives

/// How the learning rate runs.
package enum LearningRateSchedule: String, Codable, Sendable, CaseIterable {
  /// Warm-up, stable, then linear decay over the last share of the steps (Hu et al. 2404.06395 §4).
  case wsd
  /// Warm-up, then half a cosine.
  case cosine
  /// Warm-up, then constant: a trunk to branch from.
  case constant
}

/// What a training run is: everything but the data and the model. Two runs of equal configuration, data and initial model are equal.
package struct TrainingConfiguration: Codable, Sendable, Equatable {
  /// Tokens to train on, rounded up to whole batches; nil takes `steps`.
  package var tokens: Int?
  /// Steps to train for where `tokens` is nil.
  package var steps: Int?
  /// The peak learning rate.
  package var learningRate = 3e-3
  /// How it runs.
  package var schedule = LearningRateSchedule.wsd
  /// Share of the steps over which the rate rises from 0.
  package var warmup = 0.02
  /// Share of the steps over which `wsd` decays.
  package var decay = 0.2
  /// The last rate as a share of the peak (`wsd`, `cosine`).
  package var finalRate = 0.0
  /// AdamW's β₁.
  package var beta1 = 0.9
  /// AdamW's β₂.
  package var beta2 = 0.95
  /// AdamW's ε.
  package var epsilon = 1e-8
  /// Weight decay of the layers' matrices; norms and embeddings have none.
  package var weightDecay = 0.1
  /// The largest global norm of the gradient; 0 clips nothing.
  package var clip = 1.0
  /// Seeds the initial parameters.
  package var seed: UInt64 = 0
  /// With muP, the width at which the learning rate was found (see `WidthScaling`); nil is the standard parametrisation.
  package var baseWidth: Int?
  /// With muP, the width of a head there; nil where heads have the same width at every model width.
  package var baseHeadWidth: Int?
  /// Steps between evaluations; 0 evaluates at the end only.
  package var evaluateEvery = 0
  /// Further tokens after which to evaluate.
  package var evaluateAt: [Int] = []
  /// Steps between checkpoints; 0 keeps none on the way.
  package var checkpointEvery = 0
  /// Tokens after which to keep a checkpoint for good, such as the trunk's at several D; 0 keeps the initial model.
  package var checkpointAt: [Int] = []
  /// How many of the regular checkpoints stay.
  package var keep = 2
  /// Steps between checkpoints that stay for good; nil keeps none.
  package var keepEvery: Int?
  /// Micro-batches of whole rows into which a step's batch is cut, for less memory; nil is one.
  package var accumulate: Int?
  /// Factor of the squared log of the softmax's sum in the loss (Chowdhery et al. 2204.02311 §5: 1e-4); nil for none.
  package var zLoss: Double?
  /// The precision of matrix products in training; nil for float32.
  package var precision: Precision?
  /// Decay of a moving average of the weights, which is then what is evaluated and exported; nil for none.
  package var average: Double?
  /// Label annealing against the initial model; nil for plain cross-entropy.
  package var annealing: Annealing?
  /// Factor of ½·‖θ − θ0‖² in the loss; 0 pulls nowhere.
  package var pull = 0.0
  /// Low-rank adaptation of the initial model; nil trains every parameter.
  package var lowRank: LowRank?
  /// Steps in a row that may be passed over, because their loss or gradient is no number or a spike, before the run goes back.
  package var patience = 3
  /// What counts as a spike, and how often the run may go back; nil is the default of `LossGuard.Settings`.
  package var guarding: LossGuard.Settings?

  /// The defaults; set `tokens` or `steps`.
  package init(tokens: Int? = nil, steps: Int? = nil) {
    self.tokens = tokens
    self.steps = steps
  }

  /// Throws where a number is impossible.
  package func validate() throws {
    func require(_ condition: Bool, _ flag: String, _ reason: String) throws {
      if !condition { throw WeirError(flag, reason) }
    }
    try require((tokens ?? steps ?? 0) > 0, "--tokens", "a run needs a positive number of tokens or steps")
    try require(learningRate.isFinite && learningRate > 0, "--lr", "\(learningRate) is not positive")
    try require((0...1).contains(warmup), "--warmup", "\(warmup) is no share of the steps")
    try require((0...1).contains(decay), "--decay", "\(decay) is no share of the steps")
    try require((0...1).contains(finalRate), "--final-rate", "\(finalRate) is no share of the peak")
    try require((0..<1).contains(beta1) && (0..<1).contains(beta2), "--betas", "\(beta1), \(beta2) are not in 0..<1")
    try require(epsilon > 0 && weightDecay >= 0 && clip >= 0 && pull >= 0, "--weight-decay", "a negative ε, decay, clip or pull")
    try require(baseWidth.map { $0 > 0 } ?? true, "--base-width", "must be positive")
    try require(evaluateEvery >= 0 && checkpointEvery >= 0 && patience >= 0, "--checkpoint-every", "a negative interval")
    try require(keep >= 1, "--keep-last", "\(keep) is not at least 1")
    try require(baseHeadWidth.map { $0 > 0 } ?? true, "--base-head-width", "must be positive")
    try require(keepEvery.map { $0 > 0 } ?? true, "--keep-every", "must be positive")
    try require(accumulate.map { $0 > 0 } ?? true, "--accumulate", "must be positive")
    try require(zLoss.map { $0.isFinite && $0 >= 0 } ?? true, "--z-loss", "\(zLoss ?? 0) is no positive weight")
    try require(zLoss ?? 0 == 0 || annealing == nil, "--z-loss", "goes with plain cross-entropy only, not with label annealing")
    try require(average.map { (0..<1).contains($0) } ?? true, "--ema", "\(average ?? 0) is not in 0..<1")
    try guarding?.validate()
    if let lowRank {
      try require(lowRank.rank > 0 && lowRank.rank <= 4_096, "--rank", "\(lowRank.rank) is not in 1…4096")
      try require(lowRank.alpha.isFinite && lowRank.alpha > 0, "--alpha", "\(lowRank.alpha) is not positive")
    }
    if let annealing {
      try require(annealing.lambda >= 0 && annealing.lambda.isFinite, "--lambda", "\(annealing.lambda) is negative")
      try require(annealing.temperature > 0 && annealing.temperature.isFinite, "--temperature", "\(annealing.temperature) is not positive")
    }
  }

  /// Micro-batches of a step.
  var microBatches: Int { accumulate ?? 1 }

  /// Steps of a run whose batches have `batchTokens` tokens.
  package func stepCount(batchTokens: Int) -> Int {
    tokens.map { max(1, ($0 + batchTokens - 1) / batchTokens) } ?? steps ?? 0
  }

  /// The learning rate of step `step` (from 0) of `total`.
  package func rate(step: Int, total: Int) -> Double {
    let rise = Int((warmup * Double(total)).rounded(.up))
    if step < rise { return learningRate * Double(step + 1) / Double(rise) }
    switch schedule {
    case .constant: return learningRate
    case .wsd:
      let fall = Int((decay * Double(total)).rounded())
      guard step >= total - fall else { return learningRate }
      return learningRate * (finalRate + (1 - finalRate) * Double(total - step) / Double(fall + 1))
    case .cosine:
      let way = Double(step - rise) / Double(max(1, total - rise))
      return learningRate * (finalRate + (1 - finalRate) * 0.5 * (1 + cos(Double.pi * way)))
    }
  }
}
