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

  /// Takes the bytes of an array by its number, in the order of the stream.
  package typealias Write = (Int, UnsafeRawBufferPointer) throws -> Void

  /// Writes tokens, targets and starts of every step: little-endian int32 [rows, sequence] each.
  /// - Returns: what was written, for the end of a stream.
  package func batches(pool: ThreadPool, isStopping: () -> Bool, write: Write) throws -> FeedEnd {
    // Few enough tokens at a time to stay in the cache, enough to keep every thread busy.
    let group = pool.threads * max(1, (1 << 15) / (loader.rows * loader.sequence))
    let empty = Batch(rows: rows, sequence: loader.sequence)
    return try steps(group: group, of: empty, pool: pool, isStopping: isStopping) { batch, step in
      try loader.fill(&batch, positions: positions(step))
    } write: { batch, checksum in
      for (index, array) in [batch.tokens, batch.targets, batch.starts].enumerated() {
        try unsafe array.withUnsafeBytes { bytes in
          unsafe checksum.update(bytes)
          try unsafe write(index, bytes)
        }
      }
    }
  }

  /// Writes two little-endian u64 per row: its source and its number there.
  package func rowNumbers(pool: ThreadPool, isStopping: () -> Bool, write: Write) throws -> FeedEnd {
    let group = pool.threads * max(1, (1 << 14) / loader.rows)
    return try steps(group: group, of: [UInt8](), pool: pool, isStopping: isStopping) { bytes, step in
      bytes.removeAll(keepingCapacity: true)
      for row in try loader.rows(at: positions(step)) {
        bytes.append(integer: UInt64(row.source))
        bytes.append(integer: UInt64(row.number))
      }
    } write: { bytes, checksum in
      try unsafe bytes.withUnsafeBytes { bytes in
        unsafe checksum.update(bytes)
        try unsafe write(0, bytes)
      }
    }
  }

  /// The positions of this rank's rows in a step.
  private func positions(_ step: Int) -> [Int] {
    let first = fromPosition + step * loader.rows
    return Array(stride(from: first + rank, to: first + loader.rows, by: world))
  }

  /// Makes steps on all threads, `group` at a time, while the group before is written in order. Both groups are made in place, so that no step
  /// takes memory of its own.
  private func steps<Made>(
    group: Int, of empty: Made, pool: ThreadPool, isStopping: () -> Bool, make: @Sendable (inout Made, Int) throws -> Void,
    write: (Made, ChecksumStream) throws -> Void
  ) throws -> FeedEnd {
    let checksum = ChecksumStream()
    var made = [Slot(step: empty)], making = [Slot<Made>](repeating: Slot(step: empty), count: group)
    var next = 0, written = 0
    while true {
      let first = next, ready = next - written, count = isStopping() ? 0 : min(group, (steps ?? .max) - next)
      guard count + ready > 0 else { break }
      var failure: (any Error)?
      unsafe making.withUnsafeMutableBufferPointer { making in
        pool.run(count + 1) { index in
          do {
            guard index == 0 else { return unsafe try make(&making[index - 1].step, first + index - 1) }
            for slot in made.prefix(ready) {
              if let error = slot.error { throw error }
              try write(slot.step, checksum)
            }
          } catch {
            if index == 0 { failure = error } else { unsafe making[index - 1].error = error }
          }
        }
      }
      if let failure { throw failure }
      (written, next) = (next, next + count)
      if made.count < group { made = [Slot<Made>](repeating: Slot(step: empty), count: group) }
      swap(&made, &making)
    }
    return FeedEnd(steps: written, rows: written * rows, xxh3: Checksum.hex(checksum.value))
  }

  /// A step that is made in place, or why it could not be.
  private struct Slot<Made> {
    var step: Made
    var error: (any Error)?
  }
}

/// The last line of a stream of batches.
package struct FeedEnd: Codable, Sendable, Equatable {
  package var steps: Int
  package var rows: Int
  /// XXH3-64 of all bytes between the first line and this one.
  package var xxh3: String
}
