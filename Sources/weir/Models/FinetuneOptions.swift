import ArgumentParser
import Storage
import Training
import Workflows

/// What `weir finetune` and `weir finetune sweep` have in common.
struct FinetuneOptions: ParsableArguments {
  static let propertyFlags: PropertyFlags =
    ScheduleOptions.propertyFlags + MethodOptions.propertyFlags + ExampleOptions.propertyFlags + RetentionOptions.propertyFlags
    + ReplayOptions.propertyFlags + ["epochs": "--epochs", "checkpointEvery": "--checkpoint-every"]

  @Option(parsing: .upToNextOption, help: ArgumentHelp("Documents, prompts with completions, or chats to finetune on.", valueName: "file"))
  var data: [String]

  @Option(help: ArgumentHelp("Epochs over the documents.", valueName: "n"))
  var epochs = 5

  @OptionGroup(title: "Method") var method: MethodOptions
  @OptionGroup(title: "Data") var examples: ExampleOptions
  @OptionGroup var special: SpecialTokensOption
  @OptionGroup(title: "Replay") var replay: ReplayOptions
  @OptionGroup(title: "Schedule") var schedule: ScheduleOptions
  @OptionGroup(title: "Evaluation") var retention: RetentionOptions

  @Option(help: ArgumentHelp("Steps between checkpoints.", valueName: "n"))
  var checkpointEvery = 100

  @OptionGroup var seed: SeedOption

  var inputs: [String] { data + retention.inputs + method.inputs + replay.replay }

  func configuration(model: String, output: String, methods: [MethodSettings.Method]) throws -> FinetuneConfiguration {
    var finetuning = FinetuneConfiguration(model: model, data: data, output: output)
    (finetuning.strategy, finetuning.epochs) = (try method.settings(methods), epochs)
    (finetuning.addsSpecial, finetuning.allowsSpecials, finetuning.examples) = (special.addSpecial, special.allowSpecial, examples.settings)
    (finetuning.replay, finetuning.retention) = (replay.configuration, retention.retention(searchesLambda: method.searchesLambda))
    finetuning.settings = schedule.settings(
      seed: seed, checkpointEvery: checkpointEvery, valid: retention.valid, rate: ScheduleOptions.finetuningRate)
    return finetuning
  }

  /// The cost of one run.
  func forecast(_ forecast: inout Forecast, model: String, output: String, methods: [MethodSettings.Method]) throws -> Forecast.Row {
    let share = replay.configuration.isUsed ? replay.configuration.share : 0
    let tokens = Int(try forecast.size(of: data).bytes / Forecast.bytesPerToken / (1 - share)) * epochs
    var settings = schedule.settings(tokens: max(1, tokens), seed: seed, checkpointEvery: checkpointEvery)
    var strategy = try method.settings(methods)
    // The adapter may be made by an earlier step.
    if let adapter = strategy.adapter, !Files.exists(adapter) { strategy.adapter = nil }
    try strategy.apply(to: &settings.training, fisher: nil)
    if strategy.uses(.ewc) {
      let fisher = try forecast.size(of: strategy.fisherData)
      let sequences = Int(fisher.documents + fisher.bytes / Forecast.bytesPerToken / Double(settings.sequence))
      settings.training.ewc = ElasticConsolidation(
        weight: strategy.ewc, data: "", sequences: min(max(1, sequences), strategy.fisherSamples))
    }
    return try forecast.training(
      settings, shape: ModelShape(), initial: model, output: output, evaluates: !retention.inputs.isEmpty)
  }
}
