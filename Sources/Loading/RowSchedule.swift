import Primitives

/// Decides which cluster each row of a run comes from: a pure function of (weights, random seed, row number).
///
/// CRISP (arXiv 2410.03735 §3) chooses a cluster from P(c|Ds), then a window uniformly. Sampling with replacement would leave a third of
/// the corpus unseen after one epoch. Instead, rows are scheduled in blocks of `RowSchedule.block`: within a block, each cluster's number
/// of rows matches its weight to within one row (systematic sampling with a random offset), in shuffled order. `ClusterRows` then goes
/// through a cluster's rows without replacement, in a new order each epoch. Every block is computed independently, so seeking is O(1).
struct RowSchedule: Sendable {
  /// Rows per block.
  static let block = 4_096

  struct Entry: Sendable, Equatable {
    var cluster: Int
    /// How many rows the cluster has supplied before, over all epochs.
    var position: Int
  }

  private let weights: [Double]
  private let cumulative: [Double]
  private let randomSeed: UInt64

  /// - Parameter weights: one per cluster, not negative, with sum 1.
  init(weights: [Double], randomSeed: UInt64) {
    self.weights = weights
    self.randomSeed = randomSeed
    var sum = 0.0
    cumulative = weights.map {
      sum += $0
      return sum
    }
  }

  /// The schedule of block `index`, one entry per row.
  func entries(block index: Int) -> [Entry] {
    let block = Self.block
    var generator = SequentialRandom(seed: randomSeed, stream: 0x5EED_0000 &+ UInt64(index))
    let offset = generator.uniform()
    let last = weights.lastIndex { $0 > 0 } ?? 0
    var clusters: [Int] = []
    clusters.reserveCapacity(block)
    var cluster = 0
    for point in 0..<block {
      let position = (Double(point) + offset) / Double(block)
      while cluster < last, position >= cumulative[cluster] || weights[cluster] == 0 { cluster += 1 }
      clusters.append(cluster)
    }
    clusters.shuffle(using: &generator)
    // Each cluster's first position in this block, in closed form; it differs from the true count by less than one row.
    var next = weights.map { Int((Double(index) * Double(block) * $0).rounded(.down)) }
    return clusters.map { cluster in
      defer { next[cluster] += 1 }
      return Entry(cluster: cluster, position: next[cluster])
    }
  }
}
