import Artifacts
import Foundation
import Primitives

/// The functions of the C library used here, in one place.
enum Elementary {
  /// ln x.
  static func natural(_ x: Double) -> Double { log(x) }
}

/// Which depth of the tree suits a seed, without training: the seed is split in two, P(c|Ds) of one half is scored on the other
/// (ours; docs of CRISP choose by the loss of a proxy model).
package struct DepthScore: Sendable, Codable, Equatable {
  /// The depth.
  package var depth: Int
  /// Mean over held-out windows of ln P(c|Ds half) − ln P(c|Dg), in nats, both halves taken in turn: higher is better, 0 is the
  /// general corpus.
  package var gain: Double

  /// Scores every depth of a tree.
  /// - Parameters:
  ///   - tree: the tree.
  ///   - general: the dataset's counts per leaf.
  ///   - leaves: [windows] the seed's leaves.
  ///   - documents: [windows] each one's document: its windows are alike, and stay together; where there is but one, windows are split.
  ///   - smoothing: the pseudo-count; at least 0.5 is used, as an unsmoothed half gives held-out leaves no probability.
  ///   - seed: of the split.
  package static func scores(
    tree: ClusterTree, general: GeneralHistogram, leaves: [UInt32], documents: [Int], smoothing: Double, seed: UInt64
  ) throws -> [DepthScore] {
    let count = tree.leafCount
    guard leaves.count == documents.count, general.tokens.count == count, leaves.allSatisfy({ $0 < count }) else {
      throw WeirError("--seed-data", "its leaves do not belong to this tree")
    }
    let random = CounterRandom(seed: seed, stream: 0x4453)
    guard leaves.count >= 2 else { throw WeirError("--seed-data", "fewer than two windows: nothing to hold out") }
    let units = Set(documents).count >= 2 ? documents : Array(leaves.indices)
    let order = Set(units).map { (random.bits(UInt64($0)), $0) }.sorted { $0 < $1 }.map(\.1)
    let first = Set(order[..<(order.count / 2)])
    let halves = [leaves.indices.filter { first.contains(units[$0]) }, leaves.indices.filter { !first.contains(units[$0]) }]
    let mass = TreeMass(tree: tree)
    // Every leaf gets a little of the general mass, so that an empty one has a logarithm.
    let shares = general.tokens.map { (Double($0) + 0.5) / (Double(general.totalTokens) + 0.5 * Double(count)) }
    return (0...tree.depth).map { depth in
      var sum = 0.0
      for (train, test) in [(halves[0], halves[1]), (halves[1], halves[0])] {
        var counts = [Double](repeating: 0, count: count)
        for window in train { counts[Int(leaves[window])] += 1 }
        let fitted = mass.backOff(seed: counts, general: shares, pseudo: max(0.5, smoothing), depth: depth)
        for window in test {
          let leaf = Int(leaves[window])
          sum += Elementary.natural(fitted[leaf] / shares[leaf])
        }
      }
      return DepthScore(depth: depth, gain: sum / Double(leaves.count))
    }
  }

  /// The shallowest depth whose gain is within a hundredth of a nat of the highest: what more levels bring must show.
  package static func best(_ scores: [DepthScore]) -> Int {
    let highest = scores.map(\.gain).max() ?? 0
    return scores.first { $0.gain >= highest - 0.01 }?.depth ?? 0
  }

  /// Scores of a combination of seeds: the mean of each one's by its weight.
  /// - Parameters:
  ///   - tree: the tree.
  ///   - general: the dataset's counts per leaf.
  ///   - seeds: the seeds with their weights.
  ///   - smoothing: the pseudo-count.
  ///   - seed: of the split.
  package static func scores(
    tree: ClusterTree, general: GeneralHistogram, seeds: [(weight: Double, sample: SeedSample)], smoothing: Double, seed: UInt64
  ) throws -> [DepthScore] {
    let sum = seeds.reduce(0.0) { $0 + $1.weight }
    let each = try seeds.map { entry in
      let counted = entry.sample.counted
      return try scores(
        tree: tree, general: general, leaves: counted.leaves, documents: counted.documents, smoothing: smoothing, seed: seed)
    }
    return (0...tree.depth).map { depth in
      DepthScore(depth: depth, gain: zip(seeds, each).reduce(0.0) { $0 + $1.0.weight / sum * $1.1[depth].gain })
    }
  }
}
