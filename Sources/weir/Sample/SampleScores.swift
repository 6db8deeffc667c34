import Embedding
import Kernels
import Primitives
import Sampling
import Storage
import Tokenization
import Tokens
import Training

/// The scores of every window of a dataset by a method that scores windows, and the file they may be kept in.
struct SampleScores {
  let dataset: TokenDataset
  let tokenizer: Tokenizer
  let seeds: SampleSeeds
  let session: Session

  /// The texts of the dataset's windows, without end-of-document tokens.
  private var texts: WindowTexts {
    let reader = WindowReader(dataset), tokenizer = tokenizer
    return WindowTexts(count: dataset.windowCount) { tokenizer.decode(try reader.tokens($0).map { UInt32(bitPattern: $0) }) }
  }

  /// DSIR: log importance weights, without the noise of the draw.
  func importance(minimumWords: Int) throws -> [Double] {
    var configuration = ImportanceResampling.Configuration()
    configuration.minimumWords = minimumWords
    let pool = ThreadPool(threads: session.threads)
    return try session.with("dsir") { progress in
      try ImportanceResampling(general: texts, target: seeds.texts, configuration: configuration, pool: pool, progress: progress)
        .scores(of: texts, pool: pool, progress: progress)
    }
  }

  /// The classifier's log odds.
  func classifier(seed: UInt64) throws -> [Double] {
    var configuration = NgramClassifier.Configuration()
    configuration.seed = seed
    let pool = ThreadPool(threads: session.threads)
    let target = seeds.seeds.flatMap(\.windows).map { window in
      tokenizer.decode(window.tokens.map { UInt32(bitPattern: $0) }.filter { $0 != UInt32(dataset.endOfDocument) })
    }
    return try session.with("classifier") { progress in
      try NgramClassifier(general: texts, target: target, configuration: configuration, pool: pool, progress: progress)
        .scores(of: texts, pool: pool, progress: progress)
    }
  }

  /// Cross-entropy difference (Moore and Lewis 2010) a token, in nats: the general model's loss less the specialist's, on the first
  /// `tokens` tokens of each window. −∞ where a window has nothing to predict.
  func crossEntropyDifference(general: String, specialist: String, tokens: Int) throws -> [Double] {
    let losses = try [general, specialist].map { path in
      let folder = try ModelFolder.locate(path)
      try ModelInitialization.folder(folder).check(dataset: dataset, tokenizer: tokenizer, place: path)
      let evaluator = try Evaluator(folder: folder, threads: session.threads), reader = WindowReader(dataset)
      return try session.with("ced") { progress in
        var losses: [Double] = []
        losses.reserveCapacity(dataset.windowCount)
        // So many windows at once that rows are well filled, so few that their tokens need no room.
        for start in stride(from: 0, to: dataset.windowCount, by: 4_096) {
          progress.update(Double(start), of: Double(dataset.windowCount), unit: "windows", detail: path)
          let windows = try (start..<min(dataset.windowCount, start + 4_096)).map {
            EvaluationDocument(tokens: Array(try reader.tokens($0).prefix(tokens)), bytes: 0)
          }
          losses += try evaluator.score(windows).map { $0.tokens > 0 ? $0.nats / Double($0.tokens) : .infinity }
        }
        return losses
      }
    }
    return zip(losses[0], losses[1]).map { $0.isFinite && $1.isFinite ? $0 - $1 : -.infinity }
  }
}
