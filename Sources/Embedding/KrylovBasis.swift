import CKernels
import Kernels
import Primitives

/// An orthonormal basis of a block Krylov space of a symmetric matrix. It grows by 32 directions per step; dependent directions are zero.
/// Every pass over it is divided into ranges of rows, whose sums are added in order.
final class KrylovBasis {
  /// Directions per block.
  static let width = GramOperator.width

  private let rows: Int
  /// [rows, stride] all blocks side by side.
  private let basis: FloatBuffer
  private let stride: Int
  /// [rows, width] the last block, and space for the next.
  private var last: FloatBuffer
  private var next: FloatBuffer
  /// The number of blocks so far.
  private var blocks = 0
  /// [width, width] the component of the last product in the last block.
  private var coupling: [Double] = []

  /// Starts with an orthonormalized block of random numbers in −1…1, each a function of the row's name and the column.
  init(_ names: [Int], steps: Int, randomSeed: UInt64, pool: ThreadPool) {
    rows = names.count
    stride = (steps + 1) * Self.width
    basis = FloatBuffer(rows * stride)
    last = FloatBuffer(rows * Self.width)
    next = FloatBuffer(rows * Self.width)
    let random = CounterRandom(seed: randomSeed, stream: 0x5644)
    pool.ranges(rows, grain: 256) { range in
      for row in range {
        for column in 0..<Self.width {
          next.base[row * Self.width + column] = Float(2 * random.uniform(UInt64(names[row] * Self.width + column)) - 1)
        }
      }
    }
    _ = orthonormalize(pool: pool)
  }

  /// Adds the next block: the product M·V of the matrix with the last block, orthonormalized against all blocks and within itself.
  /// - Returns: [width, width] the components of M·V in V and in the next block.
  func grow(_ matrix: GramOperator, pool: ThreadPool) -> (own: [Double], next: [Double]) {
    let width = Self.width
    matrix.multiply(last.base, into: next.base, pool: pool)
    var own = coefficients(of: blocks - 1..<blocks, pool: pool)
    // In exact arithmetic, the product only has components in its own block, the previous and the next.
    var taken = own
    if blocks > 1 {
      taken = [Float](repeating: 0, count: width * width) + own
      for row in 0..<width {
        for column in 0..<width { taken[row * width + column] = Float(coupling[column * width + row]) }
      }
    }
    subtract(taken, of: max(0, blocks - 2)..<blocks, pool: pool)
    let (more, scale, rest) = orthonormalize(pool: pool)
    // The component in the last block that rounding left, in units of the product.
    for row in 0..<width {
      for column in 0..<width {
        for k in 0..<width {
          own[row * width + column] += more[(more.count - width * width) + row * width + k] * Float(scale[k * width + column])
        }
      }
    }
    coupling = DenseMath.product(rest, scale, n: width)
    return (own.map { Double($0) }, coupling)
  }

  /// - Parameters:
  ///   - factors: [(blocks · width), width].
  /// - Returns: [rows, width].
  func times(_ factors: [Float], width: Int, pool: ThreadPool) -> [Float] {
    let inner = blocks * Self.width
    var result = [Float](repeating: 0, count: rows * width)
    result.withUnsafeMutableBufferPointer { result in
      guard let out = result.baseAddress else { return }
      nonisolated(unsafe) let o = out
      pool.ranges(rows, grain: 512) { range in
        weir_gemm(
          0, 0, range.count, width, inner, basis.base + range.lowerBound * stride, stride, factors, width, o + range.lowerBound * width,
          width,
          0)
      }
    }
    return result
  }

  /// Orthonormalizes `next`, subtracts its components in the blocks, orthonormalizes it again, and appends it.
  /// - Returns: its components in the blocks [(blocks · width), width] after the first R⁻¹, and both R.
  private func orthonormalize(pool: ThreadPool) -> (more: [Float], first: [Double], second: [Double]) {
    let first = DenseMath.cholesky(gram(pool: pool), n: Self.width)
    turn(DenseMath.inverse(first, n: Self.width), pool: pool)
    let more = blocks > 0 ? coefficients(of: 0..<blocks, pool: pool) : []
    if blocks > 0 { subtract(more, of: 0..<blocks, pool: pool) }
    // Columns had norm 1 before the subtraction; of a column in the span of the blocks, only rounding errors remain.
    let second = DenseMath.cholesky(gram(pool: pool), n: Self.width, least: 0.01)
    turn(DenseMath.inverse(second, n: Self.width), pool: pool)
    let place = blocks * Self.width
    pool.ranges(rows, grain: 1_024) { range in
      for row in range { (basis.base + row * stride + place).update(from: next.base + row * Self.width, count: Self.width) }
    }
    swap(&last, &next)
    blocks += 1
    return (more, first, second)
  }

  /// Rows per task.
  private var grain: Int { max(1_024, (rows + 63) / 64) }

  /// nextᵀ · next.
  private func gram(pool: ThreadPool) -> [Double] {
    Gram.sum(rows: rows, columns: Self.width, grain: grain, pool: pool) { range, out in
      Gram.part(next.base + range.lowerBound * Self.width, rows: range.count, columns: Self.width, out: out)
    }
  }

  /// blocksᵀ · next: [(blocks · width), width].
  private func coefficients(of chosen: Range<Int>, pool: ThreadPool) -> [Float] {
    let width = Self.width, height = chosen.count * width, size = height * width, grain = grain
    var partial = [Float](repeating: 0, count: (rows + grain - 1) / grain * size)
    partial.withUnsafeMutableBufferPointer { partial in
      guard let base = partial.baseAddress else { return }
      nonisolated(unsafe) let out = base
      pool.ranges(rows, grain: grain) { range in
        weir_gemm(
          1, 0, height, width, range.count, basis.base + range.lowerBound * stride + chosen.lowerBound * width, stride,
          next.base + range.lowerBound * width, width, out + range.lowerBound / grain * size, width, 0)
      }
      for part in Swift.stride(from: size, to: partial.count, by: size) {
        for place in 0..<size { partial[place] += partial[part + place] }
      }
    }
    return Array(partial.prefix(size))
  }

  /// next −= blocks · factors.
  private func subtract(_ factors: [Float], of chosen: Range<Int>, pool: ThreadPool) {
    let width = Self.width, negative = factors.map { -$0 }
    pool.ranges(rows, grain: grain) { range in
      weir_gemm(
        0, 0, range.count, width, chosen.count * width, basis.base + range.lowerBound * stride + chosen.lowerBound * width, stride,
        negative,
        width, next.base + range.lowerBound * width, width, 1)
    }
  }

  /// next ← next · factors.
  private func turn(_ factors: [Double], pool: ThreadPool) {
    let width = Self.width, factors = factors.map { Float($0) }, strip = 256
    pool.ranges(rows, grain: grain) { range in
      withUnsafeTemporaryAllocation(of: Float.self, capacity: strip * width) { room in
        guard let room = room.baseAddress else { return }
        for begin in Swift.stride(from: range.lowerBound, to: range.upperBound, by: strip) {
          let count = min(strip, range.upperBound - begin), at = next.base + begin * width
          weir_gemm(0, 0, count, width, width, at, width, factors, width, room, width, 0)
          at.update(from: room, count: count * width)
        }
      }
    }
  }
}
