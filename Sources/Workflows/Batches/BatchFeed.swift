import Kernels
import Loading
import Primitives
import Tokens

/// The rows of one rank, for a trainer in another process: of each step the arrays of its batch, or where its rows begin.
package struct BatchFeed: Sendable {
  package let loader: PackedLoader
  private let rank: Int
  private let world: Int
  let fromStep: Int
  let steps: Int?

  /// - Parameters:
  ///   - loader: batches of all ranks together.
  ///   - rank: this reader, below `world`.
  ///   - world: the number of readers, which divides the rows.
  ///   - fromStep: the first step.
  ///   - steps: the number of steps; nil for no end.
  package init(loader: PackedLoader, rank: Int, world: Int, fromStep: Int, steps: Int?) throws {
    guard world >= 1, loader.rows % world == 0 else {
      throw WeirError("world", "\(world) ranks cannot share \(loader.rows) rows equally", remedy: "use a divisor of the batch")
    }
    guard (0..<world).contains(rank) else { throw WeirError("rank", "must be in 0..<\(world), not \(rank)") }
    (self.loader, self.rank, self.world, self.fromStep, self.steps) = (loader, rank, world, fromStep, steps)
  }

  /// Rows per step of this rank.
  package var rows: Int { loader.rows / world }

  /// Writes tokens, targets and starts of every step: little-endian int32 [rows, sequence] each.
  package func batches(pool: ThreadPool, isStopping: () -> Bool, write: ([[UInt8]]) throws -> Void) throws {
    // Enough steps at a time to keep every thread busy, within some megabytes.
    let group = pool.threads * max(1, (1 << 18) / (loader.rows * loader.sequence))
    try blocks(of: loader.rows, group: group, pool: pool, isStopping: isStopping, write: write) { try arrays(of: loader.batch(step: $0)) }
  }

  /// Writes the origin of every row: two little-endian uint32, the window and the token of the window.
  package func origins(pool: ThreadPool, isStopping: () -> Bool, write: ([[UInt8]]) throws -> Void) throws {
    try blocks(of: RowOrigin.block, group: pool.threads * 64, pool: pool, isStopping: isStopping, write: write) { [origins(block: $0)] }
  }

  /// The rows of all ranks.
  private var taken: Range<Int> { fromStep * loader.rows..<(steps.map { (fromStep + $0) * loader.rows } ?? .max) }

  /// Makes blocks of `size` rows on all threads, `group` at a time, and writes them in order.
  private func blocks(
    of size: Int, group: Int, pool: ThreadPool, isStopping: () -> Bool, write: ([[UInt8]]) throws -> Void,
    make: @Sendable (Int) throws -> [[UInt8]]
  ) throws {
    var next = taken.lowerBound / size
    while next * size < taken.upperBound, !isStopping() {
      let count = min(group, (taken.upperBound - next * size - 1) / size + 1)
      let first = next
      nonisolated(unsafe) var results = [Result<[[UInt8]], any Error>](repeating: .success([]), count: count)
      unsafe results.withUnsafeMutableBufferPointer { results in
        nonisolated(unsafe) let results = unsafe results
        pool.run(count) { index in unsafe results[index] = Result { try make(first + index) } }
      }
      for result in results { try write(result.get()) }
      next += count
    }
  }

  /// This rank's rows of a batch.
  private func arrays(of whole: Batch) -> [[UInt8]] {
    [whole.tokens, whole.targets, whole.starts].map { values in
      var bytes: [UInt8] = []
      bytes.reserveCapacity(values.count * 4 / world)
      for row in stride(from: rank, to: whole.rows, by: world) {
        unsafe values[row * whole.sequence..<(row + 1) * whole.sequence].withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
      }
      return bytes
    }
  }

  /// The origins of this rank's rows in a block.
  private func origins(block: Int) -> [UInt8] {
    var origins = loader.origins(block: block)
    let range = taken.clamped(to: block * RowOrigin.block..<(block + 1) * RowOrigin.block)
    if range.count < origins.count || world > 1 {
      let first = block * RowOrigin.block
      origins = range.lazy.filter { $0 % loader.rows % world == rank }.map { origins[$0 - first] }
    }
    return unsafe origins.withUnsafeBytes { unsafe Array($0) }
  }
}
