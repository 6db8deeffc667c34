import Embedding
import Kernels
import Pipeline
import Sampling
import Tokens
import Training

/// Scores every window of a dataset by its similarity to a specialist seed.
struct WindowScorer {
  let dataset: TokenDataset
  let seeds: SpecialistSeeds
  let threads: Int
  let progress: Progress

  /// The texts of the dataset's windows.
  private var texts: WindowTexts {
    let reader = WindowReader(dataset), tokenizer = seeds.tokenizer
    return WindowTexts(count: dataset.windowCount) { tokenizer.decode(try reader.tokens($0).map { UInt32(bitPattern: $0) }) }
  }

  /// DSIR: log importance weights, without the noise of the resampling.
  func importance(minimumWords: Int) throws -> [Double] {
    var configuration = ImportanceResampling.Configuration()
    configuration.minimumWords = minimumWords
    let pool = ThreadPool(threads: threads), progress = progress.phase("dsir")
    return try ImportanceResampling(general: texts, target: seeds.texts, configuration: configuration, pool: pool, progress: progress)
      .scores(of: texts, pool: pool, progress: progress)
  }

  /// Classifier: log odds.
  func classifier(randomSeed: UInt64) throws -> [Double] {
    var configuration = NgramClassifier.Configuration()
    configuration.randomSeed = randomSeed
    let pool = ThreadPool(threads: threads), progress = progress.phase("classifier")
    let target = seeds.seeds.flatMap(\.windows).map { window in
      seeds.tokenizer.decode(window.tokens.map { UInt32(bitPattern: $0) }.filter { $0 != UInt32(dataset.endOfDocument) })
    }
    return try NgramClassifier(general: texts, target: target, configuration: configuration, pool: pool, progress: progress)
      .scores(of: texts, pool: pool, progress: progress)
  }

  /// Cross-entropy difference (Moore and Lewis 2010) in nats/token: the loss of the general model minus that of the specialist, on the first
  /// `tokens` tokens of each window; −∞ for a window without a token to predict.
  func crossEntropyDifference(general: String, specialist: String, tokens: Int) throws -> [Double] {
    let progress = progress.phase("ced")
    let losses = try [general, specialist].map { path in
      let folder = try ModelFolder.locate(path)
      try ModelInitialization.folder(folder).check(dataset: dataset, tokenizer: seeds.tokenizer, place: path)
      let evaluator = try Evaluator(folder: folder, longest: Window.maximum, threads: threads), reader = WindowReader(dataset)
      var losses: [Double] = []
      losses.reserveCapacity(dataset.windowCount)
      // Enough windows at once to fill rows well, and few enough to need little memory.
      for start in stride(from: 0, to: dataset.windowCount, by: 4_096) {
        progress.update(Double(start), of: Double(dataset.windowCount), unit: "windows", detail: path)
        let windows = try (start..<min(dataset.windowCount, start + 4_096)).map {
          EvaluationDocument(tokens: Array(try reader.tokens($0).prefix(tokens)), bytes: 0)
        }
        losses += try evaluator.score(windows).map { $0.tokens > 0 ? $0.nats / Double($0.tokens) : .infinity }
      }
      return losses
    }
    return zip(losses[0], losses[1]).map { $0.isFinite && $1.isFinite ? $0 - $1 : -.infinity }
  }
}
