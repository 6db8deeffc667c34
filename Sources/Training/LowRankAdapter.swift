import CKernels
import Kernels
import Primitives

/// The factors of a low-rank adaptation, which are all that is trained: the base stays as it is, without gradients or a copy.
///
/// The forward pass adds (α/r)·B·(A·x) to the output of each adapted matrix (`Transformer+Adapter`); a model folder gets the merged
/// matrices. A is initialized uniformly in ±1/√in as in PEFT, B to zero.
package final class LowRankAdapter {
  /// A matrix with its factors A [rank, from] and B [to, rank].
  struct Pair {
    let target: LowRank.Target
    let from: Int
    let to: Int
    /// Offsets in `factors`.
    let a: Int
    let b: Int
    /// The offset of the matrix in the parameters of the model.
    let weights: Int
    /// Tells the random numbers of one matrix from those of another.
    let stream: UInt64
    /// The name of its module in the model.
    let module: String
  }

  package let setting: LowRank
  /// For each layer and matrix A, then B.
  package let factors: FloatBuffer
  let gradients: FloatBuffer
  /// Floats in the factors of one layer.
  let layerCount: Int
  let scale: Float
  let dropout: Float
  /// By layer, in the order of `LowRank.Target`.
  let pairs: [[Pair]]
  private let randomSeed: UInt64

  /// - Parameter training: whether gradients are needed.
  package init(_ c: ModelConfiguration, _ setting: LowRank, randomSeed: UInt64 = 0, training: Bool = true) {
    self.setting = setting
    self.randomSeed = randomSeed
    scale = Float(setting.alpha / Double(setting.rank))
    dropout = Float(setting.dropout ?? 0)
    let layout = ParameterLayout(c), tensors = Dictionary(uniqueKeysWithValues: layout.tensors.map { ($0.name, $0.range.lowerBound) })
    var next = 0
    pairs = (0..<c.layers).map { layer in
      setting.adapted.map { target in
        let (from, to) = c.shape(target), module = "model.layers.\(layer).\(target.module)", a = next, b = a + setting.rank * from
        next = b + to * setting.rank
        guard let weights = tensors[module + ".weight"] else { preconditionFailure("the layout has no \(module)") }
        let stream = UInt64(layer * LowRank.Target.allCases.count + (LowRank.Target.allCases.firstIndex(of: target) ?? 0))
        return Pair(target: target, from: from, to: to, a: a, b: b, weights: weights, stream: stream, module: module)
      }
    }
    layerCount = setting.layerCount(c)
    factors = FloatBuffer(next)
    gradients = FloatBuffer(training ? next : 0)
    reset()
  }

  /// The range of each factor in `factors`.
  var ranges: [Range<Int>] { pairs.flatMap { $0.flatMap { [$0.a..<$0.b, $0.b..<$0.b + $0.to * setting.rank] } } }

  /// The adapted matrix of a layer; nil if it is not adapted.
  func pair(_ layer: Int, _ target: LowRank.Target) -> Pair? { pairs[layer].first { $0.target == target } }

  /// Initializes the factors.
  func reset() {
    factors.clear()
    for pair in pairs.joined() {
      let random = CounterRandom(seed: randomSeed, stream: 1_000_000 + pair.stream), bound = 1 / Double(pair.from).squareRoot()
      for i in pair.a..<pair.b { factors.base[i] = Float(bound * (2 * random.uniform(UInt64(i - pair.a)) - 1)) }
    }
  }

  /// The key of a matrix's dropout in a step; equal in the forward and the backward pass.
  func dropoutKey(_ pair: Pair, step: Int) -> UInt64 {
    CounterRandom(seed: randomSeed, stream: 2_000_000 + pair.stream).bits(UInt64(step))
  }

  /// Calls `body` with each tensor of a model in order, adapted matrices merged: W + (α/r)·B·A.
  func forEachMerged(
    _ layout: ParameterLayout, _ parameters: FloatBuffer, _ body: (ParameterLayout.Tensor, UnsafeBufferPointer<Float>) throws -> Void
  ) rethrows {
    let adapted = Dictionary(uniqueKeysWithValues: pairs.joined().map { ($0.weights, $0) })
    for tensor in layout.tensors {
      let start = parameters.base + tensor.range.lowerBound
      guard let pair = adapted[tensor.range.lowerBound] else {
        try body(tensor, UnsafeBufferPointer(start: start, count: tensor.range.count))
        continue
      }
      let merged = FloatBuffer(tensor.range.count)
      merged.base.update(from: start, count: tensor.range.count)
      BLAS.sgemm(
        m: pair.to, n: pair.from, k: setting.rank, alpha: scale, a: factors.base + pair.b, lda: setting.rank, b: factors.base + pair.a,
        ldb: pair.from, beta: 1, c: merged.base, ldc: pair.from)
      try body(tensor, UnsafeBufferPointer(start: merged.base, count: merged.count))
    }
  }

  /// Merges the adapter into the parameters.
  package func merge(into parameters: FloatBuffer, of c: ModelConfiguration) {
    forEachMerged(ParameterLayout(c), parameters) { tensor, values in
      let target = parameters.base + tensor.range.lowerBound
      if UnsafePointer(target) != values.baseAddress { parameters.write(values, at: tensor.range.lowerBound) }
    }
  }
}
