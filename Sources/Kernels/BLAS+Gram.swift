import CBLAS

extension BLAS {
  /// AᵀA, or AᵀB, of tall single-precision matrices, in double precision, over blocks of rows added in order.
  /// - Parameters:
  ///   - a: [rows, columns], row-major.
  ///   - b: [rows, columns] the other matrix; nil = a.
  ///   - rows: the number of rows.
  ///   - columns: the number of columns.
  ///   - pool: where the blocks run; the result does not depend on its number of threads.
  /// - Returns: [columns, columns], row-major.
  public static func gram(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>? = nil, rows: Int, columns: Int, pool: ThreadPool)
    -> [Double]
  {
    let size = columns * columns
    var sum = [Double](repeating: 0, count: size)
    guard rows > 0, columns > 0 else { return sum }
    // At most 32 partial products are alive; their number follows from the shape alone.
    let grain = max(512, (rows + 31) / 32)
    let parts = (rows + grain - 1) / grain
    var partial = [Double](repeating: 0, count: parts * size)
    partial.withUnsafeMutableBufferPointer { partial in
      nonisolated(unsafe) let out = partial.baseAddress!
      nonisolated(unsafe) let (a, b) = (a, b)
      pool.run(parts) { part in
        let range = part * grain..<min(rows, (part + 1) * grain)
        let step = 512
        var block = [Double](repeating: 0, count: min(step, range.count) * columns)
        var other = b == nil ? [] : block
        for start in stride(from: range.lowerBound, to: range.upperBound, by: step) {
          let count = min(step, range.upperBound - start)
          for index in 0..<count * columns { block[index] = Double(a[start * columns + index]) }
          if let b {
            for index in 0..<count * columns { other[index] = Double(b[start * columns + index]) }
          }
          // Of a symmetric product the part above the diagonal, by blocks of columns.
          let width = b == nil ? max(32, (columns + 3) / 4) : columns
          for first in Swift.stride(from: 0, to: columns, by: width) {
            let right = b == nil ? first : 0
            block.withUnsafeBufferPointer { block in
              other.withUnsafeBufferPointer { other in
                guard let left = block.baseAddress else { return }
                weir_dgemm(
                  1, 0, Int32(min(width, columns - first)), Int32(columns - right), Int32(count), 1, left + first, Int32(columns),
                  (b == nil ? left : other.baseAddress ?? left) + right, Int32(columns), 1, out + part * size + first * columns + right,
                  Int32(columns))
              }
            }
          }
        }
      }
    }
    for part in 0..<parts {
      for index in 0..<size { sum[index] += partial[part * size + index] }
    }
    if b == nil {
      for row in 0..<columns {
        for column in 0..<row { sum[row * columns + column] = sum[column * columns + row] }
      }
    }
    return sum
  }
}
