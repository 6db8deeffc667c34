import Primitives
import Storage
import Tokens

/// Packed training batches drawn from a token dataset by a weight per cluster.
///
/// The windows of a cluster stand one after another in an order shuffled by the seed, and are cut into rows of exactly
/// `sequence` tokens: no padding, no token left out. A draw is a row; the draw's cluster and row come from `DrawSchedule`, so a
/// cluster's share of the tokens is its weight, its rows come without replacement, and each epoch has its own order and its
/// own cuts. Stretches of different windows never attend to each other. The batch of a step is a pure function of
/// (dataset, clusters, weights, seed, step): a loader seeks, resumes and changes its world size in O(1).
package struct PackedLoader: BatchSource {
  /// Rows of a batch.
  package let rows: Int
  /// Tokens of a row.
  package let sequence: Int
  /// Names the dataset, the weights, the seed and the shape: two loaders with the same fingerprint give the same batches.
  package let fingerprint: String
  /// The dataset it draws from.
  package let dataset: TokenDataset

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
  package init(
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
  package func batch(step: Int) throws -> Batch {
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

  /// Where the rows of block `block` of the draws begin, without their tokens: draw `d` of the run is row `d % rows` of step `d / rows`.
  /// Any block costs the same.
  package func origins(block index: Int) -> [RowOrigin] {
    let draws = schedule.draws(block: index)
    // A cluster's positions of a block follow each other: few epochs, looked up once each.
    var epochs: [ClusterRows.Epoch] = []
    var latest = [Int](repeating: -1, count: clusters.count)
    var rows: [(epoch: Int, index: UInt64)] = []
    rows.reserveCapacity(draws.count)
    for draw in draws {
      let (epoch, row) = draw.position.quotientAndRemainder(dividingBy: clusters[draw.cluster].rows)
      if latest[draw.cluster] < 0 || epochs[latest[draw.cluster]].number != epoch {
        latest[draw.cluster] = epochs.count
        epochs.append(clusters[draw.cluster].epoch(epoch, seed: seed))
      }
      rows.append((latest[draw.cluster], UInt64(row)))
    }
    // The walks of the permutations, a step of each in turn.
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
    return zip(draws, rows).map { draw, row in
      let cluster = clusters[draw.cluster]
      let (slot, inside) = cluster.place(row: Int(row.index), phase: epochs[row.epoch].phase)
      return RowOrigin(window: cluster.window(slot), token: UInt32(inside))
    }
  }

  /// Tokens of each cluster in the dataset.
  package var clusterTokens: [Int] { clusters.map { $0.tokens } }
}

/// Where a row of a batch begins.
package struct RowOrigin: Sendable, Equatable {
  /// Rows drawn at a time.
  package static let block = DrawSchedule.block

  /// The window's number in the dataset.
  package var window: UInt32
  /// The token of the window.
  package var token: UInt32
}

/// One cluster's windows in the order of the run, and its rows.
struct ClusterRows: Sendable {
  /// Window numbers, shuffled.
  private let order: [UInt32]
  /// Tokens before each window of `order`; one entry more than windows.
  private let before: [Int]
  /// The window in which every `1 << shift`-th token stands, about as many as there are windows: where to look for a token.
  private let guide: [UInt32]
  private let shift: Int
  private let cluster: Int
  private let sequence: Int

  /// Tokens in the cluster.
  let tokens: Int
  /// Rows in an epoch; the last one is filled up from the beginning.
  let rows: Int

  /// An epoch of the cluster.
  struct Epoch {
    var number: Int
    /// Which row is drawn when.
    var order: Permutation
    /// The token at which its first row begins: each epoch cuts elsewhere, so that no token is always the first of a row.
    var phase: Int
  }

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
    tokens = sum
    rows = max(1, (sum + sequence - 1) / sequence)
    shift = max(0, Int.bitWidth - (sum / max(1, windows.count)).leadingZeroBitCount - 1)
    var guide: [UInt32] = []
    var slot = 0
    for mark in stride(from: 0, through: sum, by: 1 << shift) {
      while slot + 1 < windows.count, before[slot + 1] <= mark { slot += 1 }
      guide.append(UInt32(slot))
    }
    self.guide = guide
  }

  /// The number in the dataset of window `slot` of the run's order.
  func window(_ slot: Int) -> UInt32 { order[slot] }

  /// Epoch `number`.
  func epoch(_ number: Int, seed: UInt64) -> Epoch {
    let stream = UInt64(cluster) << 32 | UInt64(truncatingIfNeeded: number)
    return Epoch(
      number: number, order: Permutation(count: rows, seed: seed ^ 0xE90C, stream: stream),
      phase: number == 0 ? 0 : CounterRandom(seed: seed ^ 0x9A5E, stream: stream).integer(0, below: tokens))
  }

  /// Where row `row` of an epoch begins: a slot of `order` and a token of its window.
  func place(row: Int, phase: Int) -> (slot: Int, inside: Int) {
    var start = phase + row * sequence
    while start >= tokens { start -= tokens }
    var slot = Int(guide[start >> shift])
    if slot + 1 < order.count, before[slot + 1] <= start {
      // The last window that begins no later, of those up to the next mark.
      var low = slot + 1
      var high = start >> shift + 1 < guide.count ? Int(guide[start >> shift + 1]) : order.count - 1
      while low < high {
        let middle = (low + high + 1) / 2
        if before[middle] <= start { low = middle } else { high = middle - 1 }
      }
      slot = low
    }
    return (slot, start - before[slot])
  }

  /// Fills row `row` of `batch` with the cluster's `position`-th row, counted over all epochs.
  func fill(_ batch: inout Batch, row: Int, position: Int, dataset: TokenDataset, seed: UInt64) throws {
    let (number, index) = position.quotientAndRemainder(dividingBy: rows)
    let epoch = epoch(number, seed: seed)
    var (slot, inside) = place(row: epoch.order[index], phase: epoch.phase)
    var filled = 0
    while filled < sequence {
      let window = dataset.window(Int(order[slot]))
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
      inside = 0
      slot = slot + 1 < order.count ? slot + 1 : 0
    }
  }
}
