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
    let strategy = configuration.strategy
    try strategy.validate()
    try strategy.checkFisherData(against: configuration.settings.heldOut)
    let folder = try ModelFolder.locate(configuration.model)
    var encoder = try Models.encoder(configuration.model, addsSpecial: configuration.addsSpecial)
    let documents = try encoder.encode(files: configuration.data).map(\.ids)
    guard documents.contains(where: { $0.count > 1 }) else {
      throw WeirError(configuration.data.joined(separator: " "), "no document has two tokens, the fewest to train on")
    }
    let name = try configuration.data.map { try Checksum.hex(file: $0) }.joined(separator: " ")
    let settings = configuration.settings
    let batches = try DocumentBatches(
      documents: documents, name: name, rows: settings.rows, sequence: settings.sequence, epochs: configuration.epochs,
      randomSeed: settings.randomSeed)
    let sets = try ValidationSet.read(settings.heldOut, encoder: encoder)
    let fisher = try strategy.fisherSequences(&encoder, length: settings.sequence)
    let report = try TrainingRun.run(
      configuration: configuration.training(steps: batches.steps, fisher: fisher), initial: .folder(folder), adapter: strategy.adapter,
      fisher: fisher, source: batches, validation: sets, folder: configuration.output, tokenizer: folder,
      endOfDocument: encoder.tokenizer.endOfDocument.map { Int($0) }, threads: threads, ranks: ranks, progress: progress)
    return try RunReport(
      report, run: configuration.output,
      finetuning: RunReport.Finetuning(
        method: strategy.name, lambda: strategy.divergenceWeight, temperature: strategy.temperature, epochs: configuration.epochs,
        learningRate: settings.training.learningRate))
  }
}
