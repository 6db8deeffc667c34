import Tokens

/// How the rows of a step's batch are cut into micro-batches, and these dealt to ranks.
///
/// Each rank has the same number of pieces, consecutive ones. Where the ranks divide the micro-batches asked for, the pieces are those
/// whatever the number of ranks; else there are as many more as it takes. Where the pieces do not divide the rows, some are padded.
package struct BatchPieces: Equatable {
  /// Rows of a piece.
  package let rows: Int
  /// Pieces of a rank.
  package let count: Int
  private let ranges: [Range<Int>]

  /// - Parameters:
  ///   - rows: of the batch, at least one a rank.
  ///   - microBatches: pieces asked for.
  ///   - ranks: the number of ranks.
  package init(rows: Int, microBatches: Int, ranks: Int) {
    let wanted = (microBatches + ranks - 1) / ranks
    count = max(1, min(wanted, rows / ranks))
    let pieces = count * ranks
    self.rows = (rows + pieces - 1) / pieces
    ranges = (0..<pieces).map { $0 * rows / pieces..<($0 + 1) * rows / pieces }
  }

  /// Piece `index` of a rank.
  package func piece(_ index: Int, of rank: Int, _ batch: Batch) -> Batch {
    let range = ranges[rank * count + index]
    return range.count == batch.rows && range.count == rows ? batch : batch.part(rows: range, padded: rows)
  }
}

extension Batch {
  /// Some of its rows, and empty ones after them.
  fileprivate func part(rows range: Range<Int>, padded: Int) -> Batch {
    var part = Batch(rows: padded, sequence: sequence)
    let positions = range.lowerBound * sequence..<range.upperBound * sequence, own = 0..<positions.count
    part.tokens.replaceSubrange(own, with: tokens[positions])
    part.targets.replaceSubrange(own, with: targets[positions])
    part.starts.replaceSubrange(own, with: starts[positions])
    return part
  }
}
