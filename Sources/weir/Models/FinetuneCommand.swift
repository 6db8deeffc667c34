import ArgumentParser
import Storage
import Training
import Workflows

/// `weir finetune MODEL --data FILE`: finetunes a model, directly or with label annealing.
struct FinetuneCommand: SeededCommand {
  static let configuration = CommandConfiguration(
    commandName: "finetune",
    abstract: "Finetune a model on documents or chats, and measure what it forgets.",
    discussion: """
      direct minimizes the cross-entropy on the documents. anneal adds λ·KL(student ‖ frozen initial model) on the same \
      batch, both at temperature T (Yang et al. 2024); it preserves what the model knew without any of its original data.

      The held-out files of --valid and --source are evaluated before the first step, at --valid-every, and at the end: the \
      fall of the loss on --valid is the target gain, its rise on --source is what was forgotten.

      With --retain-budget, half of the documents of each --source, by a hash of their content, decides which model is kept. \
      The loss on the other half is reported. If the first evaluation is beyond the budget, the initial model is the result. \
      --lambda auto trains with up to 8 values of λ, in RUN/tries, and keeps the smallest one that ends within the budget.

      weir finetune sweep compares methods, strengths and learning rates.

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
          --valid target-heldout.jsonl --source general-heldout.jsonl \\
          -o runs/tuned
        weir finetune runs/base --data target.jsonl --method lora,anneal \\
          --lora-rank 16 --lora-targets q_proj,v_proj -o runs/adapted
        weir finetune runs/base --data target.jsonl --method direct \\
          --valid-fraction 0.1 --patience 3 --valid-every epoch -o runs/direct
        weir finetune runs/base --data target.jsonl --method anneal \\
          --source general-heldout.jsonl --retain-budget 0.05 \\
          --lambda auto -o runs/within
      """)

  @Argument(help: ArgumentHelp("Model folder or run folder.", valueName: "model"))
  var model: String

  @Option(name: [.customShort("o"), .long], help: ArgumentHelp("Run folder.", valueName: "run"))
  var output: String

  @Option(
    help: ArgumentHelp(
      "Method: direct, anneal (label annealing), l2, ewc, lora, asft; or several that combine, such as lora,anneal.", valueName: "methods"))
  var method = MethodOptions.MethodList(methods: [.anneal])

  @Option(help: ArgumentHelp("Print the first examples with the tokens that the loss covers, and do nothing else.", valueName: "n"))
  var show: Int?

  @Flag(help: "Read the data, count examples and tokens, estimate FLOPs, memory and disk, and do nothing.")
  var dryRun = false

  @OptionGroup var options: FinetuneOptions
  @OptionGroup var common: CommonOptions

  var seed: SeedOption { options.seed }
  var initialModel: String? { model }
  var propertyFlags: PropertyFlags { FinetuneOptions.propertyFlags }
  var inputs: [String] { [model] + options.inputs }
  var outputs: [String] { [RunFolder(output).model] }
  var lockedOutputs: [String] { [] }

  var isParallel: Bool { !dryRun }

  func validate() throws {
    if let show, show < 1 { throw ValidationError("--show must be at least 1, not \(show)") }
    try options.method.check(method.methods)
    try usage { try finetuning().validate() }
  }

  private func finetuning() throws -> FinetuneConfiguration {
    try options.configuration(model: model, output: output, methods: method.methods)
  }

  func perform(_ session: Session) throws -> Outcome {
    if let count = show { return try finetuning().preview(count) }
    if dryRun {
      let (cost, counts) = try session.with("finetune") {
        try FinetuneRun.estimate(finetuning(), threads: session.threads, progress: $0)
      }
      return Outcome(
        report: .object(["cost": try JSONValue(encoding: cost), "examples": try JSONValue(encoding: counts)]),
        lines: PresetTable.lines(cost) + counts.lines)
    }
    return try session.with("finetune") { progress in
      try FinetuneRun.run(finetuning(), threads: session.threads, ranks: session.ranks, progress: progress).outcome()
    }
  }

  func forecast(_ forecast: inout Forecast) throws -> Forecast.Row {
    var row = try options.forecast(&forecast, model: model, output: output, methods: method.methods)
    let one = row
    if options.method.searchesLambda { for _ in 1..<LambdaSearch.tries { row.add(run: one) } }
    return row
  }
}
