import ArgumentParser
import Foundation
import Loading
import Primitives
import Storage
import Training
import Workflows

/// `weir train DATASET -o RUN`: pretraining and continued pretraining.
struct TrainCommand: SeededCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train a decoder-only language model on a token dataset.",
    discussion: """
      Trains a Llama-style model with AdamW on packed batches; documents in a batch do not attend to each other. The run \
      folder contains log.jsonl (one line per step), checkpoints, and model/, which transformers can load.

      An interrupted run resumes from its last checkpoint and ends with the same weights, bit for bit. A finished run only \
      evaluates held-out files that are new or have changed. One process at a time trains in a folder.

      Steps with a NaN/Inf loss are skipped. After several in a row, or if the loss stays high, the run rolls back to the last \
      good checkpoint and skips the batches in between. If the loss is high on the next batches as well, it is the data, and \
      training continues. If NaN/Inf recurs after --max-rollbacks rollbacks, the run fails.

      Rows are packed once and drawn without repeats until an epoch is over. With --init, a run on the same rows \
      continues with those that the other one has not read.

      Under mpirun (Open MPI), the rows of each batch are divided among the ranks. With --grad-accum 4, runs on 1, 2 \
      and 4 ranks end with the same weights, bit for bit, because they add up the gradients of the same 4 micro-batches.

      EXAMPLES:
        weir train out/dataset --preset micro --tokens 20M -o runs/base
        weir train out/dataset --mixture crisp.json --init runs/base \\
          --tokens 2M --valid heldout.jsonl -o runs/crisp
        mpirun -n 4 weir train out/dataset --preset mini --tokens 200M -o runs/mini
      """)

  @Argument(help: ArgumentHelp("Token dataset folder.", valueName: "dataset"))
  var dataset: String?

  @Option(name: [.customShort("o"), .long], help: ArgumentHelp("Run folder.", valueName: "run"))
  var output: String?

  @Option(help: ArgumentHelp("Tokens to train on, such as 1.5M.", valueName: "n"))
  var tokens: Amount?

  @OptionGroup(title: "Data") var data: LoaderOptions

  @Option(help: "What a position attends to: its own document, or the full row across documents.")
  var attention = AttentionSpan.documents

  @Option(
    help: ArgumentHelp(
      "First position of the run in the order of rows. (default: 0; with --init, where that run ended on the same rows)", valueName: "n"))
  var fromPosition: Int?

  @Option(help: ArgumentHelp("Start from this run, model folder or checkpoint instead of random initialization.", valueName: "path"))
  var `init`: String?

  @OptionGroup(title: "Shape") var shape: ShapeOptions
  @OptionGroup(title: "Schedule") var schedule: ScheduleOptions
  @OptionGroup(title: "Stability") var stability: StabilityOptions

  @Option(parsing: .upToNextOption, help: ArgumentHelp("Held-out documents to evaluate on, or token datasets of them.", valueName: "file"))
  var valid: [String] = []

  @Option(help: ArgumentHelp("Steps between evaluations; 0 evaluates only at the end.", valueName: "n"))
  var validEvery = 0

  @Option(help: ArgumentHelp("Steps between checkpoints.", valueName: "n"))
  var checkpointEvery = 100

  @Option(help: ArgumentHelp("Number of recent checkpoints to keep.", valueName: "n"))
  var keepLast = 2

  @Option(help: ArgumentHelp("Steps between checkpoints that are kept permanently.", valueName: "n"))
  var keepEvery: Int?

  @Option(help: ArgumentHelp("Token counts at which to keep a checkpoint permanently, separated by commas.", valueName: "list"))
  var checkpointAt: String?

  @Flag(help: "Recompute activations in the backward pass: less memory, a third more compute, the same bits.")
  var recompute = false

  @Flag(help: "List the named model sizes and exit.")
  var presets = false

  @Flag(help: "Estimate parameters, FLOPs, memory and disk, and do nothing.")
  var dryRun = false

  @OptionGroup var seed: SeedOption
  @OptionGroup var common: CommonOptions

  var initialModel: String? { `init` }
  var propertyFlags: PropertyFlags {
    ShapeOptions.propertyFlags + ScheduleOptions.propertyFlags + StabilityOptions.propertyFlags + LoaderOptions.propertyFlags + [
      "tokens": "--tokens", "evaluateEvery": "--valid-every", "checkpointEvery": "--checkpoint-every", "keepLast": "--keep-last",
      "keepEvery": "--keep-every",
    ]
  }
  var inputs: [String] { [dataset, `init`].compactMap { $0 } + data.inputs + valid }
  var outputs: [String] { output.map { [RunFolder($0).model] } ?? [] }
  var lockedOutputs: [String] { [] }

  var isParallel: Bool { !presets && !dryRun }

  func validate() throws {
    guard !presets else { return }
    guard dataset != nil else { throw ValidationError("Missing expected argument '<dataset>'") }
    guard output != nil || dryRun else { throw ValidationError("Missing expected option '-o <run>'") }
    guard tokens != nil else { throw ValidationError("Missing expected option '--tokens <n>'") }
  }

  private func settings() throws -> TrainingSettings {
    var settings = schedule.settings(tokens: tokens?.value, seed: seed, checkpointEvery: checkpointEvery, valid: valid)
    (settings.training.evaluateEvery, settings.training.keepLast, settings.training.keepEvery) = (validEvery, keepLast, keepEvery)
    stability.apply(to: &settings.training)
    settings.training.checkpointAt = try Amount.list(checkpointAt ?? "", flag: "--checkpoint-at")
    return settings
  }

  private func run(dataset: String, output: String) throws -> PretrainConfiguration {
    var run = PretrainConfiguration(dataset: dataset, output: output)
    run.data = data.configuration(dataset: dataset)
    (run.data.fromPosition, run.data.attention) = (fromPosition, attention)
    (run.initial, run.shape, run.settings, run.recompute) = (`init`, shape.shape, try settings(), recompute)
    return run
  }

  func perform(_ session: Session) throws -> Outcome {
    if presets { return try PresetTable.outcome() }
    guard let dataset else { throw ValidationError("Missing expected argument '<dataset>'") }
    if dryRun {
      let run = try run(dataset: dataset, output: output ?? "")
      let estimate = try PretrainRun.estimate(run, threads: session.threads), order = try PretrainRun.order(run)
      let unknown = ["  what it draws is shown once its rows are packed: run weir pack first"]
      return Outcome(report: try JSONValue(encoding: estimate), lines: PresetTable.lines(estimate) + (order?.lines(8) ?? unknown))
    }
    guard let output else { throw ValidationError("Missing expected option '-o <run>'") }
    let run = try run(dataset: dataset, output: output)
    return try session.with("train") { progress in
      try PretrainRun.run(run, threads: session.threads, ranks: session.ranks, progress: progress).outcome()
    }
  }

  func forecast(_ forecast: inout Forecast) throws -> Forecast.Row {
    try forecast.training(
      settings(), shape: shape.shape, initial: `init`, output: output, recompute: recompute, evaluates: !valid.isEmpty)
  }
}

extension RunReport {
  /// The report, and lines for the user.
  func outcome() throws -> Outcome {
    let line =
      "  \(Format.short(Double(training.tokens))) tokens in \(training.steps) steps, \(Format.short(Double(training.parameters))) parameters, "
      + String(format: "final loss %.3f, ", training.loss) + "\(Format.short(training.tokensPerSecond)) tokens/s"
    let changes = training.changes ?? [], known = Set(changes.map(\.name))
    let sets = training.final.filter { !known.contains($0.name) }.map { record in
      "  \(record.name): perplexity \(String(format: "%.1f", record.result.perplexity)), \(String(format: "%.3f", record.result.bitsPerByte)) bits per byte"
    }
    let replay = finetuning?.replay.map { replay in
      "replayed \(Format.short(Double(replay.tokens))) tokens in \(Format.percent(replay.share, 1)) of the rows"
    }
    let notes = [replay, training.guardSummary, training.selectionSummary, finetuning?.searchSummary].compactMap(\.self)
    return Outcome(
      report: try JSONValue(encoding: self),
      lines: [line] + (finetuning?.examples?.lines ?? []) + notes.map { "  " + $0 } + sets
        + (changes.isEmpty ? [] : Self.table(changes).map { "  " + $0 }))
  }

  /// The losses on held-out text before and after.
  private static func table(_ changes: [LossChange]) -> [String] {
    var table = TextTable(["held-out loss, nats/token", "", "before", "lowest", "at step", "model", "change"], right: [2, 3, 4, 5, 6])
    for change in changes {
      let role = change.role.map { $0 == .source ? "source" : "judged half" } ?? "target"
      table.add([
        Format.clip(Format.escaped(change.name), 40), role, Format.fixed(change.start, 3), Format.fixed(change.best, 3),
        "\(change.bestStep)", Format.fixed(change.end, 3), String(format: "%+.3f", change.rise),
      ])
    }
    return table.lines
  }
}
