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
    let settings = configuration.settings
    var reader = try ExampleReader(model: configuration.model, addsSpecial: configuration.addsSpecial, settings: configuration.examples)
    let tokenizer = reader.tokenizer, sets = try ValidationSet.read(settings.heldOut, examples: reader, sequence: settings.sequence)
    let examples = try reader.readAll(configuration.data, sequence: settings.sequence)
    let name = try configuration.data.map { try Checksum.hex(file: $0) }.joined(separator: " ") + examples.checksum
    let batches = try DocumentBatches(
      examples: examples.map(\.example), name: name, rows: settings.rows, sequence: settings.sequence, epochs: configuration.epochs,
      randomSeed: settings.randomSeed)
    var encoder = try Models.encoder(configuration.model, addsSpecial: configuration.addsSpecial)
    let fisher = try strategy.fisherSequences(&encoder, length: settings.sequence)
    var counts = reader.counts
    counts.padding = Double(batches.padding) / Double(batches.padding + batches.tokens)
    let report = try TrainingRun.run(
      configuration: configuration.training(steps: batches.steps, fisher: fisher), initial: .folder(folder), adapter: strategy.adapter,
      fisher: fisher, source: batches, validation: sets, folder: configuration.output, tokenizer: folder,
      endOfDocument: tokenizer.endOfDocument.map { Int($0) }, threads: threads, ranks: ranks, progress: progress)
    return try RunReport(
      report, run: configuration.output,
      finetuning: RunReport.Finetuning(
        method: strategy.name, lambda: strategy.divergenceWeight, temperature: strategy.temperature, epochs: configuration.epochs,
        learningRate: settings.training.learningRate, examples: counts))
  }

  /// The first examples as the model is trained on them.
  package static func preview(
    _ configuration: FinetuneConfiguration, count: Int
  ) throws -> (previews: [ExamplePreview], counts: ExampleCounts) {
    var reader = try ExampleReader(model: configuration.model, addsSpecial: configuration.addsSpecial, settings: configuration.examples)
    let examples = try reader.readAll(configuration.data, sequence: configuration.settings.sequence)
    return (ExamplePreview.first(count, of: examples, reader.tokenizer), reader.counts)
  }
}
