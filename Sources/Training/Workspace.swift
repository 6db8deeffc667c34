import Kernels

/// The buffers of a training step for one batch shape: all activations and their gradients, allocated once.
///
/// Most buffers have one row per token of the batch. In training, each layer has its own buffers, except for what the backward pass
/// recomputes cheaply (norms and gated values), which all layers share. With activation checkpointing, each layer has only its input of its
/// own (`residual`); without training, all layers share everything.
final class Workspace {
  let rows: Int
  let sequence: Int
  let training: Bool
  /// Whether the backward pass recomputes the activations of each layer.
  let recompute: Bool
  var tokens: Int { rows * sequence }
  /// Tokens per task of the dense layers; depends on the shape alone.
  let chunk: Int
  var chunks: Int { (tokens + chunk - 1) / chunk }
  /// Tokens whose logits exist at the same time, a multiple of `lossRows`.
  let lossGroup: Int
  /// Tokens per task of the loss.
  let lossRows: Int

  /// Residual stream before each layer, and after the last.
  let residual: [UnsafeMutablePointer<Float>]
  /// Residual stream between attention and feed-forward.
  let middle: [UnsafeMutablePointer<Float>]
  let normed: [UnsafeMutablePointer<Float>]
  let normedMiddle: [UnsafeMutablePointer<Float>]
  let scale: [UnsafeMutablePointer<Float>]
  let scaleMiddle: [UnsafeMutablePointer<Float>]
  let qkv: [UnsafeMutablePointer<Float>]
  /// With QK-norm, the normalized queries and keys before gain and RoPE, and their scales; otherwise empty.
  let unitHeads: [UnsafeMutablePointer<Float>]
  let headScale: [UnsafeMutablePointer<Float>]
  let attended: [UnsafeMutablePointer<Float>]
  /// Log-sum-exp of the attention scores, per head.
  let logSums: [UnsafeMutablePointer<Float>]
  let gateUp: [UnsafeMutablePointer<Float>]
  let activated: [UnsafeMutablePointer<Float>]
  let hidden: UnsafeMutablePointer<Float>
  let hiddenScale: UnsafeMutablePointer<Float>
  let logits: UnsafeMutablePointer<Float>
  let losses: UnsafeMutablePointer<Float>
  let divergences: UnsafeMutablePointer<Float>
  /// Gradients, empty without training. Those of the residual stream rotate through three buffers.
  let dStream: [UnsafeMutablePointer<Float>]
  let dHidden: UnsafeMutablePointer<Float>
  let dNormed: UnsafeMutablePointer<Float>
  let dGateUp: UnsafeMutablePointer<Float>
  let dActivated: UnsafeMutablePointer<Float>
  let dAttended: UnsafeMutablePointer<Float>
  let dQKV: UnsafeMutablePointer<Float>
  /// Gradients of the norms' gains, one partial sum per chunk.
  let gainParts: UnsafeMutablePointer<Float>
  let gainPartsMiddle: UnsafeMutablePointer<Float>
  let headGainParts: UnsafeMutablePointer<Float>
  /// Gradients of the biases, one partial sum per chunk.
  let qkvBiasParts: UnsafeMutablePointer<Float>
  let outputBiasParts: UnsafeMutablePointer<Float>
  /// Of a low-rank adapter: A·x and its gradient, [tokens, rank], and the gradients of a layer's factors, one partial sum per chunk.
  let low: UnsafeMutablePointer<Float>
  let dLow: UnsafeMutablePointer<Float>
  let factorParts: UnsafeMutablePointer<Float>
  /// With dropout, the inputs of A, [tokens, droppedWidth].
  let dropped: UnsafeMutablePointer<Float>
  let droppedWidth: Int

  private let arena: FloatBuffer
  /// Floats in all buffers.
  var count: Int { arena.count }

  /// The number of floats that a workspace needs.
  static func floats(
    _ c: ModelConfiguration, rows: Int, sequence: Int, training: Bool, recompute: Bool = false, lowRank: LowRank? = nil
  ) -> Int {
    var cutter = Cutter(base: nil)
    _ = Workspace(
      c, rows: rows, sequence: sequence, training: training, recompute: recompute, lowRank: lowRank, arena: FloatBuffer(0), cutter: &cutter)
    return cutter.used
  }

  convenience init(
    _ c: ModelConfiguration, rows: Int, sequence: Int, training: Bool, recompute: Bool = false, lowRank: LowRank? = nil
  ) {
    let arena = FloatBuffer(
      Self.floats(c, rows: rows, sequence: sequence, training: training, recompute: recompute, lowRank: lowRank))
    var cutter = Cutter(base: arena.base)
    self.init(
      c, rows: rows, sequence: sequence, training: training, recompute: recompute, lowRank: lowRank, arena: arena, cutter: &cutter)
  }

  /// Allocates consecutive parts of a block; without a block it only counts.
  private struct Cutter {
    let base: UnsafeMutablePointer<Float>?
    let nowhere = UnsafeMutablePointer<Float>(bitPattern: 64)!
    var used = 0

    init(base: UnsafeMutablePointer<Float>?) { self.base = base }

    mutating func cut(_ count: Int) -> UnsafeMutablePointer<Float> {
      defer { used += (count + 15) / 16 * 16 }
      return base.map { $0 + used } ?? nowhere
    }

    mutating func cut(_ count: Int, times: Int, shared: Bool) -> [UnsafeMutablePointer<Float>] {
      if shared { return Array(repeating: cut(count), count: times) }
      return (0..<times).map { _ in cut(count) }
    }
  }

  private init(
    _ c: ModelConfiguration, rows: Int, sequence: Int, training: Bool, recompute: Bool, lowRank: LowRank?, arena: FloatBuffer,
    cutter: inout Cutter
  ) {
    self.rows = rows
    self.sequence = sequence
    self.training = training
    self.recompute = recompute
    self.arena = arena
    let tokens = rows * sequence, shared = !training || recompute, width = c.width
    chunk = min(tokens, min(512, max(32, (tokens + 7) / 8)))
    let chunks = (tokens + chunk - 1) / chunk
    lossRows = min(tokens, min(256, max(16, 4_194_304 / c.vocabulary / 8 * 8)))
    lossGroup = max(lossRows, min((tokens + lossRows - 1) / lossRows * lossRows, 8_388_608 / c.vocabulary / lossRows * lossRows))

    residual = cutter.cut(tokens * width, times: c.layers + 1, shared: !training)
    middle = cutter.cut(tokens * width, times: c.layers, shared: shared)
    // Norms and gated values are cheap to recompute, so they are never kept.
    normed = cutter.cut(tokens * width, times: c.layers, shared: true)
    normedMiddle = cutter.cut(tokens * width, times: c.layers, shared: true)
    scale = cutter.cut(tokens, times: c.layers, shared: shared)
    scaleMiddle = cutter.cut(tokens, times: c.layers, shared: shared)
    qkv = cutter.cut(tokens * c.qkvWidth, times: c.layers, shared: shared)
    let heads = c.qkNorm ? 1 : 0
    unitHeads = cutter.cut(tokens * (c.queryWidth + c.keyWidth) * heads, times: c.layers, shared: shared)
    headScale = cutter.cut(tokens * (c.heads + c.kvHeads) * heads, times: c.layers, shared: shared)
    attended = cutter.cut(tokens * c.queryWidth, times: c.layers, shared: shared)
    logSums = cutter.cut(tokens * c.heads, times: c.layers, shared: shared)
    gateUp = cutter.cut(tokens * 2 * c.ffn, times: c.layers, shared: shared)
    activated = cutter.cut(tokens * c.ffn, times: c.layers, shared: true)
    hidden = cutter.cut(tokens * width)
    hiddenScale = cutter.cut(tokens)
    logits = cutter.cut(lossGroup * c.vocabulary)
    losses = cutter.cut(tokens)
    divergences = cutter.cut(tokens)
    let one = training ? 1 : 0
    dStream = cutter.cut(tokens * width * one, times: 3, shared: false)
    dHidden = cutter.cut(tokens * width * one)
    dNormed = cutter.cut(tokens * width * one)
    dGateUp = cutter.cut(tokens * 2 * c.ffn * one)
    dActivated = cutter.cut(tokens * c.ffn * one)
    dAttended = cutter.cut(tokens * c.queryWidth * one)
    dQKV = cutter.cut(tokens * c.qkvWidth * one)
    gainParts = cutter.cut(chunks * width * one)
    gainPartsMiddle = cutter.cut(chunks * width * one)
    headGainParts = cutter.cut(chunks * 2 * c.headWidth * heads * one)
    qkvBiasParts = cutter.cut(c.biases == nil ? 0 : chunks * c.qkvWidth * one)
    outputBiasParts = cutter.cut(c.biases == .all ? chunks * width * one : 0)
    low = cutter.cut(tokens * (lowRank?.rank ?? 0))
    dLow = cutter.cut(tokens * (lowRank?.rank ?? 0) * one)
    factorParts = cutter.cut(chunks * (lowRank?.layerCount(c) ?? 0) * one)
    droppedWidth = lowRank?.adapted.map { c.shape($0).from }.max() ?? 0
    dropped = cutter.cut((lowRank?.dropout ?? 0) > 0 ? tokens * droppedWidth * one : 0)
  }
}
