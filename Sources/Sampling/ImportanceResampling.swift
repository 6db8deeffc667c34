import Foundation
import Kernels
import Pipeline
import Primitives

/// Data selection with importance resampling, DSIR (Xie et al., arXiv 2302.03169 §3): two bags of hashed word n-grams, the log weight of
/// a window Σ ln p̂(feature|Ds) − ln p̂(feature|Dg) over its features, and a draw without replacement by the Gumbel trick.
///
/// Log weights are those of the reference package (`data-selection` 1.0.3) on the same features: buckets' shares plus 10⁻⁸, no
/// normalisation by length, windows of fewer than `minimumWords` words left out.
package struct ImportanceResampling: Sendable {
  /// How windows are seen and which may be chosen.
  package struct Configuration: Sendable, Codable, Equatable {
    /// Buckets of the hashed n-grams.
    package var buckets = 10_000
    /// Words below which a window is never chosen: its sum is near 0 whatever is in it.
    package var minimumWords = 100

    /// Creates the defaults of the reference package.
    package init() {}

    /// Throws on values that make no sense.
    package func validate() throws {
      guard (1...1 << 16).contains(buckets) else { throw WeirError("buckets", "\(buckets) are not in 1…65,536") }
      guard minimumWords >= 0 else { throw WeirError("--minimum-words", "\(minimumWords) is negative") }
    }
  }

  /// The settings.
  package let configuration: Configuration
  /// [buckets] ln p̂(b|Ds) − ln p̂(b|Dg).
  package let logRatios: [Double]
  private let features: WordFeatures

  /// Fits both bags.
  /// - Parameters:
  ///   - general: the corpus's windows; all are counted, where the package stops at 10⁵ tokens a bucket.
  ///   - target: the seed's documents.
  ///   - configuration: the settings.
  ///   - pool: the threads; no number depends on them.
  ///   - progress: told how far it is.
  /// - Throws: `WeirError` where either has no word.
  package init(
    general: WindowTexts, target: [[UInt8]], configuration: Configuration = Configuration(), pool: ThreadPool,
    progress: Pipeline.Progress = .silent
  ) throws {
    try configuration.validate()
    self.configuration = configuration
    let features = WordFeatures(buckets: configuration.buckets)
    self.features = features
    func shares(_ texts: WindowTexts, name: String) throws -> [Double] {
      let parts = try texts.fold(pool: pool, progress: progress, start: [UInt32](repeating: 0, count: configuration.buckets)) {
        counts, _, text in
        for bucket in features.features(of: text).buckets { counts[Int(bucket)] += 1 }
      }
      var counts = [Int](repeating: 0, count: configuration.buckets)
      for part in parts { for bucket in part.indices { counts[bucket] += Int(part[bucket]) } }
      let total = Double(counts.reduce(0, +))
      guard total > 0 else { throw WeirError(name, "has no word to tell it by") }
      return counts.map { Double($0) / total }
    }
    let raw = try shares(general, name: "dataset")
    let wanted = try shares(WindowTexts(target), name: "--seed-data")
    logRatios = zip(wanted, raw).map { log($0 + 1e-8) - log($1 + 1e-8) }
  }

  /// The log importance weight of a text, and its words.
  package func score(_ text: [UInt8]) -> (logWeight: Double, words: Int) {
    let (buckets, words) = features.features(of: text)
    return (buckets.reduce(0.0) { $0 + logRatios[Int($1)] }, words)
  }

  /// [windows] log importance weights; −∞ where a window has too few words to be chosen.
  package func scores(of windows: WindowTexts, pool: ThreadPool, progress: Pipeline.Progress = .silent) throws -> [Double] {
    try windows.fold(pool: pool, progress: progress, start: [Double]()) { scores, _, text in
      let (weight, words) = score(text)
      scores.append(words >= configuration.minimumWords ? weight : -.infinity)
    }
    .flatMap { $0 }
  }

  /// The scores with Gumbel noise: the k highest are a draw of k without replacement in proportion to e^score (Kool et al.,
  /// arXiv 1903.06059).
  package static func perturbed(_ scores: [Double], seed: UInt64) -> [Double] {
    let random = CounterRandom(seed: seed, stream: 0xD51D)
    return scores.indices.map { window in
      // In (0, 1): neither logarithm is infinite.
      let uniform = (Double(random.bits(UInt64(window)) >> 11) + 0.5) * 0x1p-53
      return scores[window] - log(-log(uniform))
    }
  }
}
