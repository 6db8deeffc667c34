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
}
