import CKernels

/// QK-norm: RMSNorm of each head's queries and keys before RoPE (Yang et al. 2505.09388 §2).
extension Transformer {
  /// Normalizes queries and keys of consecutive tokens in place, and stores what the backward pass needs.
  func normalizeHeads(_ layer: Int, first: Int, count: Int) {
    let c = configuration, work = workspace, at = layout.layers[layer]
    guard c.qkNorm else { return }
    let qkv = work.qkv[layer] + first * c.qkvWidth, width = c.queryWidth + c.keyWidth, heads = c.heads + c.kvHeads
    let unit = work.unitHeads[layer] + first * width, scale = work.headScale[layer] + first * heads
    weir_head_norm_forward(
      qkv, c.qkvWidth, c.heads, c.headWidth, parameter(at.queryNorm), unit, width, scale, heads, count, Float(c.normEpsilon))
    weir_head_norm_forward(
      qkv + c.queryWidth, c.qkvWidth, c.kvHeads, c.headWidth, parameter(at.keyNorm), unit + c.queryWidth, width, scale + c.heads, heads,
      count, Float(c.normEpsilon))
  }

  /// Replaces the gradients of the normalized queries and keys by those of their inputs. The gradients of the gains go to `headGainParts`,
  /// one partial sum per chunk.
  func normalizeHeadsBackward(_ layer: Int, task: Int, first: Int, count: Int) {
    let c = configuration, work = workspace, at = layout.layers[layer]
    guard c.qkNorm else { return }
    let d = work.dQKV + first * c.qkvWidth, width = c.queryWidth + c.keyWidth, heads = c.heads + c.kvHeads
    let unit = work.unitHeads[layer] + first * width, scale = work.headScale[layer] + first * heads
    let parts = work.headGainParts + task * 2 * c.headWidth
    weir_head_norm_backward(d, c.qkvWidth, c.heads, c.headWidth, parameter(at.queryNorm), unit, width, scale, heads, parts, count)
    weir_head_norm_backward(
      d + c.queryWidth, c.qkvWidth, c.kvHeads, c.headWidth, parameter(at.keyNorm), unit + c.queryWidth, width, scale + c.heads, heads,
      parts + c.headWidth, count)
  }

  /// Sums the gradients of the gains; those of queries and keys are adjacent.
  func headGainGradients(_ layer: Int) {
    guard configuration.qkNorm else { return }
    weir_sum_parts(workspace.headGainParts, workspace.chunks, 2 * configuration.headWidth, gradient(layout.layers[layer].queryNorm))
  }
}
