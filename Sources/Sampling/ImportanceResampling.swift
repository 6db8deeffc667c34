import Foundation
import Kernels
import Pipeline
import Primitives

/// Data selection with importance resampling, DSIR (Xie et al., arXiv 2302.03169 §3): bags of hashed word n-grams of the corpus and of the
/// seed, the log importance weight of a window Σ ln p̂(feature|Ds) − ln p̂(feature|Dg), and resampling without replacement by the Gumbel
/// top-k trick.
///
/// On equal features, log weights equal those of the reference package (`data-selection` 1.0.3): 10⁻⁸ is added to each probability, weights are
/// not normalized by length, and windows of fewer than `minimumWords` words are left out.
package struct ImportanceResampling: Sendable {
  package struct Configuration: Sendable, Codable, Equatable {
    /// Buckets of the hashed n-grams.
    package var buckets = 10_000
    /// Windows with fewer words are never chosen: their log weight is close to 0 whatever they contain.
    package var minimumWords = 100

    /// The defaults of the reference package.
    package init() {}

    /// Throws `WeirError` with the name of the first invalid property.
    package func validate() throws {
      guard (1...1 << 16).contains(buckets) else { throw WeirError("buckets", "must be in 1…65,536, not \(buckets)") }
      guard minimumWords >= 0 else { throw WeirError("minimumWords", "must not be negative: \(minimumWords)") }
    }
  }

  package let configuration: Configuration
  /// [buckets] ln p̂(b|Ds) − ln p̂(b|Dg).
  package let logRatios: [Double]
  private let features: WordFeatures

  /// Counts both bags.
  /// - Parameters:
  ///   - general: the windows of the corpus. All are counted; the reference package stops at 10⁵ tokens per bucket.
  ///   - target: the documents of the seed.
  ///   - pool: the result does not depend on its number of threads.
  /// - Throws: `WeirError` if either contains no word.
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
      guard total > 0 else { throw WeirError(name, "contains no word") }
      return counts.map { Double($0) / total }
    }
    let raw = try shares(general, name: "dataset")
    let wanted = try shares(WindowTexts(target), name: "specialist")
    logRatios = zip(wanted, raw).map { log($0 + 1e-8) - log($1 + 1e-8) }
  }

  /// The log importance weight of a text, and its number of words.
  package func score(_ text: [UInt8]) -> (logWeight: Double, words: Int) {
    let (buckets, words) = features.features(of: text)
    return (buckets.reduce(0.0) { $0 + logRatios[Int($1)] }, words)
  }

  /// [windows] log importance weights; −∞ for a window with too few words.
  package func scores(of windows: WindowTexts, pool: ThreadPool, progress: Pipeline.Progress = .silent) throws -> [Double] {
    try windows.fold(pool: pool, progress: progress, start: [Double]()) { scores, _, text in
      let (weight, words) = score(text)
      scores.append(words >= configuration.minimumWords ? weight : -.infinity)
    }
    .flatMap { $0 }
  }

  /// The scores with Gumbel noise: the k highest are a sample of k without replacement, proportional to e^score (Kool et al.,
  /// arXiv 1903.06059).
  package static func perturbed(_ scores: [Double], randomSeed: UInt64) -> [Double] {
    let random = CounterRandom(seed: randomSeed, stream: 0xD51D)
    return scores.indices.map { window in
      // In (0, 1): neither logarithm is infinite.
      let uniform = (Double(random.bits(UInt64(window)) >> 11) + 0.5) * 0x1p-53
      return scores[window] - log(-log(uniform))
    }
  }
}
