import Artifacts
import Primitives
import Tokens

/// A specialist seed as it was read: where each of its windows falls and which document it is of, so that it can be counted, resampled
/// and split.
package struct SeedSample: Sendable, Equatable {
  /// The seed's name, for messages and reports.
  package var name: String
  /// [windows] the leaf of each window.
  package var leaves: [UInt32]
  /// [windows] tokens of each window.
  package var lengths: [Int]
  /// [windows] the document each window is of, ascending.
  package var documents: [Int]
  /// [windows] whether the embedder saw anything in it.
  package var hasFeatures: [Bool]

  /// Creates a sample.
  package init(name: String, leaves: [UInt32], lengths: [Int], documents: [Int], hasFeatures: [Bool]) {
    precondition(
      leaves.count == lengths.count && leaves.count == documents.count && leaves.count == hasFeatures.count, "one of each a window")
    self.name = name
    self.leaves = leaves
    self.lengths = lengths
    self.documents = documents
    self.hasFeatures = hasFeatures
  }

  /// Tokens in all.
  package var tokens: Int { lengths.reduce(0, +) }

  /// Throws where the seed is shorter than one window, which no histogram can be counted from; smoothing fills in what is missing.
  package func check(smoothing: Double) throws {
    guard tokens >= Window.maximum || smoothing > 0 else {
      throw WeirError(
        name, "is a seed of \(tokens) tokens, fewer than one window of \(Window.maximum)",
        remedy: "give more documents, or let --smoothing fill in what so few cannot say")
    }
  }

  /// The histogram over `leafCount` leaves.
  package func histogram(leafCount: Int) throws -> SeedHistogram {
    try SeedHistogram(name: name, leaves: leaves, lengths: lengths, hasFeatures: hasFeatures, leafCount: leafCount)
  }

  /// The sample's windows that can be counted, for splitting.
  var counted: (leaves: [UInt32], documents: [Int]) {
    let kept = leaves.indices.filter { hasFeatures[$0] && lengths[$0] > 0 }
    return (kept.map { leaves[$0] }, kept.map { documents[$0] })
  }

  /// A histogram of documents drawn with replacement, as many as there are: the windows of one document are not independent, so
  /// documents are what is drawn. nil where the draw has nothing to count.
  func resampled(replicate: Int, seed: UInt64, leafCount: Int) -> SeedHistogram? {
    let names = documents.indices.filter { $0 == 0 || documents[$0] != documents[$0 - 1] }
    var windows = [Int](repeating: 0, count: leafCount)
    var tokens = windows
    for draw in Statistics.resample(names.count, seed: seed, replicate: replicate) {
      let end = draw + 1 < names.count ? names[draw + 1] : leaves.count
      for window in names[draw]..<end where hasFeatures[window] && lengths[window] > 0 && leaves[window] < leafCount {
        windows[Int(leaves[window])] += 1
        tokens[Int(leaves[window])] += lengths[window]
      }
    }
    return try? SeedHistogram(name: name, windows: windows, tokens: tokens)
  }
}

/// How sure the histogram of a seed is: percentile intervals of each leaf's smoothed P(c|Ds) over resampled documents (Efron and
/// Tibshirani 1993, chapter 13; ours for CRISP).
package struct SeedIntervals: Sendable, Equatable {
  /// The share of resamples inside.
  package static let level = 0.9
  /// [leaves] the lower ends.
  package var low: [Double]
  /// [leaves] the upper ends.
  package var high: [Double]

  /// Resamples every seed of a combination.
  /// - Parameters:
  ///   - tree: the tree.
  ///   - general: the dataset's counts per leaf.
  ///   - seeds: the seeds with their weights.
  ///   - configuration: depth and smoothing, as for the mixture.
  ///   - replicates: resamples.
  ///   - seed: of the draw.
  /// - Complexity: O(replicates · (windows + nodes)) time; a number a replicate and leaf that any seed touches in memory.
  package init(
    tree: ClusterTree, general: GeneralHistogram, seeds: [(weight: Double, sample: SeedSample)], configuration: SamplingConfiguration,
    replicates: Int, seed: UInt64
  ) throws {
    let leaves = tree.leafCount
    var drawn = [[Double]](repeating: [], count: leaves)
    for replicate in 0..<replicates {
      let histograms = seeds.enumerated().compactMap { index, entry in
        entry.sample.resampled(replicate: replicate, seed: seed &+ UInt64(index), leafCount: leaves).map {
          (weight: entry.weight, histogram: $0)
        }
      }
      guard histograms.count == seeds.count else { continue }
      let demand = try Sampler.demand(tree: tree, general: general, seeds: histograms, configuration: configuration).smoothed
      for leaf in 0..<leaves where demand[leaf] > 0 { drawn[leaf].append(demand[leaf]) }
    }
    low = [Double](repeating: 0, count: leaves)
    high = low
    for leaf in 0..<leaves where !drawn[leaf].isEmpty {
      // A resample that never reached the leaf has 0 there.
      let values = drawn[leaf] + [Double](repeating: 0, count: replicates - drawn[leaf].count)
      (low[leaf], high[leaf]) = Statistics.interval(values, level: Self.level)
    }
  }
}
