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
    let folder = try ModelFolder.locate(configuration.model)
    var encoder = try Models.encoder(
      configuration.model, addsSpecial: configuration.addsSpecial, allowsSpecials: configuration.allowsSpecials)
    let encoded = try encoder.encode(files: configuration.data), documents = encoded.map(\.ids)
    var specials = PlainSpecials()
    for document in encoded { specials.add(document.plainSpecials) }
    specials.note(configuration.data.joined(separator: " "), progress)
    guard documents.contains(where: { $0.count > 1 }) else {
      throw WeirError(configuration.data.joined(separator: " "), "no document has two tokens, the fewest to train on")
    }
    let name =
      try configuration.data.map { try Checksum.hex(file: $0) }.joined(separator: " ")
      + (configuration.allowsSpecials ? " specials" : "")
    let settings = configuration.settings
    let replay = try ReplayRows(
      configuration: configuration, model: folder, encoder: encoder, ranks: RankGroup(ranks), threads: threads, progress: progress
    ).open()
    let batches = try DocumentBatches(
      documents: documents, name: name, rows: settings.rows, sequence: settings.sequence, epochs: configuration.epochs,
      randomSeed: settings.randomSeed, replay: replay, replayShare: configuration.replay.share)
    if replay != nil, batches.replayedRows(before: batches.steps) == 0 {
      progress.note("warning: \(configuration.output): the run is too short for its share of replay: no row is replayed")
    }
    let sets = try ValidationSet.read(settings.heldOut, encoder: encoder, progress: progress)
    let report = try TrainingRun.run(
      configuration: configuration.training(steps: batches.steps), initial: .folder(folder), source: batches, validation: sets,
      folder: configuration.output, tokenizer: folder, endOfDocument: encoder.tokenizer.endOfDocument.map { Int($0) }, threads: threads,
      ranks: ranks, progress: progress)
    return try RunReport(
      report, run: configuration.output,
      finetuning: RunReport.Finetuning(
        method: configuration.method.rawValue, lambda: configuration.method == .anneal ? configuration.lambda : 0,
        temperature: configuration.temperature, epochs: configuration.epochs, learningRate: settings.training.learningRate,
        replay: replay == nil
          ? nil : .init(share: configuration.replay.share, tokens: batches.replayedTokens(), generations: configuration.replay.generations))
    )
  }
}
