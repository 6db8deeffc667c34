import Primitives
import Tokens

/// The windows of one cluster in the order of the run, cut into rows.
struct ClusterRows: Sendable {
  /// Window numbers, shuffled.
  private let order: [UInt32]
  /// [windows + 1] tokens before each window of `order`, then their total.
  private let before: [Int]
  /// For every `1 << shift`-th token, the index in `order` of the window that contains it: narrows the search for a token. There are about
  /// as many entries as windows.
  private let guide: [UInt32]
  private let shift: Int
  private let cluster: Int
  private let sequence: Int

  let tokens: Int
  /// Rows per epoch; the last one wraps around to the first window.
  let rows: Int

  struct Epoch {
    var number: Int
    /// The order in which the epoch's rows are used.
    var order: Permutation
    /// The token at which row 0 begins. It differs between epochs, so that no token is always the first of a row.
    var phase: Int
  }

  init(dataset: TokenDataset, windows: [UInt32], cluster: Int, randomSeed: UInt64, sequence: Int) {
    var generator = SequentialRandom(seed: randomSeed, stream: 0xC100_0000 &+ UInt64(cluster))
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

  /// The dataset number of the window at index `slot` of the run's order.
  func window(_ slot: Int) -> UInt32 { order[slot] }

  func epoch(_ number: Int, randomSeed: UInt64) -> Epoch {
    let stream = UInt64(cluster) << 32 | UInt64(truncatingIfNeeded: number)
    return Epoch(
      number: number, order: Permutation(count: rows, seed: randomSeed ^ 0xE90C, stream: stream),
      phase: number == 0 ? 0 : CounterRandom(seed: randomSeed ^ 0x9A5E, stream: stream).integer(0, below: tokens))
  }

  /// Where a row of an epoch begins: an index into `order` and a token of that window.
  func place(row: Int, phase: Int) -> (slot: Int, inside: Int) {
    var start = phase + row * sequence
    while start >= tokens { start -= tokens }
    var slot = Int(guide[start >> shift])
    if slot + 1 < order.count, before[slot + 1] <= start {
      // Binary search for the last window that begins at or before `start`, up to the next guide entry.
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

  /// Fills a row of `batch` with the cluster's row number `position`, counted over all epochs.
  func fill(_ batch: inout Batch, row: Int, position: Int, dataset: TokenDataset, randomSeed: UInt64) throws {
    let (number, index) = position.quotientAndRemainder(dividingBy: rows)
    let epoch = epoch(number, randomSeed: randomSeed)
    var (slot, inside) = place(row: epoch.order[index], phase: epoch.phase)
    var filled = 0
    while filled < sequence {
      let window = dataset.window(Int(order[slot]))
      let count = min(window.count - inside, sequence - filled)
      // Read one token more than the row takes, if the window has it: the target of the last position.
      let wanted = min(window.count - inside, count + 1)
      let offset = window.offset + inside
      let base = row * sequence + filled
      let ids = try dataset.tokens(document: window.document, range: offset..<offset + wanted)
      for place in 0..<count {
        batch.tokens[base + place] = ids[place]
        batch.starts[base + place] = Int32(filled)
        batch.targets[base + place] = place + 1 < wanted ? ids[place + 1] : -1
      }
      batch.segments.append(.init(row: row, start: filled, count: count, document: window.document, offset: offset))
      filled += count
      inside = 0
      slot = slot + 1 < order.count ? slot + 1 : 0
    }
  }
}
