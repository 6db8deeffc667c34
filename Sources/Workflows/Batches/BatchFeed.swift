import Kernels
import Loading
import Primitives
import Storage
import Tokens

/// The rows of one rank, for a trainer in another process: of each step the arrays of its batch, or the numbers of its rows.
package struct BatchFeed: Sendable {
  package let loader: PackedLoader
  let rank: Int
  let world: Int
  /// The position of the first row, of all ranks.
  package let fromPosition: Int
  /// Steps; nil for no end.
  package let steps: Int?

  /// - Parameters:
  ///   - loader: batches of all ranks together.
  ///   - rank: this reader, below `world`.
  ///   - world: the number of readers. Where it does not divide the rows, the first ranks have one row more.
  ///   - fromPosition: the first row.
  ///   - steps: the number of steps; nil for those of the run that the order was made for, or as many as the caps on epochs allow.
  package init(loader: PackedLoader, rank: Int, world: Int, fromPosition: Int, steps: Int?) throws {
    guard (1...loader.rows).contains(world) else {
      throw WeirError("world", "\(world) ranks cannot share \(loader.rows) rows", remedy: "use a larger batch")
    }
    guard (0..<world).contains(rank) else { throw WeirError("rank", "must be in 0..<\(world), not \(rank)") }
    let capacity = loader.order.draws.capacity
    guard (0..<capacity).contains(fromPosition) else {
      throw WeirError("fromPosition", "must be in 0..<\(capacity), not \(fromPosition)")
    }
    let most = (capacity - fromPosition) / loader.rows
    if let steps, steps > most {
      throw WeirError("steps", "the caps on epochs allow \(most) steps from position \(fromPosition), not \(steps)")
    }
    (self.loader, self.rank, self.world, self.fromPosition) = (loader, rank, world, fromPosition)
    // As in training, the last step is a whole one. Without caps, there is no end that anyone reaches.
    let planned = loader.order.endPosition.map { (max(0, $0 - fromPosition) + loader.rows - 1) / loader.rows }
    self.steps = steps ?? planned.map { min($0, most) } ?? (capacity < DrawOrder.unlimited ? most : nil)
  }

  /// Rows per step of this rank.
  package var rows: Int { (loader.rows - rank + world - 1) / world }

  /// Writes tokens, targets and starts of every step: little-endian int32 [rows, sequence] each.
  /// - Returns: what was written, for the end of a stream.
  package func batches(pool: ThreadPool, isStopping: () -> Bool, write: ([[UInt8]]) throws -> Void) throws -> FeedEnd {
    // Enough steps at a time to keep every thread busy, within some megabytes.
    let group = pool.threads * max(1, (1 << 18) / (loader.rows * loader.sequence))
    return try steps(group: group, pool: pool, isStopping: isStopping, write: write) { step in
      let batch = try loader.batch(positions: positions(step))
      return [batch.tokens, batch.targets, batch.starts].map { values in unsafe values.withUnsafeBytes { unsafe Array($0) } }
    }
  }

  /// Writes two little-endian u64 per row: its source and its number there.
  package func rowNumbers(pool: ThreadPool, isStopping: () -> Bool, write: ([[UInt8]]) throws -> Void) throws -> FeedEnd {
    let group = pool.threads * max(1, (1 << 14) / loader.rows)
    return try steps(group: group, pool: pool, isStopping: isStopping, write: write) { step in
      var bytes: [UInt8] = []
      for row in try loader.rows(at: positions(step)) {
        bytes.append(integer: UInt64(row.source))
        bytes.append(integer: UInt64(row.number))
      }
      return [bytes]
    }
  }

  /// The positions of this rank's rows in a step.
  private func positions(_ step: Int) -> [Int] {
    let first = fromPosition + step * loader.rows
    return Array(stride(from: first + rank, to: first + loader.rows, by: world))
  }

  /// Makes steps on all threads, `group` at a time, and writes them in order.
  private func steps(
    group: Int, pool: ThreadPool, isStopping: () -> Bool, write: ([[UInt8]]) throws -> Void, make: @Sendable (Int) throws -> [[UInt8]]
  ) throws -> FeedEnd {
    let checksum = ChecksumStream()
    var next = 0
    while next < steps ?? .max, !isStopping() {
      let first = next, count = min(group, (steps ?? .max) - next)
      nonisolated(unsafe) var results = [Result<[[UInt8]], any Error>](repeating: .success([]), count: count)
      unsafe results.withUnsafeMutableBufferPointer { results in
        nonisolated(unsafe) let results = unsafe results
        pool.run(count) { index in unsafe results[index] = Result { try make(first + index) } }
      }
      for result in results {
        let arrays = try result.get()
        for array in arrays { unsafe array.withUnsafeBytes { unsafe checksum.update($0) } }
        try write(arrays)
      }
      next += count
    }
    return FeedEnd(steps: next, rows: next * rows, xxh3: Checksum.hex(checksum.value))
  }
}

/// The last line of a stream of batches.
package struct FeedEnd: Codable, Sendable, Equatable {
  package var steps: Int
  package var rows: Int
  /// XXH3-64 of all bytes between the first line and this one.
  package var xxh3: String
}
