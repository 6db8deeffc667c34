/// A sparse matrix in compressed rows, single precision.
package struct SparseMatrix: Sendable {
  /// The number of rows.
  package let rows: Int
  /// The number of columns.
  package let columns: Int
  /// [rows + 1] where each row begins.
  package let offsets: [Int]
  /// [non-zeros] columns, ascending in a row.
  package let indices: [UInt32]
  /// [non-zeros] values.
  package let values: [Float]

  /// Creates a matrix of its parts.
  package init(rows: Int, columns: Int, offsets: [Int], indices: [UInt32], values: [Float]) {
    precondition(offsets.count == rows + 1 && offsets.last == indices.count && indices.count == values.count, "not a sparse matrix")
    self.rows = rows
    self.columns = columns
    self.offsets = offsets
    self.indices = indices
    self.values = values
  }
}
