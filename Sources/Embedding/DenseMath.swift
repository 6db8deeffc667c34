/// Small dense matrices in double precision, row-major: what the truncated SVD needs of them.
enum DenseMath {
  /// R⁻¹ of the Cholesky factor AᵀA = RᵀR, R upper triangular. A column that depends on the ones before it gets a zero
  /// column in R⁻¹, so that A·R⁻¹ has orthonormal or zero columns.
  /// - Parameters:
  ///   - gram: [n, n], symmetric, positive semi-definite.
  ///   - n: the order.
  /// - Returns: [n, n], upper triangular.
  static func inverseCholesky(_ gram: [Double], n: Int, tolerance: Double = 1e-10) -> [Double] {
    // Row by row, so that every inner loop goes along a row: what is left of the matrix after k columns, and of the identity.
    var left = gram
    var r = [Double](repeating: 0, count: n * n)
    var dependent = [Bool](repeating: false, count: n)
    for k in 0..<n {
      let pivot = left[k * n + k]
      guard pivot > tolerance * gram[k * n + k], pivot > 0 else {
        dependent[k] = true
        continue
      }
      let root = pivot.squareRoot()
      for j in k..<n { r[k * n + j] = left[k * n + j] / root }
      for i in k + 1..<max(n, k + 1) { subtract(r[k * n + i], of: r, from: k * n + i, in: &left, at: i * n + i, count: n - i) }
    }
    // Back substitution on the independent columns: R · inverse = identity there.
    var inverse = [Double](repeating: 0, count: n * n)
    for row in stride(from: n - 1, through: 0, by: -1) where !dependent[row] {
      inverse[row * n + row] = 1
      var sum = [Double](repeating: 0, count: n)
      for k in row + 1..<max(n, row + 1) where !dependent[k] {
        subtract(r[row * n + k], of: inverse, from: k * n + k, in: &sum, at: k, count: n - k)
      }
      for column in row..<n { inverse[row * n + column] = (inverse[row * n + column] + sum[column]) / r[row * n + row] }
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

  /// Eigenvalues (descending) and eigenvectors (columns) of a symmetric matrix: Householder tridiagonalisation, then implicit
  /// QL with shifts (Golub & Van Loan §8.3; the EISPACK pair tred2 and tql2).
  /// - Complexity: O(n³).
  static func symmetricEigen(_ matrix: [Double], n: Int) -> (values: [Double], vectors: [Double]) {
    guard n > 0 else { return ([], []) }
    var v = matrix
    var d = [Double](repeating: 0, count: n)
    var e = [Double](repeating: 0, count: n)
    tridiagonalize(&v, &d, &e, n)
    // Rotations turn two columns: rows of the transpose.
    v = transposed(v, n)
    diagonalize(&v, &d, &e, n)
    let order = (0..<n).sorted { d[$0] != d[$1] ? d[$0] > d[$1] : $0 < $1 }
    var vectors = [Double](repeating: 0, count: n * n)
    for (column, from) in order.enumerated() {
      for row in 0..<n { vectors[row * n + column] = v[from * n + row] }
    }
    return (order.map { d[$0] }, vectors)
  }

  /// v ← the orthogonal matrix Q with Qᵀ·A·Q tridiagonal, d its diagonal, e its subdiagonal (e[0] = 0).
  private static func tridiagonalize(_ v: inout [Double], _ d: inout [Double], _ e: inout [Double], _ n: Int) {
    // Q as a product of reflections, applied to a working copy of A from both sides.
    var a = v
    v = [Double](repeating: 0, count: n * n)
    for i in 0..<n { v[i * n + i] = 1 }
    var u = [Double](repeating: 0, count: n)
    var p = [Double](repeating: 0, count: n)
    for k in 0..<max(0, n - 2) {
      var norm = 0.0
      for i in k + 1..<n { norm += a[i * n + k] * a[i * n + k] }
      norm = norm.squareRoot()
      guard norm > 0 else { continue }
      let head = a[(k + 1) * n + k]
      let alpha = head > 0 ? -norm : norm
      var square = 0.0
      for i in k + 1..<n {
        u[i] = a[i * n + k] - (i == k + 1 ? alpha : 0)
        square += u[i] * u[i]
      }
      guard square > 0 else { continue }
      let beta = 2 / square
      // A ← (I − βuuᵀ) A (I − βuuᵀ) by the symmetric rank-two update.
      var dot = 0.0
      for i in k..<n {
        var sum = 0.0
        for j in k + 1..<n { sum += a[i * n + j] * u[j] }
        p[i] = beta * sum
        if i > k { dot += p[i] * u[i] }
      }
      let half = beta * dot / 2
      for i in k + 1..<n { p[i] -= half * u[i] }
      for i in k + 1..<n {
        for j in k + 1..<n { a[i * n + j] -= u[i] * p[j] + p[i] * u[j] }
        a[i * n + k] = i == k + 1 ? alpha : 0
        a[k * n + i] = a[i * n + k]
      }
      // Q ← Q (I − βuuᵀ)
      for i in 0..<n {
        var sum = 0.0
        for j in k + 1..<n { sum += v[i * n + j] * u[j] }
        let scale = beta * sum
        for j in k + 1..<n { v[i * n + j] -= scale * u[j] }
      }
    }
    for i in 0..<n {
      d[i] = a[i * n + i]
      e[i] = i > 0 ? a[i * n + i - 1] : 0
    }
  }

  private static func transposed(_ a: [Double], _ n: Int) -> [Double] {
    var result = a
    for row in 0..<n {
      for column in 0..<n { result[column * n + row] = a[row * n + column] }
    }
    return result
  }

  /// Implicit QL with Wilkinson's shift on a tridiagonal matrix; the rotations are gathered in the rows of v.
  private static func diagonalize(_ v: inout [Double], _ d: inout [Double], _ e: inout [Double], _ n: Int) {
    for i in 1..<max(1, n) { e[i - 1] = e[i] }
    e[n - 1] = 0
    for l in 0..<n {
      // 60 sweeps are far beyond what the method needs; the bound only guards against not-a-number.
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
          v.withUnsafeMutableBufferPointer { v in
            for k in i * n..<(i + 1) * n {
              let t = v[k + n]
              v[k + n] = s * v[k] + c * t
              v[k] = c * v[k] - s * t
            }
          }
        }
        if underflow { continue }
        d[l] -= p
        e[l] = g
        e[m] = 0
      }
    }
  }
}
