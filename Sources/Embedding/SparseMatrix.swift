import CKernels
import Kernels

/// A sparse matrix in compressed rows, single precision.
public struct SparseMatrix: Sendable {
  /// The number of rows.
  public let rows: Int
  /// The number of columns.
  public let columns: Int
  /// [rows + 1] where each row begins.
  public let offsets: [Int]
  /// [non-zeros] columns, ascending in a row.
  public let indices: [UInt32]
  /// [non-zeros] values.
  public let values: [Float]

  /// Creates a matrix of its parts.
  public init(rows: Int, columns: Int, offsets: [Int], indices: [UInt32], values: [Float]) {
    precondition(offsets.count == rows + 1 && offsets.last == indices.count && indices.count == values.count, "not a sparse matrix")
    self.rows = rows
    self.columns = columns
    self.offsets = offsets
    self.indices = indices
    self.values = values
  }

  /// AᵀA times a dense matrix, without Aᵀ and without A's own product: a row of A adds its outer product with what it makes of the dense matrix,
  /// for a panel of columns at a time that stays in the second-level cache.
  /// - Parameters:
  ///   - dense: [columns, width], row-major.
  ///   - width: columns of the dense matrix.
  ///   - pool: where the panels run; sums have one order, whatever its threads.
  /// - Returns: [columns, width], row-major.
  public func gramTimes(_ dense: [Float], width: Int, pool: ThreadPool) -> [Float] {
    precondition(dense.count == columns * width, "shapes do not fit")
    let panel = Int(WEIR_PANEL), panels = (width + panel - 1) / panel, size = columns * panel
    // Pieces of the rows, by the shape alone: enough for many threads, and no more than 256 MB.
    let pieces = max(1, min(8, rows / 8_192, (64 << 20) / max(1, size * panels)))
    var sums = [Float](repeating: 0, count: pieces * panels * size)
    var result = [Float](repeating: 0, count: columns * width)
    sums.withUnsafeMutableBufferPointer { sums in
      result.withUnsafeMutableBufferPointer { result in
        nonisolated(unsafe) let (sums, result) = (sums, result)
        pool.run(panels * pieces) { task in
          let (at, piece) = (task / pieces, task % pieces)
          let first = at * panel, held = min(panel, width - first)
          var start = [Float](repeating: 0, count: size)
          for column in 0..<columns {
            for place in 0..<held { start[column * panel + place] = dense[column * width + first + place] }
          }
          let range = rows * piece / pieces..<rows * (piece + 1) / pieces
          offsets[range.lowerBound...].withUnsafeBufferPointer { offsets in
            guard let out = sums.baseAddress, let offsets = offsets.baseAddress else { return }
            weir_gram_rows(indices, values, offsets, range.count, start, out + task * size)
          }
        }
        pool.ranges(columns, grain: 256) { range in
          for column in range {
            for place in 0..<width {
              var sum: Float = 0
              for piece in 0..<pieces { sum += sums[(place / panel * pieces + piece) * size + column * panel + place % panel] }
              result[column * width + place] = sum
            }
          }
        }
      }
    }
    return result
  }
}
