import CKernels
import Kernels

/// AᵀA of a sparse matrix A as an operator on dense matrices of 32 columns. Neither AᵀA nor the whole product with A is ever stored.
///
/// Rows are distributed to blocks in round-robin order, so that blocks take equally long. A task multiplies its blocks one after another, by rows
/// and then by columns, so that the intermediate product stays in the L2 cache, and sums in registers.
package final class GramOperator {
  /// Columns of a dense matrix.
  package static let width = Int(WEIR_SPARSE_WIDTH)

  private let matrix: SparseMatrix
  private let blocks: [Block]
  private let pieces: Int
  private let sums: FloatBuffer

  /// A block in compressed columns: its nonzero columns, where the entries of each end, and the rows in the block and values of the entries.
  private struct Block {
    var columns: [UInt32] = []
    var ends: [UInt32] = []
    var rows: [UInt16] = []
    var values: [Float] = []
  }

  /// Rows per block: the intermediate product has 256 kB.
  private static let blockRows = 2_048

  /// Prepares a matrix; its entries are copied.
  package init(_ matrix: SparseMatrix, pool: ThreadPool) {
    self.matrix = matrix
    var count = max(1, (matrix.rows + Self.blockRows - 1) / Self.blockRows)
    // The partition depends on the shape alone: a power of two of tasks, enough for many threads, and at most 256 MB.
    let size = matrix.columns * Self.width, most = min(8, count / 2, (64 << 20) / max(1, size))
    pieces = most >= 8 ? 8 : most >= 4 ? 4 : most >= 2 ? 2 : 1
    count = (count + pieces - 1) / pieces * pieces
    var blocks = [Block](repeating: Block(), count: count)
    blocks.withUnsafeMutableBufferPointer { blocks in
      nonisolated(unsafe) let out = blocks
      pool.run(out.count) { out[$0] = Self.block(of: matrix, first: $0, step: out.count) }
    }
    self.blocks = blocks
    sums = FloatBuffer(pieces * size)
  }

  /// The rows first, first + step, … in compressed columns.
  private static func block(of matrix: SparseMatrix, first: Int, step: Int) -> Block {
    var next = [UInt32](repeating: 0, count: matrix.columns)
    var total = 0
    for row in stride(from: first, to: matrix.rows, by: step) {
      for entry in matrix.offsets[row]..<matrix.offsets[row + 1] { next[Int(matrix.indices[entry])] += 1 }
      total += matrix.offsets[row + 1] - matrix.offsets[row]
    }
    var block = Block()
    var end: UInt32 = 0
    for column in 0..<matrix.columns where next[column] > 0 {
      end += next[column]
      next[column] = end - next[column]
      block.columns.append(UInt32(column))
      block.ends.append(end)
    }
    block.rows = [UInt16](repeating: 0, count: total)
    block.values = [Float](repeating: 0, count: total)
    block.rows.withUnsafeMutableBufferPointer { rows in
      block.values.withUnsafeMutableBufferPointer { values in
        for (number, row) in stride(from: first, to: matrix.rows, by: step).enumerated() {
          for entry in matrix.offsets[row]..<matrix.offsets[row + 1] {
            let column = Int(matrix.indices[entry])
            rows[Int(next[column])] = UInt16(number)
            values[Int(next[column])] = matrix.values[entry]
            next[column] += 1
          }
        }
      }
    }
    return block
  }

  /// AᵀA · dense.
  /// - Parameters:
  ///   - dense: [columns, 32], row-major.
  ///   - result: [columns, 32]; must not overlap `dense`.
  ///   - pool: the result does not depend on its number of threads.
  package func multiply(_ dense: UnsafePointer<Float>, into result: UnsafeMutablePointer<Float>, pool: ThreadPool) {
    nonisolated(unsafe) let (dense, result) = (dense, result)
    let size = matrix.columns * Self.width
    pool.run(pieces) { piece in
      multiply(dense, blocks: blocks.count * piece / pieces..<blocks.count * (piece + 1) / pieces, out: sums.base + piece * size)
    }
    pool.ranges(size, grain: 1 << 14) { range in
      (result + range.lowerBound).update(from: sums.base + range.lowerBound, count: range.count)
      for piece in 1..<max(1, pieces) {
        let from = sums.base + piece * size
        for place in range { result[place] += from[place] }
      }
    }
  }

  /// The contribution of some blocks.
  private func multiply(_ dense: UnsafePointer<Float>, blocks chosen: Range<Int>, out: UnsafeMutablePointer<Float>) {
    out.update(repeating: 0, count: matrix.columns * Self.width)
    let between = FloatBuffer(Self.blockRows * Self.width)
    matrix.offsets.withUnsafeBufferPointer { offsets in
      guard let offsets = offsets.baseAddress else { return }
      for index in chosen {
        let rows = (matrix.rows - index + blocks.count - 1) / blocks.count
        weir_sparse_rows(matrix.indices, matrix.values, offsets + index, rows, blocks.count, dense, between.base)
        let block = blocks[index]
        weir_sparse_columns(block.columns, block.ends, block.columns.count, block.rows, block.values, between.base, out)
      }
    }
  }
}
