import Primitives

/// Which cluster each draw of a run takes from, and which of the cluster's rows: a pure function of (weights, rows, seed, draw).
///
/// CRISP (arXiv 2410.03735 §3) draws a cluster from P(c|Ds), then a window uniformly. Draws with replacement would leave a
/// third of the corpus unseen after one epoch, so (ours) draws come in blocks of `DrawSchedule.block`: inside a block the
/// clusters stand in proportion to their weights to within one draw (systematic sampling with a random offset), in shuffled
/// order; and a cluster's rows are gone through by a fresh permutation each epoch. A block is made anew when it is sought,
/// which costs the same wherever it is: seeking is O(1).
struct DrawSchedule: Sendable {
  /// Draws in a block.
  static let block = 4_096

  /// One draw.
  struct Draw: Sendable, Equatable {
    var cluster: Int
    /// How many draws the cluster has had before.
    var position: Int
  }

  private let weights: [Double]
  private let cumulative: [Double]
  private let seed: UInt64

  /// Creates a schedule; `weights` sum to 1 and none is negative.
  init(weights: [Double], seed: UInt64) {
    self.weights = weights
    self.seed = seed
    var sum = 0.0
    cumulative = weights.map {
      sum += $0
      return sum
    }
  }

  /// The draws of block `index`.
  func draws(block index: Int) -> [Draw] {
    let block = Self.block
    var generator = SequentialRandom(seed: seed, stream: 0x5EED_0000 &+ UInt64(index))
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
    // Where the cluster's positions of this block begin, in closed form; counts differ from it by less than one draw.
    var next = weights.map { Int((Double(index) * Double(block) * $0).rounded(.down)) }
    return clusters.map { cluster in
      defer { next[cluster] += 1 }
      return Draw(cluster: cluster, position: next[cluster])
    }
  }
}
