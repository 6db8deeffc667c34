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
    let data = try FinetuneData(configuration)
    let job = FinetuneJob(configuration: configuration, data: data, threads: threads, ranks: ranks, progress: progress)
    return configuration.retention.searchesLambda ? try LambdaSearch.run(job) : try job.run()
  }
}

/// What a finetuning run reads; runs that differ only in method, strength, learning rate or random seed share it.
struct FinetuneData {
  /// The model folder.
  let folder: String
  let encoder: DocumentEncoder
  /// The tokens of the documents to train on.
  let documents: [[Int32]]
  /// Identifies the documents.
  let name: String
  /// The held-out sets: those of the target first, then those of what the model knew.
  let sets: [ValidationSet]

  /// The name of the documents that are held out of the training data.
  private static let heldOutName = "valid"

  init(_ configuration: FinetuneConfiguration) throws {
    let heldOut = configuration.settings.heldOut, retention = configuration.retention
    try retention.validate(heldOut: heldOut)
    folder = try ModelFolder.locate(configuration.model)
    var encoder = try Models.encoder(configuration.model, addsSpecial: configuration.addsSpecial)
    var encoded = try encoder.encode(files: configuration.data)
    self.encoder = encoder
    var name = try configuration.data.map { try Checksum.hex(file: $0) }.joined(separator: " ")
    var sets = try ValidationSet.read(heldOut + retention.sources, encoder: encoder)
    sets = try Array(sets.prefix(heldOut.count)) + retention.divide(Array(sets.dropFirst(heldOut.count)), files: retention.sources)
    let place = configuration.data.joined(separator: " ")
    if let fraction = retention.validFraction {
      let isHeldOut = ContentHoldout.choose(fraction, of: encoded.map(\.ids))
      let held = zip(encoded, isHeldOut).filter(\.1).map(\.0)
      encoded = zip(encoded, isHeldOut).filter { !$0.1 }.map(\.0)
      name += " without \(fraction)"
      sets.insert(try ValidationSet(held, name: Self.heldOutName, place: place), at: 0)
    }
    documents = encoded.map(\.ids)
    guard documents.contains(where: { $0.count > 1 }) else {
      throw WeirError(place, "no document has two tokens, the fewest to train on")
    }
    (self.name, self.sets) = (name, sets)
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
    let settings = configuration.settings
    let batches = try DocumentBatches(
      documents: data.documents, name: data.name, rows: settings.rows, sequence: settings.sequence, epochs: configuration.epochs,
      randomSeed: settings.randomSeed)
    var training = configuration.training(steps: batches.steps)
    configuration.retention.apply(
      to: &training, sets: data.sets, epochs: configuration.epochs, batchTokens: settings.rows * settings.sequence)
    let report = try TrainingRun.run(
      configuration: training, initial: .folder(data.folder), source: batches, validation: data.sets,
      folder: configuration.output, tokenizer: data.folder, endOfDocument: data.encoder.tokenizer.endOfDocument.map { Int($0) },
      evaluatesInitial: true, threads: threads, ranks: ranks, progress: progress)
    if batches.steps < configuration.epochs {
      let rows = max(1, batches.rowCount / configuration.epochs)
      progress.note(
        "warning: \(configuration.epochs) epochs are only \(batches.steps) step\(batches.steps == 1 ? "" : "s") of \(settings.rows) sequences; "
          + "with a batch size of at most \(rows), every epoch is at least one step")
    }
    return try RunReport(
      report, run: configuration.output,
      finetuning: RunReport.Finetuning(
        method: configuration.method.rawValue, lambda: configuration.method == .anneal ? configuration.lambda : 0,
        temperature: configuration.temperature, epochs: configuration.epochs, learningRate: settings.training.learningRate))
  }
}
