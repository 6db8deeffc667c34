import ArgumentParser
import Training
import Workflows

/// Options for the shape of a model.
struct ShapeOptions: ParsableArguments {
  static let propertyFlags: PropertyFlags = [
    "preset": "--preset", "modelConfiguration": "--preset", "width": "--width", "layers": "--layers", "heads": "--heads",
    "kvHeads": "--kv-heads", "ffn": "--ffn",
  ]

  @Option(help: ArgumentHelp("Named model size; see weir train --presets.", valueName: "name"))
  var preset: String?

  @Option(help: ArgumentHelp("Hidden size.", valueName: "n"))
  var width: Int?

  @Option(help: ArgumentHelp("Number of layers.", valueName: "n"))
  var layers: Int?

  @Option(help: ArgumentHelp("Number of attention heads.", valueName: "n"))
  var heads: Int?

  @Option(help: ArgumentHelp("Number of key/value heads. (default: --heads)", valueName: "n"))
  var kvHeads: Int?

  @Option(help: ArgumentHelp("Intermediate size of the feed-forward layers.", valueName: "n"))
  var ffn: Int?

  @Flag(help: "Use QK-norm (writes a Qwen 3 model).")
  var qkNorm = false

  var shape: ModelShape {
    var shape = ModelShape()
    shape.preset = preset ?? shape.preset
    (shape.width, shape.layers, shape.heads, shape.kvHeads, shape.ffn, shape.qkNorm) = (width, layers, heads, kvHeads, ffn, qkNorm)
    return shape
  }
}

/// Options for the optimizer, the learning-rate schedule and the batch.
struct ScheduleOptions: ParsableArguments {
  static let propertyFlags: PropertyFlags =
    [
      "learningRate": "--lr", "schedule": "--schedule", "warmup": "--warmup-fraction", "decay": "--decay-fraction",
      "weightDecay": "--weight-decay", "clip": "--grad-clip", "accumulate": "--grad-accum", "precision": "--precision",
      "baseWidth": "--base-width", "baseHeadWidth": "--base-head-width",
    ] + .batch

  @Option(help: ArgumentHelp("Sequence length in tokens.", valueName: "n"))
  var sequence = 256

  @Option(name: .customLong("batch-size"), help: ArgumentHelp("Batch size in sequences.", valueName: "n"))
  var batch = 16

  /// Of training; a trained model starts lower.
  static let trainingRate = 3e-3
  static let finetuningRate = 3e-4

  @Option(
    name: .customLong("lr"),
    help: ArgumentHelp("Peak learning rate. (default: \(trainingRate); weir finetune: \(finetuningRate))", valueName: "rate"))
  var learningRate: Double?

  @Option(help: "Learning-rate schedule: wsd (warmup, stable, decay), cosine, constant.")
  var schedule = LearningRateSchedule.wsd

  @Option(name: .customLong("warmup-fraction"), help: ArgumentHelp("Fraction of the steps for warmup.", valueName: "share"))
  var warmup = 0.02

  @Option(name: .customLong("decay-fraction"), help: ArgumentHelp("Fraction of the steps for the decay of wsd.", valueName: "share"))
  var decay = 0.2

  @Option(help: ArgumentHelp("Weight decay of the weight matrices.", valueName: "x"))
  var weightDecay = 0.1

  @Option(name: .customLong("grad-clip"), help: ArgumentHelp("Gradient clipping: maximum global norm; 0 disables it.", valueName: "norm"))
  var clip = 1.0

  @Option(name: .customLong("grad-accum"), help: ArgumentHelp("Gradient accumulation: micro-batches per batch.", valueName: "n"))
  var accumulate = 1

  @Option(help: "Precision of matrix products: float32, bf16 (needs AVX512-BF16), auto (the faster of the two on this processor).")
  var precision = PrecisionChoice.float32

  @Option(help: "Parametrization: standard, or mup (one learning rate for all widths).")
  var parametrization = Parametrization.standard

  @Option(help: ArgumentHelp("With mup, the hidden size at which --lr was tuned.", valueName: "n"))
  var baseWidth = 64

  @Option(help: ArgumentHelp("With mup, the head size at which --lr was tuned. (default: this model's)", valueName: "n"))
  var baseHeadWidth: Int?

  /// How initialization and learning rates scale with the hidden size.
  enum Parametrization: String, ExpressibleByArgument, CaseIterable {
    case standard, mup
  }

  /// A precision, or `auto` for the fastest on this processor.
  enum PrecisionChoice: String, ExpressibleByArgument, CaseIterable {
    case float32, bf16, auto
    init?(argument: String) { self.init(rawValue: argument == "bfloat16" ? "bf16" : argument) }
  }

  /// The settings of a workflow.
  /// - Parameters:
  ///   - valid: files of held-out documents.
  ///   - rate: the default learning rate.
  func settings(
    tokens: Int? = nil, seed: SeedOption, checkpointEvery: Int = 0, valid: [String] = [], rate: Double = trainingRate
  ) -> TrainingSettings {
    var settings = TrainingSettings(), configuration = TrainingConfiguration(tokens: tokens)
    (configuration.learningRate, configuration.schedule, configuration.weightDecay) = (learningRate ?? rate, schedule, weightDecay)
    (configuration.warmup, configuration.decay, configuration.clip) = (warmup, decay, clip)
    (configuration.randomSeed, configuration.checkpointEvery) = (seed.seed, checkpointEvery)
    if precision == .bf16 || precision == .auto && Precision.fastest == .bf16 { configuration.precision = .bf16 }
    if accumulate != 1 { configuration.accumulate = accumulate }
    if parametrization == .mup { (configuration.baseWidth, configuration.baseHeadWidth) = (baseWidth, baseHeadWidth) }
    settings.training = configuration
    (settings.rows, settings.sequence, settings.heldOut) = (batch, sequence, valid)
    return settings
  }
}

/// Options for training stability and for the moving average of the weights.
struct StabilityOptions: ParsableArguments {
  static let propertyFlags: PropertyFlags = [
    "zLoss": "--z-loss", "emaDecay": "--ema", "deviations": "--spike-threshold", "rollbacks": "--max-rollbacks",
  ]

  @Option(help: ArgumentHelp("Weight of the z-loss (squared log of the softmax normalizer), such as 1e-4.", valueName: "x"))
  var zLoss: Double?

  @Option(
    help: ArgumentHelp(
      "Decay of an exponential moving average of the weights, which is evaluated and written to RUN/model.", valueName: "x"))
  var ema: Double?

  @Flag(name: .customLong("loss-guard"), inversion: .prefixedNo, help: "Roll back if the loss stays high, or is NaN/Inf in several steps.")
  var `guard` = true

  @Option(
    name: .customLong("spike-threshold"),
    help: ArgumentHelp(
      "Skip rare steps, at most 1 %, with a loss this many standard deviations above its moving mean. (default: off)",
      valueName: "x"))
  var spike: Double?

  @Option(name: .customLong("max-rollbacks"), help: ArgumentHelp("Maximum number of rollbacks.", valueName: "n"))
  var rollbacks = LossGuard.Settings().rollbacks

  /// Settings at their defaults stay nil, so that they are absent from `run.json`.
  func apply(to configuration: inout TrainingConfiguration) {
    configuration.zLoss = zLoss
    configuration.emaDecay = ema
    var settings = LossGuard.Settings()
    (settings.deviations, settings.rollbacks) = (spike ?? settings.deviations, rollbacks)
    if !self.guard { settings = .off }
    configuration.lossGuard = settings == LossGuard.Settings() ? nil : settings
  }
}

extension LearningRateSchedule: ExpressibleByArgument {}
