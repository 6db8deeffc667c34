import Artifacts
import Primitives
import Tokens

/// The windows of a specialist seed with their leaves and documents, so that they can be counted, resampled and split.
package struct SpecialistWindows: Sendable, Equatable {
  /// The name of the seed, for errors and reports.
  package var name: String
  /// [windows] the leaf of each window.
  package var leaves: [UInt32]
  /// [windows] tokens of each window.
  package var lengths: [Int]
  /// [windows] the document of each window, ascending.
  package var documents: [Int]
  /// [windows] whether the embedder found features in the window.
  package var hasFeatures: [Bool]

  package init(name: String, leaves: [UInt32], lengths: [Int], documents: [Int], hasFeatures: [Bool]) {
    precondition(
      leaves.count == lengths.count && leaves.count == documents.count && leaves.count == hasFeatures.count, "one of each per window")
    self.name = name
    self.leaves = leaves
    self.lengths = lengths
    self.documents = documents
    self.hasFeatures = hasFeatures
  }

  package var tokens: Int { lengths.reduce(0, +) }

  /// Throws `WeirError` for a seed of less than one window without smoothing: its histogram would be arbitrary.
  package func check(smoothing: Double) throws {
    guard tokens >= Window.maximum || smoothing > 0 else {
      throw WeirError(
        name, "has \(tokens) tokens, fewer than one window of \(Window.maximum)", remedy: "give more documents, or a positive smoothing")
    }
  }

  package func histogram(leafCount: Int) throws -> SpecialistHistogram {
    try SpecialistHistogram(name: name, leaves: leaves, lengths: lengths, hasFeatures: hasFeatures, leafCount: leafCount)
  }

  /// The windows that can be counted.
  var counted: (leaves: [UInt32], documents: [Int]) {
    let kept = leaves.indices.filter { hasFeatures[$0] && lengths[$0] > 0 }
    return (kept.map { leaves[$0] }, kept.map { documents[$0] })
  }

  /// A bootstrap resample of the histogram, nil if it is empty. Documents are resampled, because windows of one document are not independent.
  func resampled(replicate: Int, randomSeed: UInt64, leafCount: Int) -> SpecialistHistogram? {
    let firsts = documents.indices.filter { $0 == 0 || documents[$0] != documents[$0 - 1] }
    var windows = [Int](repeating: 0, count: leafCount)
    var tokens = windows
    for document in Statistics.resample(firsts.count, seed: randomSeed, replicate: replicate) {
      let end = document + 1 < firsts.count ? firsts[document + 1] : leaves.count
      for window in firsts[document]..<end where hasFeatures[window] && lengths[window] > 0 && leaves[window] < leafCount {
        windows[Int(leaves[window])] += 1
        tokens[Int(leaves[window])] += lengths[window]
      }
    }
    return try? SpecialistHistogram(name: name, windows: windows, tokens: tokens)
  }
}

/// Bootstrap percentile intervals of each leaf's smoothed P(c|Ds), over resampled documents of the specialist seed (Efron and Tibshirani
/// 1993, chapter 13; an extension of Weir to CRISP).
package struct SpecialistIntervals: Sendable, Equatable {
  /// The coverage of the intervals.
  package static let level = 0.9
  /// [leaves] the lower ends.
  package var low: [Double]
  /// [leaves] the upper ends.
  package var high: [Double]

  /// - Parameters:
  ///   - seeds: the seeds of a convex combination.
  ///   - configuration: depth and smoothing, as for the mixture.
  ///   - replicates: the number of resamples.
  /// - Complexity: O(replicates · (windows + nodes)) time, O(replicates · leaves with seed windows) memory.
  package init(
    tree: ClusterTree, general: GeneralHistogram, seeds: [(weight: Double, windows: SpecialistWindows)],
    configuration: MixtureConfiguration, replicates: Int, randomSeed: UInt64
  ) throws {
    let leaves = tree.leafCount
    var found = [[Double]](repeating: [], count: leaves)
    for replicate in 0..<replicates {
      let histograms = seeds.enumerated().compactMap { index, entry in
        entry.windows.resampled(replicate: replicate, randomSeed: randomSeed &+ UInt64(index), leafCount: leaves).map {
          (weight: entry.weight, histogram: $0)
        }
      }
      guard histograms.count == seeds.count else { continue }
      let demand = try Sampler.demand(tree: tree, general: general, seeds: histograms, configuration: configuration).smoothed
      for leaf in 0..<leaves where demand[leaf] > 0 { found[leaf].append(demand[leaf]) }
    }
    low = [Double](repeating: 0, count: leaves)
    high = low
    for leaf in 0..<leaves where !found[leaf].isEmpty {
      // In the other resamples the leaf has probability 0.
      let values = found[leaf] + [Double](repeating: 0, count: replicates - found[leaf].count)
      (low[leaf], high[leaf]) = Statistics.interval(values, level: Self.level)
    }
  }
}
