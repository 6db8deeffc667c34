import ArgumentParser
import Training
import Workflows

/// `weir finetune MODEL --data FILE`: finetunes a model, directly or with label annealing.
struct FinetuneCommand: SeededCommand {
  static let configuration = CommandConfiguration(
    commandName: "finetune",
    abstract: "Finetune a model on documents, with or without label annealing.",
    discussion: """
      direct minimizes the cross-entropy on the documents. anneal adds λ·KL(student ‖ frozen initial model) on the same \
      batch, both at temperature T (Yang et al. 2024); it preserves what the model knew without any of its original data. \
      Give --valid one held-out file of the target domain and one of the original domain to see both the gain and the \
      forgetting.

      --replay mixes text of the original domain into the batches, --self-replay texts that the initial model generates without \
      context; both can be combined with every method. Everything of the model folder but the weights is kept.

      EXAMPLES:
        weir finetune runs/base --data target.jsonl --method anneal \\
          --valid target-heldout.jsonl general-heldout.jsonl -o runs/tuned
      """)

  @Argument(help: ArgumentHelp("Model folder or run folder.", valueName: "model"))
  var model: String

  @Option(parsing: .upToNextOption, help: ArgumentHelp("Documents to finetune on.", valueName: "file"))
  var data: [String]

  @Option(name: [.customShort("o"), .long], help: ArgumentHelp("Run folder.", valueName: "run"))
  var output: String

  @Option(help: "Method: direct, or anneal (label annealing).")
  var method = FinetuneConfiguration.Method.anneal

  @Option(help: ArgumentHelp("Weight λ of the divergence from the initial model.", valueName: "x"))
  var lambda = 1.0

  @Option(help: ArgumentHelp("Temperature T of both distributions of the divergence.", valueName: "x"))
  var temperature = 1.0

  @Option(help: ArgumentHelp("Epochs over the documents.", valueName: "n"))
  var epochs = 5

  @OptionGroup var special: SpecialTokensOption

  @OptionGroup(title: "Replay") var replay: ReplayOptions

  @OptionGroup(title: "Schedule") var schedule: ScheduleOptions

  @Option(parsing: .upToNextOption, help: ArgumentHelp("Held-out documents to evaluate on.", valueName: "file"))
  var valid: [String] = []

  @Option(help: ArgumentHelp("Steps between checkpoints.", valueName: "n"))
  var checkpointEvery = 100

  @OptionGroup var seed: SeedOption
  @OptionGroup var common: CommonOptions

  var initialModel: String? { model }
  var propertyFlags: PropertyFlags {
    ScheduleOptions.propertyFlags + ReplayOptions.propertyFlags + [
      "epochs": "--epochs", "annealing.lambda": "--lambda", "annealing.temperature": "--temperature",
      "checkpointEvery": "--checkpoint-every",
    ]
  }
  var inputs: [String] { [model] + data + valid + replay.replay }
  var outputs: [String] { [RunFolder(output).model] }
  var lockedOutputs: [String] { [] }

  var isParallel: Bool { true }

  private var finetuning: FinetuneConfiguration {
    var finetuning = FinetuneConfiguration(model: model, data: data, output: output)
    (finetuning.method, finetuning.lambda, finetuning.temperature, finetuning.epochs) = (method, lambda, temperature, epochs)
    (finetuning.addsSpecial, finetuning.allowsSpecials) = (special.addSpecial, special.allowSpecial)
    finetuning.replay = replay.configuration
    finetuning.settings = schedule.settings(seed: seed, checkpointEvery: checkpointEvery, valid: valid)
    return finetuning
  }

  func perform(_ session: Session) throws -> Outcome {
    try session.with("finetune") { progress in
      try FinetuneRun.run(finetuning, threads: session.threads, ranks: session.ranks, progress: progress).outcome()
    }
  }

  func forecast(_ forecast: inout Forecast) throws -> Forecast.Row {
    let size = try forecast.size(of: data)
    let tokens = Int(size.bytes / Forecast.bytesPerToken) * epochs
    var row = try forecast.training(
      schedule.settings(tokens: max(1, tokens), seed: seed), shape: ModelShape(), initial: model, output: output)
    if method == .anneal { row.flops = row.flops.map { $0 * 4 / 3 } }
    return row
  }
}

extension FinetuneConfiguration.Method: ExpressibleByArgument {}
