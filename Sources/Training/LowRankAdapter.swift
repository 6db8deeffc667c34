import Kernels
import Primitives

/// Low-rank adaptation (Hu et al. 2106.09685): the matrices of the layers move by (α/r)·B·A only, everything else is frozen.
package struct LowRank: Codable, Sendable, Equatable {
  /// r, columns of B and rows of A.
  package var rank: Int
  /// α; the factors' product is multiplied by α/r.
  package var alpha: Double

  /// Creates the setting.
  package init(rank: Int = 8, alpha: Double = 16) {
    self.rank = rank
    self.alpha = alpha
  }
}

/// The factors of a low-rank adaptation, with their gradients made of the matrices' own.
///
/// The model keeps whole matrices W = W0 + (α/r)·B·A, written anew after each update, so that forward, backward and the model folder know
/// nothing of the factors. A starts uniform in ±1/√in, B at zero.
final class LowRankAdapter {
  private struct Entry {
    let weights: Int, to: Int, from: Int, a: Int, b: Int
  }

  /// A then B of each matrix.
  let factors: FloatBuffer
  let gradients: FloatBuffer
  /// One range for each factor.
  let ranges: [Range<Int>]
  private let entries: [Entry]
  private let base: FloatBuffer
  private let rank: Int
  private let scale: Float
  private let seed: UInt64

  init(_ layout: ParameterLayout, _ setting: LowRank, base: FloatBuffer, seed: UInt64) {
    rank = setting.rank
    scale = Float(setting.alpha / Double(setting.rank))
    self.base = base
    self.seed = seed
    var entries: [Entry] = []
    var ranges: [Range<Int>] = []
    var next = 0
    for tensor in layout.tensors where tensor.decays {
      let to = tensor.shape[0], from = tensor.shape[1], a = next, b = a + setting.rank * from
      next = b + to * setting.rank
      entries.append(Entry(weights: tensor.range.lowerBound, to: to, from: from, a: a, b: b))
      ranges += [a..<b, b..<next]
    }
    self.entries = entries
    self.ranges = ranges
    factors = FloatBuffer(next)
    gradients = FloatBuffer(next)
    reset()
  }

  /// Draws the factors.
  func reset() {
    factors.clear()
    for (index, entry) in entries.enumerated() {
      let random = CounterRandom(seed: seed, stream: UInt64(1_000_000 + index)), bound = 1 / Double(entry.from).squareRoot()
      for i in entry.a..<entry.b { factors.base[i] = Float(bound * (2 * random.uniform(UInt64(i - entry.a)) - 1)) }
    }
  }

  /// dA = (α/r)·Bᵀ·dW and dB = (α/r)·dW·Aᵀ.
  func project(_ dW: FloatBuffer, pool: ThreadPool) {
    pool.run(entries.count) { index in
      let entry = entries[index], d = dW.base + entry.weights
      BLAS.sgemm(
        transposeA: true, m: rank, n: entry.from, k: entry.to, alpha: scale, a: factors.base + entry.b, lda: rank, b: d, ldb: entry.from,
        c: gradients.base + entry.a, ldc: entry.from)
      BLAS.sgemm(
        transposeB: true, m: entry.to, n: rank, k: entry.from, alpha: scale, a: d, lda: entry.from, b: factors.base + entry.a,
        ldb: entry.from, c: gradients.base + entry.b, ldc: rank)
    }
  }

  /// W = W0 + (α/r)·B·A.
  func apply(to parameters: FloatBuffer, pool: ThreadPool) {
    pool.run(entries.count) { index in
      let entry = entries[index], w = parameters.base + entry.weights
      w.update(from: base.base + entry.weights, count: entry.to * entry.from)
      BLAS.sgemm(
        m: entry.to, n: entry.from, k: rank, alpha: scale, a: factors.base + entry.b, lda: rank, b: factors.base + entry.a,
        ldb: entry.from, beta: 1, c: w, ldc: entry.from)
    }
  }
}
