import CKernels
import Kernels

/// The part of the forward and the backward pass that a low-rank adapter adds, for one chunk of tokens.
extension Transformer {
  /// Where the random numbers of dropout start: a training step, and the first token of this batch in the whole batch of the step.
  package struct DropoutPosition {
    package var step = 0
    package var firstToken = 0

    package init() {}
  }

  private func scaled(_ values: UnsafeMutablePointer<Float>, _ count: Int, by factor: Float) {
    for i in 0..<count { values[i] *= factor }
  }

  /// The input of A: x, or with dropout a copy.
  private func dropped(
    _ adapter: LowRankAdapter, _ pair: LowRankAdapter.Pair, _ x: UnsafePointer<Float>, first: Int, count: Int
  ) -> UnsafePointer<Float> {
    guard workspace.training, adapter.dropout > 0 else { return x }
    let copy = workspace.dropped + first * workspace.droppedWidth
    dropOut(adapter, pair, x, to: copy, first: first, count: count, add: false)
    return UnsafePointer(copy)
  }

  private func dropOut(
    _ adapter: LowRankAdapter, _ pair: LowRankAdapter.Pair, _ x: UnsafePointer<Float>, to out: UnsafeMutablePointer<Float>, first: Int,
    count: Int, add: Bool
  ) {
    weir_dropout(
      x, out, count, pair.from, adapter.dropoutKey(pair, step: dropoutPosition.step), UInt64(dropoutPosition.firstToken + first),
      adapter.dropout, add ? 1 : 0)
  }

  /// y += (α/r)·B·(A·x), x [count, from], y [count, to] with `stride` floats between tokens.
  func adapt(
    _ layer: Int, _ target: LowRank.Target, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, stride: Int, first: Int, count: Int
  ) {
    guard let adapter, let pair = adapter.pair(layer, target) else { return }
    let rank = adapter.setting.rank, low = workspace.low + first * rank, factors = adapter.factors.base
    let input = dropped(adapter, pair, x, first: first, count: count)
    Precision.float32.product(0, 1, m: count, n: rank, k: pair.from, input, pair.from, factors + pair.a, pair.from, low, rank, add: false)
    scaled(low, count * rank, by: adapter.scale)
    Precision.float32.product(0, 1, m: count, n: pair.to, k: rank, low, rank, factors + pair.b, rank, y, stride, add: true)
  }

  /// dx += the gradient through the adapter of dy [count, to], with `stride` floats between tokens. The gradients of the factors go to the
  /// partial sums of this chunk.
  func adaptBackward(
    _ layer: Int, _ target: LowRank.Target, task: Int, _ x: UnsafePointer<Float>, _ dy: UnsafePointer<Float>, stride: Int,
    _ dx: UnsafeMutablePointer<Float>, first: Int, count: Int
  ) {
    guard let adapter, let pair = adapter.pair(layer, target) else { return }
    let rank = adapter.setting.rank, low = workspace.low + first * rank, dLow = workspace.dLow + first * rank
    let factors = adapter.factors.base, from = pair.from
    let parts = workspace.factorParts + task * adapter.layerCount - layer * adapter.layerCount
    let product = Precision.float32.product
    let input = dropped(adapter, pair, x, first: first, count: count)
    // A·x is cheaper to recompute than to keep.
    product(0, 1, count, rank, from, input, from, factors + pair.a, from, low, rank, false)
    scaled(low, count * rank, by: adapter.scale)
    product(1, 0, pair.to, rank, count, dy, stride, low, rank, parts + pair.b, rank, false)
    product(0, 0, count, rank, pair.to, dy, stride, factors + pair.b, rank, dLow, rank, false)
    scaled(dLow, count * rank, by: adapter.scale)
    product(1, 0, rank, from, count, dLow, rank, input, from, parts + pair.a, from, false)
    guard adapter.dropout > 0 else {
      product(0, 0, count, from, rank, dLow, rank, factors + pair.a, from, dx, from, true)
      return
    }
    let copy = workspace.dropped + first * workspace.droppedWidth
    product(0, 0, count, from, rank, dLow, rank, factors + pair.a, from, copy, from, false)
    dropOut(adapter, pair, copy, to: dx, first: first, count: count, add: true)
  }

  /// Sums the gradients of a layer's factors over the chunks.
  func factorGradients(_ layer: Int, _ adapter: LowRankAdapter) {
    weir_sum_parts(workspace.factorParts, workspace.chunks, adapter.layerCount, gradient(layer * adapter.layerCount))
  }
}
