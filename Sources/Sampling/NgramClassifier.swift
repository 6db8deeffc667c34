import Foundation
import Kernels
import Pipeline
import Primitives

/// A classifier of the specialist seed against the corpus: logistic regression on the mean of hashed word n-grams, which is fastText's
/// `supervised` mode with `wordNgrams 2` (Joulin et al., arXiv 1607.01759) with its two linear layers multiplied out.
///
/// The windows of the seed are one class, random windows of the corpus the other, with equal total weights. AdaGrad takes one window at a time in
/// random order, so the result does not depend on the number of threads.
package struct NgramClassifier: Sendable {
  package struct Configuration: Sendable, Codable, Equatable {
    /// Buckets of the hashed n-grams.
    package var buckets = 1 << 18
    /// The most windows of the corpus in the training set.
    package var generalWindows = 20_000
    /// Passes over the training set.
    package var epochs = 5
    /// AdaGrad's learning rate.
    package var rate = 0.5
    package var randomSeed: UInt64 = 1

    package init() {}
  }

  /// [buckets]
  package private(set) var weights: [Float]
  package private(set) var bias: Float = 0
  private let features: WordFeatures

  /// Trains the classifier.
  /// - Parameters:
  ///   - general: the windows of the corpus.
  ///   - target: the windows of the seed.
  package init(
    general: WindowTexts, target: [[UInt8]], configuration: Configuration = Configuration(), pool: ThreadPool,
    progress: Pipeline.Progress = .silent
  ) throws {
    let features = WordFeatures(buckets: configuration.buckets)
    self.features = features
    weights = [Float](repeating: 0, count: configuration.buckets)
    let random = CounterRandom(seed: configuration.randomSeed, stream: 0xC1A5)
    let chosen = (0..<general.count).map { (random.bits(UInt64($0)), $0) }.sorted { $0 < $1 }.prefix(configuration.generalWindows).map(\.1)
      .sorted()
    let sample = WindowTexts(count: chosen.count) { try general.text(chosen[$0]) }
    func bags(_ texts: WindowTexts) throws -> [[UInt32]] {
      try texts.fold(pool: pool, progress: progress, start: [[UInt32]]()) { $0.append(features.features(of: $2).buckets) }.flatMap { $0 }
        .filter { !$0.isEmpty }
    }
    let classes = [try bags(WindowTexts(target)), try bags(sample)]
    guard !classes[0].isEmpty, !classes[1].isEmpty else { throw WeirError("specialist", "the seed or the corpus contains no word") }
    let bags = classes[0].map { (bag: $0, label: Float(1)) } + classes[1].map { (bag: $0, label: Float(0)) }
    // Each class has half of the total weight, whatever its size.
    let share = classes.map { Float(bags.count) / (2 * Float($0.count)) }
    var squares = [Float](repeating: 0, count: configuration.buckets)
    var biasSquares: Float = 0
    for epoch in 0..<configuration.epochs {
      try progress.checkStop()
      let order = Permutation(count: bags.count, seed: configuration.randomSeed, stream: 0xC1A6 &+ UInt64(epoch))
      for index in bags.indices {
        let (bag, label) = bags[order[index]]
        let error = (1 / (1 + exp(-logit(bag))) - label) * (label > 0 ? share[0] : share[1])
        let step = error / Float(bag.count)
        for bucket in bag {
          let at = Int(bucket)
          squares[at] += step * step
          weights[at] -= Float(configuration.rate) * step / (squares[at].squareRoot() + 1e-8)
        }
        biasSquares += error * error
        bias -= Float(configuration.rate) * error / (biasSquares.squareRoot() + 1e-8)
      }
    }
  }

  private func logit(_ bag: [UInt32]) -> Float { bias + bag.reduce(Float(0)) { $0 + weights[Int($1)] } / Float(max(1, bag.count)) }

  /// ln p(seed)/p(corpus) of a text; −∞ for a text without words.
  package func score(_ text: [UInt8]) -> Double {
    let bag = features.features(of: text).buckets
    return bag.isEmpty ? -.infinity : Double(logit(bag))
  }

  /// [windows] scores.
  package func scores(of windows: WindowTexts, pool: ThreadPool, progress: Pipeline.Progress = .silent) throws -> [Double] {
    try windows.fold(pool: pool, progress: progress, start: [Double]()) { $0.append(score($2)) }.flatMap { $0 }
  }
}
