import Artifacts
import Foundation
import Primitives

/// The held-out likelihood of a specialist seed at one depth of the tree: the seed is split in two, and P(c|Ds) of one half is scored on the
/// other. It chooses a depth without training (an extension of Weir; CRISP chooses by the loss of a proxy model).
package struct DepthScore: Sendable, Codable, Equatable {
  package var depth: Int
  /// The mean of ln P(c|Ds half) − ln P(c|Dg) over held-out windows, in nats/window, with both halves held out in turn. Higher is better; 0
  /// is the general corpus.
  package var gain: Double

  /// Scores every depth of a tree.
  /// - Parameters:
  ///   - general: the counts of the dataset.
  ///   - leaves: [windows] the leaf of each window of the seed.
  ///   - documents: [windows] the document of each window. Windows of a document are similar, so they stay in one half; with a single
  ///     document, its windows are split.
  ///   - smoothing: the pseudo-count; at least 0.5 is used, because without smoothing held-out leaves may have probability 0.
  ///   - randomSeed: determines the split.
  package static func scores(
    tree: ClusterTree, general: GeneralHistogram, leaves: [UInt32], documents: [Int], smoothing: Double, randomSeed: UInt64
  ) throws -> [DepthScore] {
    let count = tree.leafCount
    guard leaves.count == documents.count, general.tokens.count == count, leaves.allSatisfy({ $0 < count }) else {
      throw WeirError("specialist", "its leaves do not belong to this tree")
    }
    let random = CounterRandom(seed: randomSeed, stream: 0x4453)
    guard leaves.count >= 2 else { throw WeirError("specialist", "has fewer than two windows, so none can be held out") }
    let units = Set(documents).count >= 2 ? documents : Array(leaves.indices)
    let order = Set(units).map { (random.bits(UInt64($0)), $0) }.sorted { $0 < $1 }.map(\.1)
    let first = Set(order[..<(order.count / 2)])
    let halves = [leaves.indices.filter { first.contains(units[$0]) }, leaves.indices.filter { !first.contains(units[$0]) }]
    let mass = TreeMass(tree: tree)
    // Add-half smoothing, because ln 0 is not finite.
    let shares = general.tokens.map { (Double($0) + 0.5) / (Double(general.totalTokens) + 0.5 * Double(count)) }
    return (0...tree.depth).map { depth in
      var sum = 0.0
      for (train, test) in [(halves[0], halves[1]), (halves[1], halves[0])] {
        var counts = [Double](repeating: 0, count: count)
        for window in train { counts[Int(leaves[window])] += 1 }
        let fitted = mass.backOff(seed: counts, general: shares, pseudo: max(0.5, smoothing), depth: depth)
        for window in test {
          let leaf = Int(leaves[window])
          sum += log(fitted[leaf] / shares[leaf])
        }
      }
      return DepthScore(depth: depth, gain: sum / Double(leaves.count))
    }
  }

  /// The shallowest depth whose gain is within 0.01 nats of the highest.
  package static func best(_ scores: [DepthScore]) -> Int {
    let highest = scores.map(\.gain).max() ?? 0
    return scores.first { $0.gain >= highest - 0.01 }?.depth ?? 0
  }

  /// Scores every depth for a convex combination of seeds: the weighted mean of their scores.
  package static func scores(
    tree: ClusterTree, general: GeneralHistogram, seeds: [(weight: Double, windows: SpecialistWindows)], smoothing: Double,
    randomSeed: UInt64
  ) throws -> [DepthScore] {
    let sum = seeds.reduce(0.0) { $0 + $1.weight }
    let each = try seeds.map { entry in
      let counted = entry.windows.counted
      return try scores(
        tree: tree, general: general, leaves: counted.leaves, documents: counted.documents, smoothing: smoothing, randomSeed: randomSeed)
    }
    return (0...tree.depth).map { depth in
      DepthScore(depth: depth, gain: zip(seeds, each).reduce(0.0) { $0 + $1.0.weight / sum * $1.1[depth].gain })
    }
  }
}
