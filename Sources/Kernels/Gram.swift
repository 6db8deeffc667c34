import CKernels

/// Gram matrices AᵀA.
package enum Gram {
  /// AᵀA of a tall single-precision matrix, in double precision. Blocks of rows are added in order.
  /// - Parameters:
  ///   - a: [rows, columns], row-major.
  ///   - pool: runs the blocks; the result does not depend on its number of threads.
  /// - Returns: [columns, columns], row-major.
  package static func matrix(_ a: UnsafePointer<Float>, rows: Int, columns: Int, pool: ThreadPool) -> [Double] {
    // At most 32 partial products; their number depends on the shape alone.
    let grain = max(512, (rows + 31) / 32)
    return sum(rows: rows, columns: columns, grain: grain, pool: pool) { range, out in
      part(a + range.lowerBound * columns, rows: range.count, columns: columns, out: out)
    }
  }

  /// The symmetric matrix whose upper triangle is the sum of those that `part` computes for ranges of `grain` rows. `part` adds to a matrix of
  /// zeros.
  package static func sum(
    rows: Int, columns: Int, grain: Int, pool: ThreadPool, _ part: (Range<Int>, UnsafeMutablePointer<Double>) -> Void
  ) -> [Double] {
    let size = columns * columns, parts = (rows + grain - 1) / grain
    var sum = [Double](repeating: 0, count: size)
    var partial = [Double](repeating: 0, count: parts * size)
    partial.withUnsafeMutableBufferPointer { partial in
      guard let base = partial.baseAddress else { return }
      nonisolated(unsafe) let out = base
      pool.ranges(rows, grain: grain) { range in part(range, out + range.lowerBound / grain * size) }
    }
    for part in 0..<parts {
      for index in 0..<size { sum[index] += partial[part * size + index] }
    }
    for row in 0..<columns {
      for column in 0..<row { sum[row * columns + column] = sum[column * columns + row] }
    }
    return sum
  }

  /// Adds the upper triangle of AᵀA to `out`, on the calling thread.
  package static func part(_ a: UnsafePointer<Float>, rows: Int, columns: Int, out: UnsafeMutablePointer<Double>) {
    withUnsafeTemporaryAllocation(of: Double.self, capacity: 128 * ((columns + 15) / 16 * 16)) { scratch in
      guard let scratch = scratch.baseAddress else { return }
      weir_gram(a, rows, columns, scratch, out)
    }
  }
}
