import Kernels
import Loading
import Pipeline
import Tokenization
import Tokens
import Training

/// A training run on a token dataset.
package struct PretrainConfiguration: Codable, Sendable {
  package var data: LoaderConfiguration
  /// The run folder.
  package var output: String
  /// The run, model folder or checkpoint to continue; nil for random initialization.
  package var initial: String?
  /// The shape of the model with random initialization.
  package var shape = ModelShape()
  package var settings = TrainingSettings()
  /// Whether the backward pass recomputes activations.
  package var recompute = false

  package init(dataset: String, output: String) { (data, self.output) = (LoaderConfiguration(dataset: dataset), output) }
}

/// Pretraining and continued pretraining.
package enum PretrainRun {
  /// Trains, or resumes.
  package static func run(
    _ configuration: PretrainConfiguration, threads: Int, ranks: Ranks? = nil, progress: Progress = .silent
  ) throws -> RunReport {
    let dataset = try TokenDataset(configuration.data.dataset)
    let initial = try initial(configuration, dataset)
    let tokenizer = try dataset.openTokenizer()
    let settings = configuration.settings
    try settings.training.validate()
    try initial.check(dataset: dataset, tokenizer: tokenizer, place: configuration.initial ?? "modelConfiguration")
    let loader = try loader(configuration, ranks: RankGroup(ranks), progress)
    let sets = try ValidationSet.read(settings.heldOut, encoder: Models.encoder(dataset, tokenizer))
    let report = try TrainingRun.run(
      configuration: settings.training, initial: initial, source: loader, validation: sets, folder: configuration.output,
      tokenizer: dataset.folder.tokenizer, endOfDocument: dataset.endOfDocument,
      evaluatesInitial: configuration.initial != nil, threads: threads, recompute: configuration.recompute,
      ranks: ranks, progress: progress)
    return try RunReport(report, run: configuration.output)
  }

  private static func data(_ configuration: PretrainConfiguration) -> LoaderConfiguration {
    let settings = configuration.settings
    var data = configuration.data
    (data.rows, data.sequence, data.randomSeed) = (settings.rows, settings.sequence, settings.randomSeed)
    return data
  }

  private static func loader(_ configuration: PretrainConfiguration, ranks: RankGroup, _ progress: Progress) throws -> PackedLoader {
    let settings = configuration.settings, parent = try configuration.initial.flatMap { try ParentRun(of: $0) }
    let data = data(configuration)
    // The first rank packs the rows, and the others find them.
    var first: PackedLoader?
    _ = try ranks.broadcast {
      first = try data.loader(tokens: settings.training.tokens, continuing: parent, progress: progress)
      return true
    }
    return try first ?? data.loader(tokens: settings.training.tokens, continuing: parent)
  }

  /// What the run draws; nil where its rows have yet to be packed.
  package static func order(_ configuration: PretrainConfiguration) throws -> OrderReport? {
    let parent = try configuration.initial.flatMap { try ParentRun(of: $0) }
    return try data(configuration).existingLoader(tokens: configuration.settings.training.tokens, continuing: parent)
      .map { OrderReport($0.order, rows: nil) }
  }

  /// What the run takes.
  package static func estimate(_ configuration: PretrainConfiguration, threads: Int) throws -> TrainingEstimate {
    let settings = configuration.settings
    return try TrainingEstimate(
      settings.training, model: initial(configuration, TokenDataset(configuration.data.dataset)).configuration(), rows: settings.rows,
      sequence: settings.sequence, recompute: configuration.recompute, evaluates: !settings.heldOut.isEmpty, threads: threads)
  }

  private static func initial(_ configuration: PretrainConfiguration, _ dataset: TokenDataset) throws -> ModelInitialization {
    if let path = configuration.initial { return try ModelInitialization(continuing: path) }
    return .scratch(try configuration.shape.configuration(vocabulary: dataset.vocabulary, sequence: configuration.settings.sequence))
  }
}
