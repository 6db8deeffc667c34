import CKernels

extension Transformer {
  /// Computes the hidden states after the final norm, [rows · sequence, width], for `logits` and `loss`.
  ///
  /// The batch must have passed `check`.
  package func forward(tokens: [Int32], starts: [Int32]) {
    let c = configuration, work = workspace, width = c.width
    precondition(tokens.count == work.tokens && starts.count == work.tokens, "the batch and the model have different shapes")
    self.tokens = tokens
    self.starts = starts
    overChunks { _, first, count in
      tokens.withUnsafeBufferPointer { ids in
        weir_gather(parameter(layout.embedding), ids.baseAddress! + first, work.residual[0] + first * width, count, width)
      }
      enter(0, first: first, count: count)
    }
    for layer in 0..<c.layers {
      attend(layer)
      overChunks { _, first, count in
        leave(layer, first: first, count: count)
        if layer + 1 < c.layers {
          enter(layer + 1, first: first, count: count)
        } else {
          weir_rmsnorm_forward(
            work.residual[c.layers] + first * width, parameter(layout.finalNorm), work.hidden + first * width, work.hiddenScale + first,
            count, width, Float(c.normEpsilon))
        }
      }
    }
  }

  /// Recomputes the activations of a layer from its input, for the backward pass.
  func restore(_ layer: Int) {
    overChunks { _, first, count in enter(layer, first: first, count: count) }
    attend(layer)
    overChunks { _, first, count in leave(layer, first: first, count: count, out: false) }
  }

  /// The part of a layer before attention: norm, projection to queries, keys and values, QK-norm, RoPE.
  private func enter(_ layer: Int, first: Int, count: Int) {
    let c = configuration, work = workspace, at = layout.layers[layer], width = c.width
    let normed = work.normed[layer] + first * width, qkv = work.qkv[layer] + first * c.qkvWidth
    weir_rmsnorm_forward(
      work.residual[layer] + first * width, parameter(at.inputNorm), normed, work.scale[layer] + first, count, width, Float(c.normEpsilon))
    linear(normed, parameter(at.qkv), qkv, m: count, from: width, to: c.qkvWidth)
    adapt(layer, .query, normed, qkv, stride: c.qkvWidth, first: first, count: count)
    adapt(layer, .key, normed, qkv + c.queryWidth, stride: c.qkvWidth, first: first, count: count)
    adapt(layer, .value, normed, qkv + c.queryWidth + c.keyWidth, stride: c.qkvWidth, first: first, count: count)
    if c.biases != nil { weir_add_bias(qkv, parameter(at.qkvBias), count, c.qkvWidth) }
    normalizeHeads(layer, first: first, count: count)
    rotate(work.qkv[layer], first: first, count: count, direction: 1)
  }

  /// Attention, parallel over (row, head).
  private func attend(_ layer: Int) {
    let c = configuration, work = workspace, sequence = work.sequence, group = c.heads / c.kvHeads
    let qkv = work.qkv[layer], out = work.attended[layer], sums = work.logSums[layer]
    let factor = 1 / Float(c.headWidth).squareRoot()
    starts.withUnsafeBufferPointer { starts in
      pool.run(work.rows * c.heads) { task in
        let first = task / c.heads * sequence, head = task % c.heads
        let row = qkv + first * c.qkvWidth, shared = head / group * c.headWidth
        weir_attention_forward(
          row + head * c.headWidth, row + c.queryWidth + shared, row + c.queryWidth + c.keyWidth + shared, c.qkvWidth,
          starts.baseAddress! + first, sequence, c.headWidth, factor, out + first * c.queryWidth + head * c.headWidth, c.queryWidth,
          sums + first * c.heads + head, c.heads)
      }
    }
  }

  /// The part of a layer after attention: projection, residual, norm, feed-forward, and with `out` the second residual.
  private func leave(_ layer: Int, first: Int, count: Int, out: Bool = true) {
    let c = configuration, work = workspace, at = layout.layers[layer], width = c.width
    let middle = work.middle[layer] + first * width, normed = work.normedMiddle[layer] + first * width
    let gateUp = work.gateUp[layer] + first * 2 * c.ffn, activated = work.activated[layer] + first * c.ffn
    middle.update(from: work.residual[layer] + first * width, count: count * width)
    linear(work.attended[layer] + first * c.queryWidth, parameter(at.output), middle, m: count, from: c.queryWidth, to: width, add: true)
    adapt(layer, .output, work.attended[layer] + first * c.queryWidth, middle, stride: width, first: first, count: count)
    if c.biases == .all { weir_add_bias(middle, parameter(at.outputBias), count, width) }
    weir_rmsnorm_forward(
      middle, parameter(at.postNorm), normed, work.scaleMiddle[layer] + first, count, width, Float(c.normEpsilon))
    linear(normed, parameter(at.gateUp), gateUp, m: count, from: width, to: 2 * c.ffn)
    adapt(layer, .gate, normed, gateUp, stride: 2 * c.ffn, first: first, count: count)
    adapt(layer, .up, normed, gateUp + c.ffn, stride: 2 * c.ffn, first: first, count: count)
    weir_swiglu_forward(gateUp, activated, count, c.ffn)
    guard out else { return }
    let after = work.residual[layer + 1] + first * width
    after.update(from: middle, count: count * width)
    linear(activated, parameter(at.down), after, m: count, from: c.ffn, to: width, add: true)
    adapt(layer, .down, activated, after, stride: width, first: first, count: count)
  }

  /// The logits at one position of the last forward pass, [vocabulary].
  package func logits(at token: Int) -> [Float] {
    let c = configuration
    return [Float](unsafeUninitializedCapacity: c.vocabulary) { buffer, count in
      linear(workspace.hidden + token * c.width, parameter(layout.head), buffer.baseAddress!, m: 1, from: c.width, to: c.vocabulary)
      count = c.vocabulary
    }
  }
}
