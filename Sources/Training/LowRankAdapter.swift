import Kernels
import Primitives

/// Low-rank adaptation (LoRA; Hu et al. 2106.09685): only a low-rank update (α/r)·B·A of the layers' matrices is trained.
package struct LowRank: Codable, Sendable, Equatable {
  /// r: the columns of B and the rows of A.
  package var rank: Int
  /// α: the update is scaled by α/r.
  package var alpha: Double

  package init(rank: Int = 8, alpha: Double = 16) {
    self.rank = rank
    self.alpha = alpha
  }
}

/// The trainable factors of a low-rank adaptation.
///
/// The model holds the full matrices W = W0 + (α/r)·B·A, recomputed after every update, and the gradients of the factors are derived from
/// the gradients of W. So the forward pass, the backward pass and model folders are the same with and without an adapter. A is initialized
/// uniformly in ±1/√in, B to zero.
final class LowRankAdapter {
  private struct Entry { let weights: Int, to: Int, from: Int, a: Int, b: Int }

  /// For each matrix A, then B.
  let factors: FloatBuffer
  let gradients: FloatBuffer
  /// The range of each factor in `factors`.
  let ranges: [Range<Int>]
  private let entries: [Entry]
  private let base: FloatBuffer
  private let rank: Int
  private let scale: Float
  private let randomSeed: UInt64

  init(_ layout: ParameterLayout, _ setting: LowRank, base: FloatBuffer, randomSeed: UInt64) {
    rank = setting.rank
    scale = Float(setting.alpha / Double(setting.rank))
    self.base = base
    self.randomSeed = randomSeed
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

  /// Initializes the factors.
  func reset() {
    factors.clear()
    for (index, entry) in entries.enumerated() {
      let random = CounterRandom(seed: randomSeed, stream: UInt64(1_000_000 + index)), bound = 1 / Double(entry.from).squareRoot()
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
