import ArgumentParser
import Training
import Workflows

/// `weir finetune MODEL --data FILE`: finetunes a model, directly or with label annealing.
struct FinetuneCommand: SeededCommand {
  static let configuration = CommandConfiguration(
    commandName: "finetune",
    abstract: "Finetune a model on documents, and measure what it forgets.",
    discussion: """
      direct minimizes the cross-entropy on the documents. anneal adds λ·KL(student ‖ frozen initial model) on the same \
      batch, both at temperature T (Yang et al. 2024); it preserves what the model knew without any of its original data.

      The held-out files of --valid and --source are evaluated before the first step, at --valid-every, and at the end: the \
      fall of the loss on --valid is the target gain, its rise on --source is what was forgotten.

      With --retain-budget, half of the documents of each --source, by a hash of their content, decides which model is kept. \
      The loss on the other half is reported. If the first evaluation is beyond the budget, the initial model is the result. \
      --lambda auto trains with up to 8 values of λ, in RUN/tries, and keeps the smallest one that ends within the budget.

      weir finetune sweep compares methods, strengths and learning rates.

      EXAMPLES:
        weir finetune runs/base --data target.jsonl --method anneal \\
          --valid target-heldout.jsonl --source general-heldout.jsonl \\
          -o runs/tuned
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

  @Option(help: "Method: direct, or anneal (label annealing).")
  var method = FinetuneConfiguration.Method.anneal

  @Option(
    help: ArgumentHelp(
      "Weight λ of the divergence from the initial model, or auto for the smallest within --retain-budget. (default: 1)", valueName: "x"))
  var lambda: LambdaChoice?

  @OptionGroup var options: FinetuneOptions
  @OptionGroup var common: CommonOptions

  var seed: SeedOption { options.seed }
  var initialModel: String? { model }
  var propertyFlags: PropertyFlags { FinetuneOptions.propertyFlags }
  var inputs: [String] { [model] + options.inputs }
  var outputs: [String] { [RunFolder(output).model] }
  var lockedOutputs: [String] { [] }

  var isParallel: Bool { true }

  private var searchesLambda: Bool { if case .auto = lambda { true } else { false } }

  func perform(_ session: Session) throws -> Outcome {
    var finetuning = options.configuration(model: model, output: output, searchesLambda: searchesLambda)
    finetuning.method = method
    finetuning.lambda = lambda?.value ?? finetuning.lambda
    return try session.with("finetune") { progress in
      try FinetuneRun.run(finetuning, threads: session.threads, ranks: session.ranks, progress: progress).outcome()
    }
  }

  func forecast(_ forecast: inout Forecast) throws -> Forecast.Row {
    var row = try options.forecast(&forecast, model: model, output: output)
    if method == .anneal { row.flops = row.flops.map { $0 * 4 / 3 } }
    let one = row
    if searchesLambda { for _ in 1..<LambdaSearch.tries { row.add(run: one) } }
    return row
  }
}

extension FinetuneConfiguration.Method: ExpressibleByArgument {}
