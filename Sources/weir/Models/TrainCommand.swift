import ArgumentParser
import Foundation
import Pipeline
import Primitives
import Storage
import Tokenization
import Tokens
import Training

/// `weir train DATASET -o RUN`: pretraining and continued pretraining.
struct TrainCommand: WeirCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Trains a model on a token dataset, by a mixture; goes on where it was.",
    discussion: """
      A Llama-type decoder, AdamW, packed batches whose documents never see each other. RUN/log.jsonl has a line a step, RUN/model is a
      folder that transformers loads. Interrupted and started again, the run goes on from its last checkpoint to the same bits.
      A step whose loss is a spike or no number changes nothing; after several in a row the run returns to its last checkpoint, passes
      over the batches in between, and after --rollbacks returns it gives up.
      mpirun -n 4 weir train … (Open MPI) divides each batch among 4 processes: the same losses, and with --accumulate 4 the same bits.

      Example: weir train out/dataset --mixture crisp.json --init out/base --tokens 400k --lr 1e-3 --valid heldout.jsonl -o out/crisp
      """)

  @Argument(help: ArgumentHelp("The token dataset.", valueName: "dataset"))
  var dataset: String?

  @Option(name: [.customShort("o"), .long], help: ArgumentHelp("The run's folder.", valueName: "run"))
  var output: String?

  @Option(help: ArgumentHelp("Tokens to train on, such as 1.5M.", valueName: "n"))
  var tokens: Amount?

  @Option(help: ArgumentHelp("What to draw (weir sample); every token equally likely without it.", valueName: "file"))
  var mixture: String?

  @Option(help: ArgumentHelp("Begin with this run, model folder or checkpoint instead of drawn weights.", valueName: "path"))
  var `init`: String?

  @OptionGroup(title: "Shape") var shape: ShapeOptions
  @OptionGroup(title: "Schedule") var schedule: ScheduleOptions
  @OptionGroup(title: "Stability") var stability: StabilityOptions

  @Option(parsing: .upToNextOption, help: ArgumentHelp("Held-out documents to evaluate on.", valueName: "file"))
  var valid: [String] = []

  @Option(help: ArgumentHelp("Steps between evaluations; 0 at the end only.", valueName: "n"))
  var validEvery = 0

  @Option(help: ArgumentHelp("Steps between checkpoints.", valueName: "n"))
  var checkpointEvery = 100

  @Option(help: ArgumentHelp("How many of these checkpoints stay.", valueName: "n"))
  var keepLast = 2

  @Option(help: ArgumentHelp("Steps between checkpoints that stay for good.", valueName: "n"))
  var keepEvery: Int?

  @Option(help: ArgumentHelp("Tokens after which to keep a checkpoint for good, separated by commas.", valueName: "list"))
  var checkpointAt: String?

  @Flag(help: "Compute activations anew in the backward pass: less memory, a third more work, the same bits.")
  var recompute = false

  @Flag(help: "List the named shapes and leave.")
  var presets = false

  @Flag(help: "Say what the run takes (parameters, FLOPs, memory, disk), and run nothing.")
  var dryRun = false

  @OptionGroup var seed: SeedOption
  @OptionGroup var common: CommonOptions

  var inputs: [String] { [dataset, mixture, `init`].compactMap { $0 } + valid }
  var outputs: [String] { output.map { [$0 + "/model"] } ?? [] }

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
    configuration.keep = keepLast
    configuration.keepEvery = keepEvery
    stability.apply(to: &configuration)
    configuration.checkpointAt = try Amount.list(checkpointAt ?? "", flag: "--checkpoint-at")
    return configuration
  }

  private func initialisation(vocabulary: Int) throws -> ModelInitialisation {
    if let path = `init` { return try Models.initialisation(path) }
    return .scratch(try shape.configuration(vocabulary: vocabulary, sequence: schedule.sequence))
  }

  func perform(_ session: Session) throws -> Outcome {
    if presets { return try PresetTable.outcome() }
    guard let path = dataset else { throw ValidationError("Missing expected argument '<dataset>'") }
    let dataset = try TokenDataset(path)
    let initial = try initialisation(vocabulary: dataset.vocabulary)
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
    let loader = try Load.loader(dataset, mixture: mixture, seed: seed.seed, rows: schedule.batch, sequence: schedule.sequence)
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

  func forecast(_ world: inout Forecast) throws -> Forecast.Row {
    try world.training(
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

  /// Tokens and loss, at most 200 points, each the mean of the steps around it.
  static func curve(_ run: String) throws -> [(Double, Double)] {
    struct Line: Codable {
      var tokens: Double
      var loss: Double
    }
    let text = String(decoding: try Files.read(run + "/log.jsonl"), as: UTF8.self)
    let lines = text.split(separator: "\n").compactMap { try? JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
    let group = max(1, (lines.count + 199) / 200)
    return stride(from: 0, to: lines.count, by: group).map { start in
      let part = lines[start..<min(lines.count, start + group)]
      return (part.last?.tokens ?? 0, part.reduce(0) { $0 + $1.loss } / Double(part.count))
    }
  }
}

extension ModelInitialisation {
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
