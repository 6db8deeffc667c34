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

  /// The transposed matrix, rows ascending in each column.
  public func transposed() -> SparseMatrix {
    var starts = [Int](repeating: 0, count: columns + 1)
    for column in indices { starts[Int(column) + 1] += 1 }
    for column in 0..<columns { starts[column + 1] += starts[column] }
    var next = starts
    var rowsOut = [UInt32](repeating: 0, count: indices.count)
    var valuesOut = [Float](repeating: 0, count: values.count)
    for row in 0..<rows {
      for position in offsets[row]..<offsets[row + 1] {
        let column = Int(indices[position])
        rowsOut[next[column]] = UInt32(row)
        valuesOut[next[column]] = values[position]
        next[column] += 1
      }
    }
    return SparseMatrix(rows: columns, columns: rows, offsets: starts, indices: rowsOut, values: valuesOut)
  }

  /// The matrix of some columns alone.
  /// - Parameter kept: their numbers, ascending; no other column holds a value.
  public func compacted(to kept: [Int]) -> SparseMatrix {
    var number = [UInt32](repeating: 0, count: columns)
    for (new, old) in kept.enumerated() { number[old] = UInt32(new) }
    return SparseMatrix(rows: rows, columns: kept.count, offsets: offsets, indices: indices.map { number[Int($0)] }, values: values)
  }

  /// This matrix times a dense one; a row of the result is one task's own sum in a fixed order.
  /// - Parameters:
  ///   - dense: [columns, width], row-major.
  ///   - width: columns of the dense matrix.
  ///   - pool: where the rows run.
  /// - Returns: [rows, width], row-major.
  public func times(_ dense: [Float], width: Int, pool: ThreadPool) -> [Float] {
    precondition(dense.count == columns * width, "shapes do not fit")
    var result = [Float](repeating: 0, count: rows * width)
    result.withUnsafeMutableBufferPointer { result in
      dense.withUnsafeBufferPointer { dense in
        indices.withUnsafeBufferPointer { indices in
          values.withUnsafeBufferPointer { values in
            guard let out = result.baseAddress, let matrix = dense.baseAddress, let index = indices.baseAddress,
              let value = values.baseAddress
            else { return }
            nonisolated(unsafe) let (o, m, i, v) = (out, matrix, index, value)
            pool.ranges(rows, grain: 128) { range in
              for row in range {
                let start = offsets[row]
                weir_gather_rows(i + start, v + start, offsets[row + 1] - start, m, width, o + row * width)
              }
            }
          }
        }
      }
    }
    return result
  }
}
