/// A sparse matrix in compressed rows (CSR), single precision.
package struct SparseMatrix: Sendable {
  package let rows: Int
  package let columns: Int
  /// [rows + 1] the start of each row.
  package let offsets: [Int]
  /// [nonzeros] columns, ascending within a row.
  package let indices: [UInt32]
  /// [nonzeros]
  package let values: [Float]

  package init(rows: Int, columns: Int, offsets: [Int], indices: [UInt32], values: [Float]) {
    precondition(offsets.count == rows + 1 && offsets.last == indices.count && indices.count == values.count, "not a sparse matrix")
    self.rows = rows
    self.columns = columns
    self.offsets = offsets
    self.indices = indices
    self.values = values
  }
}
