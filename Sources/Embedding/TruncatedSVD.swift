import Kernels
import Pipeline
import Primitives

/// The leading right singular vectors of a sparse matrix A by randomised subspace iteration (Halko, Martinsson, Tropp 2011,
/// algorithm 4.4, of AᵀA): a uniform start, products with AᵀA, an orthonormalisation through the double-precision Gram matrix
/// between them, and algorithm 5.1 on what the last one gives.
///
/// Cost: (2·iterations + 2) · non-zeros · (rank + oversampling) multiply-adds; memory of a few dense matrices [columns, rank + oversampling].
public struct TruncatedSVD: Sendable {
  /// The number of singular vectors.
  public let rank: Int
  /// [rank] singular values, descending; 0 beyond the matrix's rank.
  public let singularValues: [Double]
  /// [columns, rank] right singular vectors, row-major; zero columns beyond the matrix's rank.
  public let vectors: [Float]

  /// Decomposes a matrix.
  /// - Parameters:
  ///   - matrix: [rows, columns].
  ///   - rank: how many singular vectors.
  ///   - oversampling: further directions that are iterated and then dropped.
  ///   - iterations: power iterations.
  ///   - seed: of the start; the result is a function of the arguments alone, whatever the pool.
  ///   - names: [columns] the numbers that the start is drawn by; nil = 0, 1, …: where empty columns are left out it begins as with them.
  ///   - pool: where the work runs; the result does not depend on its number of threads.
  ///   - progress: is told how far it is, and may stop it.
  public init(
    _ matrix: SparseMatrix, rank: Int, oversampling: Int = 32, iterations: Int = 4, seed: UInt64, names: [Int]? = nil, pool: ThreadPool,
    progress: Progress = .silent
  ) throws {
    precondition(rank > 0 && oversampling >= 0 && iterations >= 0, "rank is positive")
    let width = rank + oversampling
    let columns = matrix.columns
    var basis = Self.start(names ?? Array(0..<columns), width: width, seed: seed, pool: pool)
    let total = Double(iterations + 1)
    let gram = GramOperator(matrix, pool: pool)
    var image: [Float] = []
    for step in 0...iterations {
      try progress.checkStop()
      progress.update(Double(step), of: total, unit: "iterations", detail: "singular vectors")
      if step > 0 {
        swap(&basis, &image)
        Self.orthonormalize(&basis, rows: columns, width: width, pool: pool)
      }
      image = gram.times(basis, width: width, precision: step < iterations ? .half : .single, pool: pool)
    }
    // With T = Vᵀ(AᵀA)V = L·Lᵀ the columns of Q = A·V·L⁻ᵀ are orthonormal, and Bᵀ = (QᵀA)ᵀ = AᵀA·V·L⁻ᵀ; B·Bᵀ = W Σ² Wᵀ, and the
    // singular vectors are Bᵀ·W·Σ⁻¹: a half step further than V, and Q is never made.
    var small = BLAS.gram(basis, image, rows: columns, columns: width, pool: pool)
    for row in 0..<width {
      for column in 0..<row {
        let both = (small[row * width + column] + small[column * width + row]) / 2
        (small[row * width + column], small[column * width + row]) = (both, both)
      }
    }
    let inverse = DenseMath.inverseCholesky(small, n: width).map { Float($0) }
    basis = Self.multiply(image, rows: columns, inner: width, inverse, width: width, pool: pool)
    let (values, rotation) = DenseMath.symmetricEigen(BLAS.gram(basis, rows: columns, columns: width, pool: pool), n: width)
    let floor = (values.first ?? 0) * 1e-9
    var turn = [Float](repeating: 0, count: width * rank)
    var singular = [Double](repeating: 0, count: rank)
    for column in 0..<rank where values[column] > floor && values[column] > 0 {
      singular[column] = values[column].squareRoot()
      for row in 0..<width { turn[row * rank + column] = Float(rotation[row * width + column] / singular[column]) }
    }
    var vectors = Self.multiply(basis, rows: columns, inner: width, turn, width: rank, pool: pool)
    Self.fixSigns(&vectors, rows: columns, width: rank)
    self.rank = rank
    singularValues = singular
    self.vectors = vectors
  }

  /// [names, width] numbers between −1 and 1, each a function of its row's name and its column.
  private static func start(_ names: [Int], width: Int, seed: UInt64, pool: ThreadPool) -> [Float] {
    let random = CounterRandom(seed: seed, stream: 0x5644)
    var result = [Float](repeating: 0, count: names.count * width)
    result.withUnsafeMutableBufferPointer { result in
      nonisolated(unsafe) let out = result
      pool.ranges(names.count, grain: 256) { range in
        for row in range {
          for column in 0..<width { out[row * width + column] = Float(2 * random.uniform(UInt64(names[row] * width + column)) - 1) }
        }
      }
    }
    return result
  }

  /// Makes the columns orthonormal; a dependent one becomes zero.
  private static func orthonormalize(_ matrix: inout [Float], rows: Int, width: Int, pool: ThreadPool) {
    let gram = BLAS.gram(matrix, rows: rows, columns: width, pool: pool)
    let inverse = DenseMath.inverseCholesky(gram, n: width).map { Float($0) }
    matrix = multiply(matrix, rows: rows, inner: width, inverse, width: width, pool: pool)
  }

  /// [rows, inner] · [inner, width], in blocks of rows.
  private static func multiply(_ a: [Float], rows: Int, inner: Int, _ b: [Float], width: Int, pool: ThreadPool) -> [Float] {
    var result = [Float](repeating: 0, count: rows * width)
    result.withUnsafeMutableBufferPointer { result in
      a.withUnsafeBufferPointer { a in
        b.withUnsafeBufferPointer { b in
          guard let out = result.baseAddress, let left = a.baseAddress, let right = b.baseAddress else { return }
          nonisolated(unsafe) let (o, l, r) = (out, left, right)
          pool.ranges(rows, grain: 1_024) { range in
            BLAS.sgemm(
              m: range.count, n: width, k: inner, a: l + range.lowerBound * inner, lda: inner, b: r, ldb: width,
              c: o + range.lowerBound * width, ldc: width)
          }
        }
      }
    }
    return result
  }

  /// Singular vectors are known up to their sign: the entry of largest magnitude, the first of equal ones, is made positive.
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
