import CKernels
import Kernels

/// Small dense matrices in double precision, row-major, for the truncated SVD.
enum DenseMath {
  /// R of the Cholesky factorization AᵀA = RᵀR, upper triangular. The row of a column that depends on earlier columns is zero.
  /// - Parameters:
  ///   - gram: [n, n], symmetric, positive semi-definite; zeros outside a band cost nothing.
  ///   - tolerance: a column is dependent if less than this fraction of its squared norm remains.
  ///   - least: a column is dependent if less than this squared norm remains.
  static func cholesky(_ gram: [Double], n: Int, tolerance: Double = 1e-10, least: Double = 0) -> [Double] {
    // Right-looking, so that every inner loop runs along a row of what remains after k columns.
    var left = gram
    var r = [Double](repeating: 0, count: n * n)
    for k in 0..<n {
      let pivot = left[k * n + k]
      guard pivot > tolerance * gram[k * n + k], pivot > least else { continue }
      let root = pivot.squareRoot()
      for j in k..<n { r[k * n + j] = left[k * n + j] / root }
      for i in k + 1..<max(n, k + 1) where r[k * n + i] != 0 {
        subtract(r[k * n + i], of: r, from: k * n + i, in: &left, at: i * n + i, count: n - i)
      }
    }
    return r
  }

  /// The inverse of an upper triangular matrix, restricted to the columns with a nonzero diagonal: with R of `cholesky`, A·R⁻¹ has orthonormal or
  /// zero columns.
  static func inverse(_ r: [Double], n: Int) -> [Double] {
    // Back substitution: R · inverse = identity.
    var inverse = [Double](repeating: 0, count: n * n)
    for row in stride(from: n - 1, through: 0, by: -1) where r[row * n + row] != 0 {
      inverse[row * n + row] = 1
      for k in row + 1..<max(n, row + 1) where r[k * n + k] != 0 && r[row * n + k] != 0 {
        for j in k..<n { inverse[row * n + j] -= r[row * n + k] * inverse[k * n + j] }
      }
      for j in row..<n { inverse[row * n + j] /= r[row * n + row] }
    }
    return inverse
  }

  /// to[at…] -= scale · row[from…]
  private static func subtract(_ scale: Double, of row: [Double], from: Int, in to: inout [Double], at: Int, count: Int) {
    row.withUnsafeBufferPointer { row in
      to.withUnsafeMutableBufferPointer { to in
        for j in 0..<count { to[at + j] -= scale * row[from + j] }
      }
    }
  }

  /// A·B of [n, n] matrices.
  static func product(_ a: [Double], _ b: [Double], n: Int) -> [Double] {
    var result = [Double](repeating: 0, count: n * n)
    for row in 0..<n {
      for k in 0..<n where a[row * n + k] != 0 {
        for column in 0..<n { result[row * n + column] += a[row * n + k] * b[k * n + column] }
      }
    }
    return result
  }

  /// Eigenvalues (descending) and leading eigenvectors of a symmetric matrix: Householder tridiagonalization and implicit QL with shifts (Golub &
  /// Van Loan §8.3). The rotations are stored, and applied to strips of the vectors together with the reflections.
  /// - Parameters:
  ///   - matrix: [n, n].
  ///   - n: the order.
  ///   - count: the number of vectors; nil for all.
  ///   - pool: the result does not depend on its number of threads.
  /// - Returns: [n] values; [n, count] vectors, one per column.
  /// - Complexity: O(n³).
  static func symmetricEigen(_ matrix: [Double], n: Int, count: Int? = nil, pool: ThreadPool) -> (values: [Double], vectors: [Double]) {
    guard n > 0 else { return ([], []) }
    let count = min(n, count ?? n), strip = 32
    var reflections = matrix
    var (values, below, beta) = ([Double](repeating: 0, count: n), [Double](repeating: 0, count: n), [Double](repeating: 0, count: n))
    var scratch = [Double](repeating: 0, count: 4 * n)
    weir_tridiagonal(&reflections, n, &scratch, &values, &below, &beta)
    let rotations = diagonalize(&values, &below, n)
    let order = (0..<n).sorted { values[$0] != values[$1] ? values[$0] > values[$1] : $0 < $1 }
    // Vectors of the tridiagonal matrix are stored as rows, because rotations combine two of them.
    var rows = [Double](repeating: 0, count: n * n)
    for i in 0..<n { rows[i * n + i] = 1 }
    rows.withUnsafeMutableBufferPointer { rows in
      guard let base = rows.baseAddress else { return }
      nonisolated(unsafe) let out = base
      pool.ranges(n, grain: strip) { weir_rotate(rotations, rotations.count, out + $0.lowerBound, $0.count, n) }
    }
    var vectors = [Double](repeating: 0, count: n * count)
    vectors.withUnsafeMutableBufferPointer { vectors in
      guard let base = vectors.baseAddress else { return }
      nonisolated(unsafe) let out = base
      pool.ranges(count, grain: strip) { range in
        for row in 0..<n {
          for column in range { out[row * count + column] = rows[order[column] * n + row] }
        }
        withUnsafeTemporaryAllocation(of: Double.self, capacity: strip) { sum in
          weir_reflect(reflections, beta, n, out + range.lowerBound, range.count, count, sum.baseAddress)
        }
      }
    }
    return (order.map { values[$0] }, vectors)
  }

  /// Implicit QL with Wilkinson's shift on a tridiagonal matrix. `d` becomes the eigenvalues; returns the rotations in order.
  private static func diagonalize(_ d: inout [Double], _ e: inout [Double], _ n: Int) -> [weir_rotation] {
    var rotations: [weir_rotation] = []
    rotations.reserveCapacity(n * n)
    e[n - 1] = 0
    for l in 0..<n {
      // The method never needs 60 sweeps; the bound guards against NaN.
      for _ in 0..<60 {
        var m = l
        while m < n - 1 {
          let size = d[m].magnitude + d[m + 1].magnitude
          if e[m].magnitude <= Double.ulpOfOne * size { break }
          m += 1
        }
        if m == l { break }
        var g = (d[l + 1] - d[l]) / (2 * e[l])
        var r = (g * g + 1).squareRoot()
        g = d[m] - d[l] + e[l] / (g + (g >= 0 ? r : -r))
        var (s, c, p) = (1.0, 1.0, 0.0)
        var underflow = false
        for i in stride(from: m - 1, through: l, by: -1) {
          let f = s * e[i]
          let b = c * e[i]
          r = (f * f + g * g).squareRoot()
          e[i + 1] = r
          if r == 0 {
            d[i + 1] -= p
            e[m] = 0
            underflow = true
            break
          }
          s = f / r
          c = g / r
          g = d[i + 1] - p
          r = (d[i] - g) * s + 2 * c * b
          p = s * r
          d[i + 1] = g + p
          g = c * r - b
          rotations.append(weir_rotation(row: i, cosine: c, sine: s))
        }
        if underflow { continue }
        d[l] -= p
        e[l] = g
        e[m] = 0
      }
    }
    return rotations
  }
}
