import Tokens

/// The division of a step's batch into micro-batches, and of these among ranks.
///
/// Every rank gets the same number of consecutive micro-batches. If the number of ranks divides the requested number of micro-batches, the
/// division does not depend on the number of ranks; otherwise the number is rounded up to a multiple of the ranks. If the micro-batches
/// do not divide the rows evenly, the shorter ones are padded.
package struct MicroBatches: Equatable {
  /// Rows per micro-batch.
  package let rows: Int
  /// Micro-batches per rank.
  package let count: Int
  private let ranges: [Range<Int>]

  /// - Parameters:
  ///   - rows: rows of the batch, at least one per rank.
  ///   - requested: the number of micro-batches asked for, over all ranks.
  ///   - ranks: the number of ranks.
  package init(rows: Int, requested: Int, ranks: Int) {
    let wanted = (requested + ranks - 1) / ranks
    count = max(1, min(wanted, rows / ranks))
    let total = count * ranks
    self.rows = (rows + total - 1) / total
    ranges = (0..<total).map { $0 * rows / total..<($0 + 1) * rows / total }
  }

  /// The first row of micro-batch `index` of a rank in the whole batch.
  func firstRow(_ index: Int, of rank: Int) -> Int { ranges[rank * count + index].lowerBound }

  /// Micro-batch `index` of a rank.
  package func microBatch(_ index: Int, of rank: Int, _ batch: Batch) -> Batch {
    let range = ranges[rank * count + index]
    guard range.count < batch.rows || range.count < rows else { return batch }
    var part = Batch(rows: rows, sequence: batch.sequence)
    part.copy(rows: range, of: batch, to: 0)
    return part
  }
}

extension Batch {
  /// Copies rows of another batch to the rows from `first` on, without the list of segments.
  mutating func copy(rows: Range<Int>, of source: Batch, to first: Int) {
    let from = rows.lowerBound * sequence..<rows.upperBound * sequence
    let own = first * sequence..<first * sequence + from.count
    tokens.replaceSubrange(own, with: source.tokens[from])
    targets.replaceSubrange(own, with: source.targets[from])
    starts.replaceSubrange(own, with: source.starts[from])
  }
}
