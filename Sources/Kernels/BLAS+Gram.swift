import CBLAS

extension BLAS {
  /// AᵀA of a tall single-precision matrix, in double precision, over blocks of rows added in order.
  /// - Parameters:
  ///   - a: [rows, columns], row-major.
  ///   - rows: the number of rows.
  ///   - columns: the number of columns.
  ///   - pool: where the blocks run; the result does not depend on its number of threads.
  /// - Returns: [columns, columns], symmetric.
  public static func gram(_ a: UnsafePointer<Float>, rows: Int, columns: Int, pool: ThreadPool) -> [Double] {
    let size = columns * columns
    var sum = [Double](repeating: 0, count: size)
    guard rows > 0, columns > 0 else { return sum }
    // At most 32 partial products are alive; their number follows from the shape alone.
    let grain = max(512, (rows + 31) / 32)
    let parts = (rows + grain - 1) / grain
    var partial = [Double](repeating: 0, count: parts * size)
    partial.withUnsafeMutableBufferPointer { partial in
      nonisolated(unsafe) let out = partial.baseAddress!
      nonisolated(unsafe) let a = a
      pool.run(parts) { part in
        let range = part * grain..<min(rows, (part + 1) * grain)
        let step = 512
        var block = [Double](repeating: 0, count: min(step, range.count) * columns)
        for start in stride(from: range.lowerBound, to: range.upperBound, by: step) {
          let count = min(step, range.upperBound - start)
          for index in 0..<count * columns { block[index] = Double(a[start * columns + index]) }
          weir_dgemm(
            1, 0, Int32(columns), Int32(columns), Int32(count), 1, block, Int32(columns), block, Int32(columns), 1, out + part * size,
            Int32(columns))
        }
      }
    }
    for part in 0..<parts {
      for index in 0..<size { sum[index] += partial[part * size + index] }
    }
    return sum
  }
}
