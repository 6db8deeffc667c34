import CKernels
import Kernels
import Pipeline

/// The leading right singular vectors of a sparse matrix A from a block Krylov space of AᵀA (Musco & Musco 2015, algorithm 2; block Lanczos with
/// full reorthogonalization, Golub & Van Loan §10.3) with about twice as many directions as vectors, and a random start.
///
/// Cost: about 4 · nonzeros · rank multiply-adds in sparse products, 10 · columns · rank² in dense ones; memory for [columns, 2·rank] numbers.
package struct TruncatedSVD: Sendable {
  package let rank: Int
  /// [rank] singular values, descending; 0 beyond the rank of the matrix, and below a thousandth of the first, which single precision cannot
  /// distinguish from 0.
  package let singularValues: [Double]
  /// [columns, rank] right singular vectors, row-major; a column is zero if its value is 0.
  package let vectors: [Float]

  /// Decomposes a matrix.
  /// - Parameters:
  ///   - rank: the number of singular vectors.
  ///   - randomSeed: seeds the start.
  ///   - names: [columns] numbers that the start depends on; nil for 0, 1, …. So leaving out empty columns does not change the start.
  ///   - pool: the result does not depend on its number of threads.
  package init(
    _ matrix: SparseMatrix, rank: Int, randomSeed: UInt64, names: [Int]? = nil, pool: ThreadPool, progress: Progress = .silent
  ) throws {
    precondition(rank > 0, "rank is positive")
    let width = KrylovBasis.width, columns = matrix.columns
    // Two blocks more than 1.75 times the rank needs, and at least five: this captures more of A than five rounds of subspace iteration.
    let wanted = max(5, (7 * rank + 4 * width - 1) / (4 * width) + 2)
    let steps = max(1, min(wanted, (columns + width - 1) / width)), order = steps * width
    let basis = KrylovBasis(names ?? Array(0..<columns), steps: steps, randomSeed: randomSeed, pool: pool)
    let operation = GramOperator(matrix, pool: pool)
    // T = VᵀAᵀAV is block tridiagonal: the components of each product in its own block on the diagonal, those in the next block beside it.
    var small = [Double](repeating: 0, count: order * order)
    var beyond: [Double] = []
    for step in 0..<steps {
      try progress.checkStop()
      progress.update(Double(step), of: Double(steps + 1), unit: "steps", detail: "singular vectors")
      let (own, next) = basis.grow(operation, pool: pool)
      for row in 0..<width {
        for column in 0..<width {
          let place = (step * width + row) * order + step * width + column
          small[place] = (own[row * width + column] + own[column * width + row]) / 2
          if step + 1 < steps {
            small[place + width * order] = next[row * width + column]
            small[(step * width + column) * order + (step + 1) * width + row] = next[row * width + column]
          }
        }
      }
      beyond = next
    }
    progress.update(Double(steps), of: Double(steps + 1), unit: "steps", detail: "singular vectors")
    // With T = RᵀR, the columns of Q = A·V·R⁻¹ are orthonormal, and AᵀQ = V·Rᵀ + V'·E with V' the block after the last and E the component of the
    // last product in it, times R⁻¹. The singular vectors of AᵀQ are half a step more accurate than those of T, at no cost.
    let r = DenseMath.cholesky(small, n: order)
    var corner = [Double](repeating: 0, count: width * width)
    for row in 0..<width {
      for column in 0..<width { corner[row * width + column] = r[(order - width + row) * order + order - width + column] }
    }
    let rest = DenseMath.product(beyond, DenseMath.inverse(corner, n: width), n: width)
    let (values, rotation) = DenseMath.symmetricEigen(
      Self.squared(r, order: order, rest: rest, width: width), n: order, count: min(rank, order), pool: pool)
    var singular = [Double](repeating: 0, count: rank)
    let floor = (values.first ?? 0) * 1e-6, held = min(rank, order)
    for column in 0..<held where values[column] > floor && values[column] > 0 { singular[column] = values[column].squareRoot() }
    // The vectors in terms of the basis, its last block included: [order + width, rank].
    var turn = [Float](repeating: 0, count: (order + width) * rank)
    var sum = [Double](repeating: 0, count: held)
    for row in 0..<order + width {
      for column in 0..<held { sum[column] = 0 }
      for k in max(0, row < order ? row - 2 * width : order - width)..<min(order, row + 1) {
        let factor = row < order ? r[k * order + row] : rest[(row - order) * width + k - order + width]
        if factor != 0 { for column in 0..<held { sum[column] += factor * rotation[k * held + column] } }
      }
      for column in 0..<held where singular[column] > 0 { turn[row * rank + column] = Float(sum[column] / singular[column]) }
    }
    var vectors = basis.times(turn, width: rank, pool: pool)
    Self.fixSigns(&vectors, rows: columns, width: rank)
    self.rank = rank
    singularValues = singular
    self.vectors = vectors
  }

  /// R·Rᵀ of a band of two blocks, plus restᵀ·rest in the last block.
  private static func squared(_ r: [Double], order: Int, rest: [Double], width: Int) -> [Double] {
    var result = [Double](repeating: 0, count: order * order)
    for row in 0..<order {
      for column in row..<min(order, row + 2 * width) {
        var sum = 0.0
        for k in column..<min(order, row + 2 * width) { sum += r[row * order + k] * r[column * order + k] }
        if row >= order - width {
          for k in 0..<width { sum += rest[k * width + row - order + width] * rest[k * width + column - order + width] }
        }
        (result[row * order + column], result[column * order + row]) = (sum, sum)
      }
    }
    return result
  }

  /// Fixes the signs of singular vectors: the entry of largest magnitude becomes positive, the first one on a tie.
  private static func fixSigns(_ vectors: inout [Float], rows: Int, width: Int) {
    var largest = [Float](repeating: 0, count: width)
    for row in 0..<rows {
      for column in 0..<width where vectors[row * width + column].magnitude > largest[column].magnitude {
        largest[column] = vectors[row * width + column]
      }
    }
    let signs = largest.map { $0 < 0 ? Float(-1) : 1 }
    for row in 0..<rows {
      for column in 0..<width { vectors[row * width + column] *= signs[column] }
    }
  }
}
