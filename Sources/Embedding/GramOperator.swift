import CKernels
import Kernels

/// AᵀA of a sparse matrix A, to be multiplied with dense matrices: neither AᵀA nor the whole of A's own product is ever made.
///
/// Rows are dealt to blocks like cards, so that blocks take equally long. A task takes a panel of the dense matrix's columns and multiplies
/// its blocks one after another, by their rows and then by their columns, so that what lies between them stays in the second-level cache,
/// and every sum in registers.
package final class GramOperator {
  private let blockCount: Int
  private let matrix: SparseMatrix
  private let blocks: [Block]
  private var sums: [Float] = []

  /// How the dense matrix, and what lies between the two products, is held.
  package enum Precision {
    /// As it is given.
    case single
    /// bfloat16, for half the bytes; sums are single all the same.
    case half
  }

  /// A block by columns: those that it has, where the entries of each end, and the entries' rows in the block and values.
  private struct Block {
    var columns: [UInt32] = []
    var ends: [UInt32] = []
    var rows: [UInt16] = []
    var values: [Float] = []
  }

  /// Rows of a block: their part of a panel in bfloat16 has 400 kB.
  private static let blockRows = 2_048

  /// Prepares a matrix; its entries are copied once.
  package init(_ matrix: SparseMatrix, pool: ThreadPool) {
    self.matrix = matrix
    let count = max(1, (matrix.rows + Self.blockRows - 1) / Self.blockRows)
    var blocks = [Block](repeating: Block(), count: count)
    blocks.withUnsafeMutableBufferPointer { blocks in
      nonisolated(unsafe) let out = blocks
      pool.run(count) { out[$0] = Self.block(of: matrix, first: $0, step: count) }
    }
    blockCount = count
    self.blocks = blocks
  }

  /// Rows first, first + step, … by columns.
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
  ///   - dense: [columns, width], row-major.
  ///   - width: columns of the dense matrix.
  ///   - precision: how the dense matrix is held.
  ///   - pool: where the panels run; sums have one order, whatever its threads.
  /// - Returns: [columns, width], row-major.
  package func times(_ dense: [Float], width: Int, precision: Precision = .single, pool: ThreadPool) -> [Float] {
    precondition(dense.count == matrix.columns * width, "shapes do not fit")
    let panel = Int(WEIR_PANEL), panels = (width + panel - 1) / panel, padded = (width + 31) / 32 * 32
    let size = matrix.columns * padded
    // Pieces of the blocks, by the shape alone: enough for many threads, and no more than 256 MB.
    let pieces = max(1, min(4, blockCount / 2, (64 << 20) / max(1, size)))
    if sums.count < pieces * size { sums = [Float](repeating: 0, count: pieces * size) }
    var result = [Float](repeating: 0, count: matrix.columns * width)
    sums.withUnsafeMutableBufferPointer { sums in
      result.withUnsafeMutableBufferPointer { result in
        nonisolated(unsafe) let (sums, result) = (sums, result)
        pool.run(panels * pieces) { task in
          let piece = task % pieces, first = task / pieces * panel
          guard let base = sums.baseAddress else { return }
          multiply(
            dense, width: width, first: first, panel: min(panel, padded - first),
            blocks: blockCount * piece / pieces..<blockCount * (piece + 1) / pieces, isHalf: precision == .half,
            out: base + piece * size + first, stride: padded)
        }
        pool.ranges(matrix.columns, grain: 256) { range in
          for column in range {
            let to = UnsafeMutableBufferPointer(rebasing: result[column * width..<(column + 1) * width])
            for piece in 0..<pieces {
              let from = UnsafeBufferPointer(rebasing: sums[piece * size + column * padded..<piece * size + column * padded + width])
              if piece == 0 {
                _ = to.update(fromContentsOf: from)
              } else {
                for place in 0..<width { to[place] += from[place] }
              }
            }
          }
        }
      }
    }
    return result
  }

  /// A panel's part of the product, of some blocks.
  private func multiply(
    _ dense: [Float], width: Int, first: Int, panel: Int, blocks chosen: Range<Int>, isHalf: Bool, out: UnsafeMutablePointer<Float>,
    stride: Int
  ) {
    for column in 0..<matrix.columns { (out + column * stride).update(repeating: 0, count: panel) }
    let bytes = panel * (isHalf ? 2 : 4), lanes = Int32(panel / 32), half: Int32 = isHalf ? 1 : 0
    let table = UnsafeMutableRawPointer.allocate(byteCount: max(1, matrix.columns) * bytes, alignment: 64)
    let between = UnsafeMutableRawPointer.allocate(byteCount: Self.blockRows * bytes, alignment: 64)
    defer {
      table.deallocate()
      between.deallocate()
    }
    weir_sparse_table(dense, matrix.columns, width, first, lanes, half, table)
    matrix.offsets.withUnsafeBufferPointer { offsets in
      guard let offsets = offsets.baseAddress else { return }
      for index in chosen {
        let rows = (matrix.rows - index + blockCount - 1) / blockCount
        weir_sparse_rows(matrix.indices, matrix.values, offsets + index, rows, blockCount, table, lanes, half, between)
        let block = blocks[index]
        weir_sparse_columns(block.columns, block.ends, block.columns.count, block.rows, block.values, between, lanes, half, out, stride)
      }
    }
  }
}
