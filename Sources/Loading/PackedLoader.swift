import Primitives
import Storage
import Tokens

/// Packed training batches, sampled from a token dataset by a mixture: one weight per cluster of windows.
///
/// The windows of a cluster are concatenated in shuffled order and cut into rows of exactly `sequence` tokens: no padding, no token left
/// out. `RowSchedule` decides which cluster each row comes from. So a cluster's share of the tokens is its weight, its rows come without
/// replacement, and every epoch has its own order and its own cuts. Segments from different windows do not attend to each other. The batch
/// of a step is a pure function of (dataset, clusters, weights, random seed, step): a loader seeks, resumes and changes its world size
/// in O(1).
public struct PackedLoader: BatchSource {
  /// Rows per batch.
  public let rows: Int
  /// Tokens per row.
  public let sequence: Int
  /// Identifies the dataset, the mixture, the random seed and the batch shape: two loaders with equal fingerprints yield equal batches.
  public let fingerprint: String
  /// The dataset that rows are sampled from.
  public let dataset: TokenDataset

  private let clusters: [ClusterRows]
  private let schedule: RowSchedule
  private let randomSeed: UInt64

  /// Creates a loader that samples by cluster weights.
  /// - Parameters:
  ///   - dataset: the tokens.
  ///   - windows: for each cluster, the numbers of its windows in the dataset; a cluster without windows must have weight 0.
  ///   - weights: one per cluster, not negative, not all 0; they are normalized.
  ///   - name: identifies the mixture in the fingerprint, such as its checksum.
  ///   - randomSeed: determines the order of windows, rows and clusters.
  ///   - rows: rows per batch.
  ///   - sequence: tokens per row.
  /// - Throws: `WeirError` if the batch shape is out of range or the weights are not a distribution over existing windows.
  package init(
    dataset: TokenDataset, windows: [[UInt32]], weights: [Double], name: String, randomSeed: UInt64, rows: Int, sequence: Int
  ) throws {
    guard rows > 0 else { throw WeirError("rows", "must be at least 1, not \(rows)") }
    guard sequence > 1 else { throw WeirError("sequence", "must be at least 2, not \(sequence)") }
    let (positions, overflow) = rows.multipliedReportingOverflow(by: sequence)
    guard !overflow, positions <= 1 << 28 else {
      throw WeirError("rows", "\(rows) rows of \(sequence) tokens exceed 2^28 tokens per batch", remedy: "use a smaller batch")
    }
    guard windows.count == weights.count, weights.allSatisfy({ $0.isFinite && $0 >= 0 }) else {
      throw WeirError(name, "expected one finite weight ≥ 0 per cluster, found \(weights.count) for \(windows.count) clusters")
    }
    let sum = weights.reduce(0, +)
    guard sum > 0 else { throw WeirError(name, "all weights of the mixture are 0", remedy: "rebuild it with `weir sample`") }
    for (cluster, weight) in weights.enumerated() where weight > 0 && windows[cluster].isEmpty {
      throw WeirError(
        name, "cluster \(cluster) has weight \(weight) but no windows in the dataset", remedy: "rebuild the mixture from this dataset")
    }
    self.dataset = dataset
    self.rows = rows
    self.sequence = sequence
    self.randomSeed = randomSeed
    clusters = windows.enumerated().map {
      ClusterRows(dataset: dataset, windows: $1, cluster: $0, randomSeed: randomSeed, sequence: sequence)
    }
    schedule = RowSchedule(weights: weights.map { $0 / sum }, randomSeed: randomSeed)
    fingerprint = "dataset \(dataset.fingerprint) mixture \(name) seed \(randomSeed) batch \(rows)x\(sequence)"
  }

  /// Creates a loader that samples uniformly over tokens.
  /// - Parameters:
  ///   - dataset: the tokens.
  ///   - windows: the windows to sample from; nil for all of the dataset.
  ///   - name: identifies the selection in the fingerprint.
  package init(
    uniform dataset: TokenDataset, windows: [UInt32]? = nil, name: String = "uniform", randomSeed: UInt64, rows: Int, sequence: Int
  ) throws {
    try self.init(
      dataset: dataset, windows: [windows ?? Array(0..<UInt32(dataset.windowCount))], weights: [1], name: name, randomSeed: randomSeed,
      rows: rows, sequence: sequence)
  }

  /// The batch of step `step`, counted from 0. O(batch), wherever the step is.
  public func batch(step: Int) throws -> Batch {
    precondition(step >= 0, "steps are counted from 0")
    var batch = Batch(rows: rows, sequence: sequence)
    var blockIndex = -1
    var entries: [RowSchedule.Entry] = []
    for row in 0..<rows {
      let number = step * rows + row
      if number / RowSchedule.block != blockIndex {
        blockIndex = number / RowSchedule.block
        entries = schedule.entries(block: blockIndex)
      }
      let entry = entries[number % RowSchedule.block]
      try clusters[entry.cluster].fill(&batch, row: row, position: entry.position, dataset: dataset, randomSeed: randomSeed)
    }
    return batch
  }

  /// The origins of the rows of a block, without reading tokens: row `n` of the run is row `n % rows` of step `n / rows`.
  /// O(block size), wherever the block is.
  package func origins(block index: Int) -> [RowOrigin] {
    let entries = schedule.entries(block: index)
    // A cluster's positions in a block are consecutive, so they span few epochs; each is looked up once.
    var epochs: [ClusterRows.Epoch] = []
    var latest = [Int](repeating: -1, count: clusters.count)
    var rows: [(epoch: Int, index: UInt64)] = []
    rows.reserveCapacity(entries.count)
    for entry in entries {
      let (epoch, row) = entry.position.quotientAndRemainder(dividingBy: clusters[entry.cluster].rows)
      if latest[entry.cluster] < 0 || epochs[latest[entry.cluster]].number != epoch {
        latest[entry.cluster] = epochs.count
        epochs.append(clusters[entry.cluster].epoch(epoch, randomSeed: randomSeed))
      }
      rows.append((latest[entry.cluster], UInt64(row)))
    }
    // Cycle walking, interleaved over all rows: rows whose value still lies outside the permutation's range take one more round.
    var walking = Array(rows.indices)
    while !walking.isEmpty {
      var still = 0
      for slot in walking.indices {
        let row = walking[slot]
        let order = epochs[rows[row].epoch].order
        rows[row].index = order.encipher(rows[row].index)
        walking[still] = row
        still += rows[row].index >= UInt64(order.count) ? 1 : 0
      }
      walking.removeLast(walking.count - still)
    }
    return zip(entries, rows).map { entry, row in
      let cluster = clusters[entry.cluster]
      let (slot, inside) = cluster.place(row: Int(row.index), phase: epochs[row.epoch].phase)
      return RowOrigin(window: cluster.window(slot), token: UInt32(inside))
    }
  }
}
