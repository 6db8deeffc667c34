import ArgumentParser
import Storage
import Training
import Workflows

/// `weir finetune MODEL --data FILE`: finetunes a model, directly or with label annealing.
struct FinetuneCommand: SeededCommand {
  static let configuration = CommandConfiguration(
    commandName: "finetune",
    abstract: "Finetune a model on documents, completions or chats.",
    discussion: """
      direct minimizes the cross-entropy on the documents. anneal adds λ·KL(student ‖ frozen initial model) on the same \
      batch, both at temperature T (Yang et al. 2024); it preserves what the model knew without any of its original data. \
      Give --valid one held-out file of the target domain and one of the original domain to see both the gain and the \
      forgetting.

      l2 penalizes the distance from the initial weights, ewc the same weighted by the Fisher information of --fisher-data \
      (Kirkpatrick et al. 2017). lora trains a low-rank adapter only (Hu et al. 2021), which needs less memory; the run has \
      the adapter for PEFT and the model with the adapter merged. asft weights each token by its probability and adds α·KL as \
      anneal does (2509.23753). anneal and asft each combine with l2, ewc and lora, and l2 with ewc. The defaults of the \
      weights, the mean over tokens without a factor T², schedules of λ and the combinations are ours.

      A line of --data is a document ("text"), a prompt with its completion ("prompt", "completion") or a chat ("messages"). \
      The loss covers documents, completions and the turns of the assistant. Chats are written by the chat template of the \
      tokenizer, with its control tokens. --show prints what the model is trained on.

      EXAMPLES:
        weir finetune chat-model --data chats.jsonl --show 3 -o runs/chat
        weir finetune runs/base --data target.jsonl --method anneal \\
          --valid target-heldout.jsonl general-heldout.jsonl -o runs/tuned
        weir finetune runs/base --data target.jsonl --method lora,anneal \\
          --lora-rank 16 --lora-targets q_proj,v_proj -o runs/adapted
      """)

  @Argument(help: ArgumentHelp("Model folder or run folder.", valueName: "model"))
  var model: String

  @Option(parsing: .upToNextOption, help: ArgumentHelp("Documents, prompts with completions, or chats to finetune on.", valueName: "file"))
  var data: [String]

  @Option(name: [.customShort("o"), .long], help: ArgumentHelp("Run folder.", valueName: "run"))
  var output: String

  @Option(help: ArgumentHelp("Epochs over the documents.", valueName: "n"))
  var epochs = 5

  @OptionGroup(title: "Method") var strategy: MethodOptions

  @OptionGroup(title: "Data") var examples: ExampleOptions
  @OptionGroup var special: SpecialTokensOption

  @OptionGroup(title: "Schedule") var schedule: ScheduleOptions

  @Option(parsing: .upToNextOption, help: ArgumentHelp("Held-out documents or examples to evaluate on.", valueName: "file"))
  var valid: [String] = []

  @Option(help: ArgumentHelp("Steps between checkpoints.", valueName: "n"))
  var checkpointEvery = 100

  @OptionGroup var seed: SeedOption
  @OptionGroup var common: CommonOptions

  var initialModel: String? { model }
  var propertyFlags: PropertyFlags {
    ScheduleOptions.propertyFlags + MethodOptions.propertyFlags + ExampleOptions.propertyFlags + [
      "epochs": "--epochs", "checkpointEvery": "--checkpoint-every",
    ]
  }
  var inputs: [String] { [model] + data + valid + strategy.inputs }
  var outputs: [String] { [RunFolder(output).model] }
  var lockedOutputs: [String] { [] }

  var isParallel: Bool { true }

  private func finetuning() throws -> FinetuneConfiguration {
    var finetuning = FinetuneConfiguration(model: model, data: data, output: output)
    (finetuning.strategy, finetuning.epochs) = (try strategy.settings(), epochs)
    (finetuning.addsSpecial, finetuning.examples) = (special.addSpecial, examples.settings)
    finetuning.settings = schedule.settings(seed: seed, checkpointEvery: checkpointEvery, valid: valid)
    return finetuning
  }

  func perform(_ session: Session) throws -> Outcome {
    if let count = examples.show { return try finetuning().preview(count) }
    return try session.with("finetune") { progress in
      try FinetuneRun.run(finetuning(), threads: session.threads, ranks: session.ranks, progress: progress).outcome()
    }
  }

  func forecast(_ forecast: inout Forecast) throws -> Forecast.Row {
    let size = try forecast.size(of: data)
    let tokens = Int(size.bytes / Forecast.bytesPerToken) * epochs
    var settings = schedule.settings(tokens: max(1, tokens), seed: seed, checkpointEvery: checkpointEvery),
      strategy = try strategy.settings()
    // The adapter may be made by an earlier step.
    if let adapter = strategy.adapter, !Files.exists(adapter) { strategy.adapter = nil }
    try strategy.apply(to: &settings.training, fisher: nil)
    if strategy.uses(.ewc) {
      let fisher = try forecast.size(of: strategy.fisherData)
      let sequences = Int(fisher.documents + fisher.bytes / Forecast.bytesPerToken / Double(settings.sequence))
      settings.training.ewc = ElasticConsolidation(
        weight: strategy.ewc, data: "", sequences: min(max(1, sequences), strategy.fisherSamples))
    }
    return try forecast.training(settings, shape: ModelShape(), initial: model, output: output, evaluates: !valid.isEmpty)
  }
}
