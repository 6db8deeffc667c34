import Kernels
import Pipeline
import Primitives
import Storage
import Tokenization
import Training

package enum FinetuneRun {
  /// Finetunes, or resumes.
  package static func run(
    _ configuration: FinetuneConfiguration, threads: Int, ranks: Ranks? = nil, progress: Progress = .silent
  ) throws -> RunReport {
    try configuration.validate()
    try configuration.checkHeldOut(progress)
    let data = try FinetuneData(configuration, progress)
    let job = FinetuneJob(configuration: configuration, data: data, threads: threads, ranks: ranks, progress: progress)
    return configuration.retention.searchesLambda ? try LambdaSearch.run(job) : try job.run()
  }

  /// The cost of a run, and the examples that it trains on. Reads the data; replayed text is not generated or packed, so its rows are those of its share.
  package static func estimate(
    _ configuration: FinetuneConfiguration, threads: Int, progress: Progress = .silent
  ) throws -> (cost: TrainingEstimate, counts: ExampleCounts) {
    try configuration.validate()
    try configuration.checkHeldOut(progress)
    let data = try FinetuneData(configuration, progress), settings = configuration.settings
    let batches = try DocumentBatches(
      examples: data.examples.map(\.example), name: data.name, rows: settings.rows, sequence: settings.sequence,
      epochs: configuration.epochs, randomSeed: settings.randomSeed)
    let share = configuration.replay.isUsed ? configuration.replay.share : 0
    var encoder = data.encoder
    let fisher = try configuration.strategy.fisherSequences(&encoder, length: settings.sequence)
    let training = try configuration.training(steps: Int((Double(batches.steps) / (1 - share)).rounded(.up)), fisher: fisher)
    let cost = try TrainingEstimate(
      training, model: ModelFolder.configuration(data.folder), rows: settings.rows, sequence: settings.sequence,
      evaluates: !data.sets.isEmpty, threads: threads)
    var counts = data.counts
    counts.padding = Double(batches.padding) / Double(batches.padding + batches.tokens)
    return (cost, counts)
  }

  /// The first examples as the model is trained on them.
  package static func preview(
    _ configuration: FinetuneConfiguration, count: Int
  ) throws -> (previews: [ExamplePreview], counts: ExampleCounts) {
    var reader = try configuration.reader()
    let examples = try reader.readAll(configuration.data, sequence: configuration.settings.sequence)
    return (ExamplePreview.first(count, of: examples, reader.tokenizer), reader.counts)
  }
}

extension FinetuneConfiguration {
  fileprivate func reader() throws -> ExampleReader {
    try ExampleReader(model: model, addsSpecial: addsSpecial, allowsSpecials: allowsSpecials, settings: examples)
  }
}

/// What a finetuning run reads; runs that differ only in method, strength, learning rate or random seed share it.
struct FinetuneData {
  /// The model folder.
  let folder: String
  /// Encodes documents as the examples are.
  let encoder: DocumentEncoder
  let examples: [EncodedExample]
  let counts: ExampleCounts
  /// Identifies the examples.
  let name: String
  /// The held-out sets: those of the target first, then those of what the model knew.
  let sets: [ValidationSet]

  /// The name of the documents that are held out of the training data.
  private static let heldOutName = "valid"

  init(_ configuration: FinetuneConfiguration, _ progress: Progress) throws {
    let heldOut = configuration.settings.heldOut, retention = configuration.retention, sequence = configuration.settings.sequence
    folder = try ModelFolder.locate(configuration.model)
    var reader = try configuration.reader()
    var sets = try ValidationSet.read(heldOut + retention.sources, examples: reader, sequence: sequence, progress: progress)
    sets = try Array(sets.prefix(heldOut.count)) + retention.divide(Array(sets.dropFirst(heldOut.count)), files: retention.sources)
    var examples = try reader.readAll(configuration.data, sequence: sequence)
    let place = configuration.data.joined(separator: " ")
    reader.plainSpecials.note(place, progress)
    var name = try configuration.data.map { try Checksum.hex(file: $0) }.joined(separator: " ") + examples.checksum
    if configuration.allowsSpecials { name += " specials" }
    if let fraction = retention.validFraction {
      let isHeldOut = ContentHoldout.choose(fraction, of: examples.map(\.example.tokens))
      let held = zip(examples, isHeldOut).filter(\.1).map(\.0)
      examples = zip(examples, isHeldOut).filter { !$0.1 }.map(\.0)
      guard !examples.isEmpty else { throw WeirError(place, "has one document, which is held out", remedy: "give --valid instead") }
      name += " without \(fraction)"
      reader.leaveOut(held)
      sets.insert(try ValidationSet(held, name: Self.heldOutName, place: place), at: 0)
    }
    (encoder, self.examples, counts, self.name, self.sets) = (reader.encoder, examples, reader.counts, name, sets)
  }
}

/// One finetuning run on data that is read.
struct FinetuneJob {
  var configuration: FinetuneConfiguration
  let data: FinetuneData
  let threads: Int
  var ranks: Ranks?
  var progress: Progress

  func run() throws -> RunReport {
    let settings = configuration.settings, strategy = configuration.strategy
    let replay = try ReplayRows(
      configuration: configuration, model: data.folder, encoder: data.encoder, ranks: RankGroup(ranks), threads: threads, progress: progress
    ).open()
    let batches = try DocumentBatches(
      examples: data.examples.map(\.example), name: data.name, rows: settings.rows, sequence: settings.sequence,
      epochs: configuration.epochs, randomSeed: settings.randomSeed, replay: replay, replayShare: configuration.replay.share)
    if replay != nil, batches.replayedRows(before: batches.steps) == 0 {
      progress.note("warning: \(configuration.output): the run is too short for its share of replay: no row is replayed")
    }
    var encoder = data.encoder
    let fisher = try strategy.fisherSequences(&encoder, length: settings.sequence)
    var training = try configuration.training(steps: batches.steps, fisher: fisher)
    configuration.retention.apply(
      to: &training, sets: data.sets, epochs: configuration.epochs, batchTokens: settings.rows * settings.sequence)
    let report = try TrainingRun.run(
      configuration: training, initial: .folder(data.folder), adapter: strategy.adapter, fisher: fisher, source: batches,
      validation: data.sets, folder: configuration.output, tokenizer: data.folder,
      endOfDocument: data.encoder.tokenizer.endOfDocument.map { Int($0) }, evaluatesInitial: true, threads: threads, ranks: ranks,
      progress: progress)
    if batches.steps < configuration.epochs {
      let rows = max(1, batches.rowCount / configuration.epochs)
      progress.note(
        "warning: \(configuration.epochs) epochs are only \(batches.steps) step\(batches.steps == 1 ? "" : "s") of \(settings.rows) sequences; "
          + "with a batch size of at most \(rows), every epoch is at least one step")
    }
    var counts = data.counts
    counts.padding = Double(batches.padding) / Double(batches.padding + batches.tokens)
    return try RunReport(
      report, run: configuration.output,
      finetuning: RunReport.Finetuning(
        method: strategy.name, lambda: strategy.divergenceWeight, temperature: strategy.temperature, epochs: configuration.epochs,
        learningRate: settings.training.learningRate, examples: counts,
        replay: replay == nil
          ? nil
          : .init(
            share: Double(batches.replayedRows(before: batches.steps)) / Double(batches.steps * settings.rows),
            tokens: batches.replayedTokens(), generations: configuration.replay.generations))
    )
  }
}
