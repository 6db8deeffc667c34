import ArgumentParser
import Training
import Workflows

/// What `weir finetune` and `weir finetune sweep` have in common.
struct FinetuneOptions: ParsableArguments {
  static let propertyFlags: PropertyFlags =
    ScheduleOptions.propertyFlags + RetentionOptions.propertyFlags + [
      "epochs": "--epochs", "annealing.lambda": "--lambda", "annealing.temperature": "--temperature",
      "checkpointEvery": "--checkpoint-every",
    ]

  @Option(parsing: .upToNextOption, help: ArgumentHelp("Documents to finetune on.", valueName: "file"))
  var data: [String]

  @Option(help: ArgumentHelp("Temperature T of both distributions of the divergence.", valueName: "x"))
  var temperature = 1.0

  @Option(help: ArgumentHelp("Epochs over the documents.", valueName: "n"))
  var epochs = 5

  @OptionGroup var special: SpecialTokensOption

  @OptionGroup(title: "Schedule") var schedule: ScheduleOptions
  @OptionGroup(title: "Evaluation") var retention: RetentionOptions

  @Option(help: ArgumentHelp("Steps between checkpoints.", valueName: "n"))
  var checkpointEvery = 100

  @OptionGroup var seed: SeedOption

  var inputs: [String] { data + retention.inputs }

  func configuration(model: String, output: String, searchesLambda: Bool = false) -> FinetuneConfiguration {
    var finetuning = FinetuneConfiguration(model: model, data: data, output: output)
    (finetuning.temperature, finetuning.epochs, finetuning.addsSpecial) = (temperature, epochs, special.addSpecial)
    finetuning.retention = retention.retention(searchesLambda: searchesLambda)
    finetuning.settings = schedule.settings(seed: seed, checkpointEvery: checkpointEvery, valid: retention.valid)
    return finetuning
  }

  /// The cost of one run.
  func forecast(_ forecast: inout Forecast, model: String, output: String) throws -> Forecast.Row {
    let tokens = Int(try forecast.size(of: data).bytes / Forecast.bytesPerToken) * epochs
    return try forecast.training(
      schedule.settings(tokens: max(1, tokens), seed: seed), shape: ModelShape(), initial: model, output: output)
  }
}
