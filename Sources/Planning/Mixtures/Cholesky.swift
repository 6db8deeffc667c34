import Foundation

/// The factor L of a symmetric positive definite matrix, A = L·Lᵀ, row by row.
struct Cholesky {
  let count: Int
  /// [count, count]; what is right of the diagonal is 0.
  private(set) var factor: [Double]

  /// - Returns: nil where the matrix is not positive definite.
  init?(_ matrix: [Double], count: Int) {
    precondition(matrix.count == count * count, "the matrix is not square")
    self.count = count
    var isPositive = true
    factor = [Double](unsafeUninitializedCapacity: count * count) { l, size in
      guard let base = l.baseAddress else { return }
      for row in 0..<count {
        let own = base + row * count
        for column in 0...row {
          let other = base + column * count
          let rest = matrix[row * count + column] - Self.dot(own, other, column)
          if column < row {
            own[column] = rest / other[column]
          } else {
            isPositive = isPositive && rest > 0
            own[column] = rest.squareRoot()
          }
        }
        for column in row + 1..<max(row + 1, count) { own[column] = 0 }
      }
      size = count * count
    }
    guard isPositive else { return nil }
  }

  /// The logarithm of the determinant of A.
  var logDeterminant: Double {
    var sum = 0.0
    for row in 0..<count { sum += log(factor[row * count + row]) }
    return 2 * sum
  }

  /// Solves L·x = b.
  func forward(_ b: [Double]) -> [Double] {
    var x = b
    factor.withUnsafeBufferPointer { l in
      x.withUnsafeMutableBufferPointer { x in
        guard let l = l.baseAddress, let x = x.baseAddress else { return }
        for row in 0..<count { x[row] = (x[row] - Self.dot(l + row * count, x, row)) / l[row * count + row] }
      }
    }
    return x
  }

  /// Solves A·x = b.
  func solve(_ b: [Double]) -> [Double] {
    var x = forward(b)
    // Column by column, so that the factor is read by rows.
    for row in (0..<count).reversed() {
      x[row] /= factor[row * count + row]
      for column in 0..<row { x[column] -= factor[row * count + column] * x[row] }
    }
    return x
  }

  /// A⁻¹, [count, count].
  func inverse() -> [Double] {
    // Row c of `u` is column c of L⁻¹, so that all products are of rows.
    var u = [Double](repeating: 0, count: count * count), result = u
    u.withUnsafeMutableBufferPointer { u in
      factor.withUnsafeBufferPointer { l in
        guard let u = u.baseAddress, let l = l.baseAddress else { return }
        for column in 0..<count {
          let own = u + column * count
          for row in column..<count {
            let sum = Self.dot(l + row * count + column, own + column, row - column)
            own[row] = ((row == column ? 1 : 0) - sum) / l[row * count + row]
          }
        }
        result.withUnsafeMutableBufferPointer { result in
          for row in 0..<count {
            for column in 0...row {
              let value = Self.dot(u + row * count + row, u + column * count + row, count - row)
              result[row * count + column] = value
              result[column * count + row] = value
            }
          }
        }
      }
    }
    return result
  }

  /// The dot product, in a fixed order of additions.
  private static func dot(_ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>, _ count: Int) -> Double {
    var sums = (SIMD8<Double>(repeating: 0), SIMD8<Double>(repeating: 0)), index = 0
    while index + 16 <= count {
      let (x, y) = (UnsafeRawPointer(a + index), UnsafeRawPointer(b + index))
      sums.0 += x.loadUnaligned(as: SIMD8<Double>.self) * y.loadUnaligned(as: SIMD8<Double>.self)
      sums.1 += x.loadUnaligned(fromByteOffset: 64, as: SIMD8<Double>.self) * y.loadUnaligned(fromByteOffset: 64, as: SIMD8<Double>.self)
      index += 16
    }
    var sum = (sums.0 + sums.1).sum()
    while index < count {
      sum += a[index] * b[index]
      index += 1
    }
    return sum
  }
}
