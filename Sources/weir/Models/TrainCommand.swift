import ArgumentParser
import Foundation
import Pipeline
import Primitives
import Storage
import Tokenization
import Tokens
import Training
import Workflows

/// `weir train DATASET -o RUN`: pretraining and continued pretraining.
struct TrainCommand: WeirCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train a decoder-only language model on a token dataset.",
    discussion: """
      Trains a Llama-style model with AdamW on packed batches; documents in a batch do not attend to each other. The run \
      folder contains log.jsonl (one line per step), checkpoints, and model/, which transformers can load.

      An interrupted run resumes from its last checkpoint and ends with the same weights, bit for bit. Steps with a loss \
      spike or a NaN/Inf loss are skipped; after several in a row, the run rolls back to the last good checkpoint and skips \
      the batches in between. After --max-rollbacks rollbacks it fails.

      Under mpirun (Open MPI), the rows of each batch are divided among the ranks. The losses are the same, and with \
      --grad-accum 4 one, two and four ranks give the same weights, bit for bit.

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

  @Option(help: ArgumentHelp("Data mixture from weir sample. (default: uniform over tokens)", valueName: "file"))
  var mixture: String?

  @Option(help: ArgumentHelp("Start from this run, model folder or checkpoint instead of random initialization.", valueName: "path"))
  var `init`: String?

  @OptionGroup(title: "Shape") var shape: ShapeOptions
  @OptionGroup(title: "Schedule") var schedule: ScheduleOptions
  @OptionGroup(title: "Stability") var stability: StabilityOptions

  @Option(parsing: .upToNextOption, help: ArgumentHelp("Held-out documents to evaluate on.", valueName: "file"))
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

  var randomSeed: UInt64? { seed.seed }
  var initialModel: String? { `init` }
  var propertyFlags: PropertyFlags {
    ShapeOptions.propertyFlags + ScheduleOptions.propertyFlags + StabilityOptions.propertyFlags + [
      "tokens": "--tokens", "evaluateEvery": "--valid-every", "checkpointEvery": "--checkpoint-every", "keepLast": "--keep-last",
      "keepEvery": "--keep-every",
    ]
  }
  var inputs: [String] { [dataset, mixture, `init`].compactMap { $0 } + valid }
  var outputs: [String] { output.map { [RunFolder($0).model] } ?? [] }

  var isParallel: Bool { !presets && !dryRun }

  func validate() throws {
    guard !presets else { return }
    guard dataset != nil else { throw ValidationError("Missing expected argument '<dataset>'") }
    guard output != nil || dryRun else { throw ValidationError("Missing expected option '-o <run>'") }
    guard tokens != nil else { throw ValidationError("Missing expected option '--tokens <n>'") }
  }

  private func configuration() throws -> TrainingConfiguration {
    var configuration = schedule.configuration(tokens: tokens?.value, seed: seed.seed)
    configuration.evaluateEvery = validEvery
    configuration.checkpointEvery = checkpointEvery
    configuration.keepLast = keepLast
    configuration.keepEvery = keepEvery
    stability.apply(to: &configuration)
    configuration.checkpointAt = try Amount.list(checkpointAt ?? "", flag: "--checkpoint-at")
    return configuration
  }

  private func initialization(vocabulary: Int) throws -> ModelInitialization {
    if let path = `init` { return try ModelInitialization(continuing: path) }
    return .scratch(try shape.configuration(vocabulary: vocabulary, sequence: schedule.sequence))
  }

  func perform(_ session: Session) throws -> Outcome {
    if presets { return try PresetTable.outcome() }
    guard let path = dataset else { throw ValidationError("Missing expected argument '<dataset>'") }
    let dataset = try TokenDataset(path)
    let initial = try initialization(vocabulary: dataset.vocabulary)
    let configuration = try configuration()
    if dryRun {
      let model = try initial.configuration()
      let estimate = try TrainingEstimate(
        configuration, model: model, rows: schedule.batch, sequence: schedule.sequence, recompute: recompute, evaluates: !valid.isEmpty,
        threads: session.threads)
      return Outcome(report: try JSONValue(encoding: estimate), lines: PresetTable.lines(estimate))
    }
    guard let output else { throw ValidationError("Missing expected option '-o <run>'") }
    let tokenizer = try Load.tokenizer(of: dataset)
    let loader = try Load.loader(dataset, mixture: mixture, randomSeed: seed.seed, rows: schedule.batch, sequence: schedule.sequence)
    try initial.check(dataset: dataset, tokenizer: tokenizer, place: `init` ?? "--preset")
    let sets = try valid.map { try Load.validation($0, tokenizer) }
    let report = try session.with("train") { progress in
      try TrainingRun.run(
        configuration: configuration, initial: initial, source: loader, validation: sets, folder: output,
        tokenizer: dataset.path + "/tokenizer", endOfDocument: dataset.endOfDocument, threads: session.threads, recompute: recompute,
        ranks: session.ranks, progress: progress)
    }
    return try TrainingOutcome.outcome(report, run: output)
  }

  func forecast(_ forecast: inout Forecast) throws -> Forecast.Row {
    try forecast.training(
      configuration(), shape: shape, schedule: schedule, initial: `init`, output: output, recompute: recompute, evaluates: !valid.isEmpty)
  }
}

/// A training run as a command reports it.
enum TrainingOutcome {
  /// The report with the curve of the losses, and a line for each held-out set.
  static func outcome(_ report: TrainingReport, run: String) throws -> Outcome {
    var value = try JSONValue(encoding: report)
    value.set("curve", .array(try curve(run).map { .array([.number($0), .number($1)]) }))
    var line =
      "  \(Format.short(Double(report.tokens))) tokens in \(report.steps) steps, \(Format.short(Double(report.parameters))) parameters, "
    line += String(format: "last loss %.3f, ", report.loss) + "\(Format.short(report.tokensPerSecond)) tokens/s"
    let sets = report.final.map { record in
      "  \(record.name): perplexity \(String(format: "%.1f", record.result.perplexity)), \(String(format: "%.3f", record.result.bitsPerByte)) bits a byte"
    }
    return Outcome(report: value, lines: [line] + sets)
  }

  /// The loss over tokens seen, at most 200 points, each the mean over consecutive steps.
  static func curve(_ run: String) throws -> [(Double, Double)] {
    let steps = try StepRecord.read(RunFolder(run).log).filter(\.loss.isFinite)
    let group = max(1, (steps.count + 199) / 200)
    return stride(from: 0, to: steps.count, by: group).map { start in
      let part = steps[start..<min(steps.count, start + group)]
      return (Double(part.last?.tokens ?? 0), part.reduce(0) { $0 + $1.loss } / Double(part.count))
    }
  }
}

extension ModelInitialization {
  /// The shape of the model that a run begins with.
  func configuration() throws -> ModelConfiguration {
    switch self {
    case .scratch(let configuration): configuration
    case .folder(let path): try ModelFolder.configuration(path)
    case .checkpoint(let path, _): try ModelFolder.configuration(path)
    }
  }

  /// Throws where the model's vocabulary is not the dataset's. A model may have more rows in its embedding than its tokenizer has tokens.
  func check(dataset: TokenDataset, tokenizer: Tokenizer, place: String) throws {
    let model = try configuration()
    var isSame: Bool?
    if case .folder(let path) = self, Files.exists(path + "/tokenizer.json") {
      isSame = try Tokenizer(folder: path).fingerprint == tokenizer.fingerprint
    }
    guard model.vocabulary == dataset.vocabulary || isSame == true && model.vocabulary > dataset.vocabulary else {
      throw WeirError(
        place, "has a vocabulary of \(model.vocabulary), the dataset \(dataset.path) one of \(dataset.vocabulary)",
        remedy: "tokenize the data with the model's tokenizer")
    }
    guard isSame != false else {
      throw WeirError(
        place, "has another tokenizer than the dataset \(dataset.path)", remedy: "tokenize the data with the model's tokenizer")
    }
  }
}
