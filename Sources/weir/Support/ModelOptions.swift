import ArgumentParser
import Primitives
import Training

/// The shape of a model.
struct ShapeOptions: ParsableArguments {
  @Option(help: ArgumentHelp("A named shape; weir train --presets lists them.", valueName: "name"))
  var preset: String?

  @Option(help: ArgumentHelp("Width of the residual stream.", valueName: "n"))
  var width: Int?

  @Option(help: ArgumentHelp("Layers.", valueName: "n"))
  var layers: Int?

  @Option(help: ArgumentHelp("Attention heads.", valueName: "n"))
  var heads: Int?

  @Option(help: ArgumentHelp("Heads of keys and values (default: heads).", valueName: "n"))
  var kvHeads: Int?

  @Option(help: ArgumentHelp("Inner width of the feed-forward layers.", valueName: "n"))
  var ffn: Int?

  /// The shape for a vocabulary and a sequence length.
  func configuration(vocabulary: Int, sequence: Int) throws -> ModelConfiguration {
    var shape = try ModelConfiguration.preset(preset ?? "micro", vocabulary: vocabulary, sequence: sequence)
    if let width {
      // Without further flags: heads of 32, and SwiGLU's 8/3 in whole multiples of 16.
      shape = ModelConfiguration(
        vocabulary: vocabulary, width: width, layers: layers ?? shape.layers, heads: heads ?? max(1, width / 32),
        kvHeads: kvHeads, ffn: ffn ?? (width * 8 / 3 + 15) / 16 * 16, sequence: sequence)
    } else {
      if let layers { shape.layers = layers }
      if let heads {
        shape.headWidth = max(1, shape.width / max(1, heads))
        shape.heads = heads
        shape.kvHeads = heads
      }
      if let kvHeads { shape.kvHeads = kvHeads }
      if let ffn { shape.ffn = ffn }
    }
    try shape.validate(place: "--preset")
    return shape
  }
}

/// How a model is trained.
struct ScheduleOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Tokens in a sequence.", valueName: "n"))
  var sequence = 256

  @Option(help: ArgumentHelp("Sequences in a batch.", valueName: "n"))
  var batch = 16

  @Option(name: .customLong("lr"), help: ArgumentHelp("Peak learning rate.", valueName: "rate"))
  var learningRate = 3e-3

  @Option(help: "How the rate runs: wsd (warm up, stable, decay), cosine, constant.")
  var schedule = LearningRateSchedule.wsd

  @Option(help: ArgumentHelp("Share of the steps over which the rate rises.", valueName: "share"))
  var warmup = 0.02

  @Option(help: ArgumentHelp("Share of the steps over which wsd decays.", valueName: "share"))
  var decay = 0.2

  @Option(help: ArgumentHelp("Weight decay of the layers' matrices.", valueName: "x"))
  var weightDecay = 0.1

  @Option(help: ArgumentHelp("Largest global norm of the gradient; 0 clips nothing.", valueName: "norm"))
  var clip = 1.0

  /// The configuration of a run.
  func configuration(tokens: Int?, seed: UInt64) -> TrainingConfiguration {
    var configuration = TrainingConfiguration(tokens: tokens)
    configuration.learningRate = learningRate
    configuration.schedule = schedule
    configuration.warmup = warmup
    configuration.decay = decay
    configuration.weightDecay = weightDecay
    configuration.clip = clip
    configuration.seed = seed
    return configuration
  }
}

extension LearningRateSchedule: ExpressibleByArgument {}
