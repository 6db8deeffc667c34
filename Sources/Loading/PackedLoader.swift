import Corpus
import Primitives
import Storage

/// Packed training batches drawn from a token dataset by a weight per cluster.
///
/// The windows of a cluster stand one after another in an order shuffled by the seed, and are cut into rows of exactly
/// `sequence` tokens: no padding, no token left out. A draw is a row; the draw's cluster and row come from `DrawSchedule`, so a
/// cluster's share of the tokens is its weight, its rows come without replacement, and each epoch has its own order and its
/// own cuts. Stretches of different windows never attend to each other. The batch of a step is a pure function of
/// (dataset, clusters, weights, seed, step): a loader seeks, resumes and changes its world size in O(1).
public struct PackedLoader: BatchSource {
  /// Rows of a batch.
  public let rows: Int
  /// Tokens of a row.
  public let sequence: Int
  /// Names the dataset, the weights, the seed and the shape: two loaders with the same fingerprint give the same batches.
  public let fingerprint: String
  /// The dataset it draws from.
  public let dataset: TokenDataset

  private let clusters: [ClusterRows]
  private let schedule: DrawSchedule
  private let seed: UInt64

  /// Creates a loader.
  /// - Parameters:
  ///   - dataset: the tokens.
  ///   - windows: window numbers of the dataset by cluster; a cluster without windows must have weight 0.
  ///   - weights: one per cluster, not negative, not all 0; they are normalised.
  ///   - name: what the weights are, for the fingerprint: a mixture's checksum.
  ///   - seed: the seed of every draw.
  ///   - rows: sequences in a batch.
  ///   - sequence: tokens in a sequence.
  /// - Throws: where the weights make no distribution over windows that exist.
  public init(
    dataset: TokenDataset, windows: [[UInt32]], weights: [Double], name: String, seed: UInt64, rows: Int, sequence: Int
  ) throws {
    guard rows > 0, sequence > 1 else { throw WeirError("--batch, --sequence", "must be at least 1 and 2, not \(rows) and \(sequence)") }
    let (positions, overflow) = rows.multipliedReportingOverflow(by: sequence)
    guard !overflow, positions <= 1 << 28 else {
      throw WeirError(
        "--batch, --sequence", "\(rows) rows of \(sequence) tokens are more than 2^28 tokens a batch", remedy: "make the batch smaller")
    }
    guard windows.count == weights.count, weights.allSatisfy({ $0.isFinite && $0 >= 0 }) else {
      throw WeirError(name, "the mixture's weights are not one number ≥ 0 per cluster (\(weights.count) for \(windows.count) clusters)")
    }
    let sum = weights.reduce(0, +)
    guard sum > 0 else { throw WeirError(name, "all weights of the mixture are 0", remedy: "make it again with weir sample") }
    for (cluster, weight) in weights.enumerated() where weight > 0 && windows[cluster].isEmpty {
      throw WeirError(
        name, "cluster \(cluster) has weight \(weight) but no window in the dataset", remedy: "make the mixture from this dataset")
    }
    self.dataset = dataset
    self.rows = rows
    self.sequence = sequence
    self.seed = seed
    clusters = windows.enumerated().map { ClusterRows(dataset: dataset, windows: $1, cluster: $0, seed: seed, sequence: sequence) }
    schedule = DrawSchedule(weights: weights.map { $0 / sum }, seed: seed)
    fingerprint = "dataset \(dataset.fingerprint) mixture \(name) seed \(seed) batch \(rows)x\(sequence)"
  }

  /// The batch of step `step`, counted from 0. O(batch), wherever the step is.
  public func batch(step: Int) throws -> Batch {
    precondition(step >= 0, "steps are counted from 0")
    var batch = Batch(rows: rows, sequence: sequence)
    var blockIndex = -1
    var draws: [DrawSchedule.Draw] = []
    for row in 0..<rows {
      let number = step * rows + row
      if number / DrawSchedule.block != blockIndex {
        blockIndex = number / DrawSchedule.block
        draws = schedule.draws(block: blockIndex)
      }
      let draw = draws[number % DrawSchedule.block]
      try clusters[draw.cluster].fill(&batch, row: row, position: draw.position, dataset: dataset, seed: seed)
    }
    return batch
  }

  /// The cluster of each row of step `step`, for `weir feed` and reports.
  public func clusters(step: Int) -> [Int] {
    (0..<rows).map { row in
      let number = step * rows + row
      return schedule.draws(block: number / DrawSchedule.block)[number % DrawSchedule.block].cluster
    }
  }

  /// Tokens of each cluster in the dataset.
  public var clusterTokens: [Int] { clusters.map { $0.tokens } }
}

/// One cluster's windows in the order of the run, and its rows.
struct ClusterRows: Sendable {
  /// Window numbers, shuffled.
  private let order: [UInt32]
  /// Tokens before each window of `order`; one entry more than windows.
  private let before: [Int]
  private let cluster: Int
  private let sequence: Int

  /// Tokens in the cluster.
  var tokens: Int { before.last ?? 0 }
  /// Rows in an epoch; the last one is filled up from the beginning.
  var rows: Int { max(1, (tokens + sequence - 1) / sequence) }

  init(dataset: TokenDataset, windows: [UInt32], cluster: Int, seed: UInt64, sequence: Int) {
    var generator = SequentialRandom(seed: seed, stream: 0xC100_0000 &+ UInt64(cluster))
    order = windows.sorted().shuffled(using: &generator)
    var sum = 0
    var before = [0]
    before.reserveCapacity(windows.count + 1)
    for window in order {
      sum += dataset.window(Int(window)).count
      before.append(sum)
    }
    self.before = before
    self.cluster = cluster
    self.sequence = sequence
  }

  /// Fills row `row` of `batch` with the cluster's `position`-th row, counted over all epochs.
  func fill(_ batch: inout Batch, row: Int, position: Int, dataset: TokenDataset, seed: UInt64) throws {
    let epoch = position / rows
    let stream = UInt64(cluster) << 32 | UInt64(truncatingIfNeeded: epoch)
    let index = Permutation(count: rows, seed: seed ^ 0xE90C, stream: stream)[position % rows]
    // Each epoch cuts elsewhere, so that no token is always the first of a row.
    let phase = epoch == 0 ? 0 : CounterRandom(seed: seed ^ 0x9A5E, stream: stream).integer(0, below: tokens)
    var start = (phase + index * sequence) % tokens
    var filled = 0
    var slot = before.partitioningIndex { $0 > start } - 1
    while filled < sequence {
      let window = dataset.window(Int(order[slot]))
      let inside = start - before[slot]
      let count = min(window.count - inside, sequence - filled)
      // One token more than the row takes, where the window has it: the last position's target.
      let wanted = min(window.count - inside, count + 1)
      let offset = window.offset + inside
      let base = row * sequence + filled
      let ids = try dataset.tokens(document: window.document, range: offset..<offset + wanted)
      for place in 0..<count {
        batch.tokens[base + place] = ids[place]
        batch.starts[base + place] = Int32(filled)
        batch.targets[base + place] = place + 1 < wanted ? ids[place + 1] : -1
      }
      batch.stretches.append(.init(row: row, start: filled, count: count, document: window.document, offset: offset))
      filled += count
      slot += 1
      start = slot < order.count ? before[slot] : 0
      if slot == order.count { slot = 0 }
    }
  }
}

extension [Int] {
  /// The first index whose element satisfies `predicate`, for an array where those that do come last. O(log n).
  fileprivate func partitioningIndex(where predicate: (Int) -> Bool) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if predicate(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
