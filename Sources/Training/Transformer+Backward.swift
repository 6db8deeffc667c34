import CKernels

extension Transformer {
  /// Computes the gradients after `loss(gradient: true)`: those of the parameters, or with an adapter those of its factors.
  /// - Parameter ready: called with each completed range of `gradients`, from the end of the buffer to its beginning.
  package func backward(ready: (Range<Int>) -> Void = { _ in }) {
    let c = configuration, work = workspace, width = c.width
    precondition(work.training, "the model was created without training")
    overChunks { task, first, count in
      weir_rmsnorm_backward(
        work.residual[c.layers] + first * width, parameter(layout.finalNorm), work.hiddenScale + first, work.dHidden + first * width, nil,
        work.dStream[0] + first * width, work.gainParts + task * width, count, width)
    }
    if adapter == nil {
      weir_sum_parts(work.gainParts, work.chunks, width, gradient(layout.finalNorm))
      ready(layout.finalNorm..<layout.count)
    }
    var turn = 0, end = layout.finalNorm
    for layer in (0..<c.layers).reversed() {
      // The activations of the last layer have not been overwritten.
      if work.recompute && layer + 1 < c.layers { restore(layer) }
      let dOut = work.dStream[turn % 3], dMiddle = work.dStream[(turn + 1) % 3], dIn = work.dStream[(turn + 2) % 3]
      overChunks { feedForwardBackward(layer, task: $0, first: $1, count: $2, dOut: dOut, dMiddle: dMiddle) }
      attentionBackward(layer)
      overChunks { projectionBackward(layer, task: $0, first: $1, count: $2, dMiddle: dMiddle, dIn: dIn) }
      turn += 2
      if let adapter {
        factorGradients(layer, adapter)
        ready(layer * adapter.layerCount..<(layer + 1) * adapter.layerCount)
        continue
      }
      weightGradients(layer, dOut: dOut, dMiddle: dMiddle)
      ready(layout.layers[layer].inputNorm..<end)
      end = layout.layers[layer].inputNorm
    }
    guard adapter == nil else { return }
    embeddingGradient(work.dStream[turn % 3])
    ready(0..<end)
  }

  private func feedForwardBackward(
    _ layer: Int, task: Int, first: Int, count: Int, dOut: UnsafeMutablePointer<Float>, dMiddle: UnsafeMutablePointer<Float>
  ) {
    let c = configuration, work = workspace, at = layout.layers[layer], width = c.width
    let dActivated = work.dActivated + first * c.ffn, dGateUp = work.dGateUp + first * 2 * c.ffn, dNormed = work.dNormed + first * width
    weir_rmsnorm_forward(
      work.middle[layer] + first * width, parameter(at.postNorm), work.normedMiddle[layer] + first * width,
      work.scaleMiddle[layer] + first, count, width, Float(c.normEpsilon))
    weir_swiglu_forward(work.gateUp[layer] + first * 2 * c.ffn, work.activated[layer] + first * c.ffn, count, c.ffn)
    linearInput(dOut + first * width, parameter(at.down), dActivated, m: count, from: c.ffn, to: width)
    let activated = work.activated[layer] + first * c.ffn, normed = work.normedMiddle[layer] + first * width
    adaptBackward(layer, .down, task: task, activated, dOut + first * width, stride: width, dActivated, first: first, count: count)
    weir_swiglu_backward(work.gateUp[layer] + first * 2 * c.ffn, dActivated, dGateUp, count, c.ffn)
    linearInput(dGateUp, parameter(at.gateUp), dNormed, m: count, from: width, to: 2 * c.ffn)
    adaptBackward(layer, .gate, task: task, normed, dGateUp, stride: 2 * c.ffn, dNormed, first: first, count: count)
    adaptBackward(layer, .up, task: task, normed, dGateUp + c.ffn, stride: 2 * c.ffn, dNormed, first: first, count: count)
    weir_rmsnorm_backward(
      work.middle[layer] + first * width, parameter(at.postNorm), work.scaleMiddle[layer] + first, dNormed, dOut + first * width,
      dMiddle + first * width, work.gainPartsMiddle + task * width, count, width)
    linearInput(
      dMiddle + first * width, parameter(at.output), work.dAttended + first * c.queryWidth, m: count, from: c.queryWidth, to: width)
    adaptBackward(
      layer, .output, task: task, work.attended[layer] + first * c.queryWidth, dMiddle + first * width, stride: width,
      work.dAttended + first * c.queryWidth, first: first, count: count)
  }

  private func attentionBackward(_ layer: Int) {
    let c = configuration, work = workspace, sequence = work.sequence, group = c.heads / c.kvHeads
    let factor = 1 / Float(c.headWidth).squareRoot()
    starts.withUnsafeBufferPointer { starts in
      pool.run(work.rows * c.kvHeads) { task in
        let first = task / c.kvHeads * sequence, shared = task % c.kvHeads, head = shared * group
        let keys = c.queryWidth + shared * c.headWidth, values = keys + c.keyWidth, queries = head * c.headWidth
        let row = work.qkv[layer] + first * c.qkvWidth, dRow = work.dQKV + first * c.qkvWidth
        weir_attention_backward(
          row + queries, row + keys, row + values, c.qkvWidth, starts.baseAddress! + first, sequence, c.headWidth, group, factor,
          work.attended[layer] + first * c.queryWidth + queries, work.dAttended + first * c.queryWidth + queries, c.queryWidth,
          work.logSums[layer] + first * c.heads + head, c.heads, dRow + queries, dRow + keys, dRow + values)
      }
    }
  }

  private func projectionBackward(
    _ layer: Int, task: Int, first: Int, count: Int, dMiddle: UnsafeMutablePointer<Float>, dIn: UnsafeMutablePointer<Float>
  ) {
    let c = configuration, work = workspace, at = layout.layers[layer], width = c.width
    let dNormed = work.dNormed + first * width
    weir_rmsnorm_forward(
      work.residual[layer] + first * width, parameter(at.inputNorm), work.normed[layer] + first * width, work.scale[layer] + first, count,
      width, Float(c.normEpsilon))
    rotate(work.dQKV, first: first, count: count, direction: -1)
    normalizeHeadsBackward(layer, task: task, first: first, count: count)
    if c.biases != nil { weir_sum_parts(work.dQKV + first * c.qkvWidth, count, c.qkvWidth, work.qkvBiasParts + task * c.qkvWidth) }
    if c.biases == .all { weir_sum_parts(dMiddle + first * width, count, width, work.outputBiasParts + task * width) }
    let dQKV = work.dQKV + first * c.qkvWidth, normed = work.normed[layer] + first * width
    linearInput(dQKV, parameter(at.qkv), dNormed, m: count, from: width, to: c.qkvWidth)
    adaptBackward(layer, .query, task: task, normed, dQKV, stride: c.qkvWidth, dNormed, first: first, count: count)
    adaptBackward(layer, .key, task: task, normed, dQKV + c.queryWidth, stride: c.qkvWidth, dNormed, first: first, count: count)
    adaptBackward(
      layer, .value, task: task, normed, dQKV + c.queryWidth + c.keyWidth, stride: c.qkvWidth, dNormed, first: first, count: count)
    weir_rmsnorm_backward(
      work.residual[layer] + first * width, parameter(at.inputNorm), work.scale[layer] + first, dNormed, dMiddle + first * width,
      dIn + first * width, work.gainParts + task * width, count, width)
  }

  /// dW = dYᵀ·X for the layer's four products, divided into tiles of dW, so that no two tasks write to the same value.
  private func weightGradients(_ layer: Int, dOut: UnsafeMutablePointer<Float>, dMiddle: UnsafeMutablePointer<Float>) {
    let c = configuration, work = workspace, at = layout.layers[layer], width = c.width
    let products: [(UnsafePointer<Float>, UnsafePointer<Float>, Int, Int, Int)] = [
      (UnsafePointer(work.dGateUp), UnsafePointer(work.normedMiddle[layer]), at.gateUp, 2 * c.ffn, width),
      (UnsafePointer(dOut), UnsafePointer(work.activated[layer]), at.down, width, c.ffn),
      (UnsafePointer(work.dQKV), UnsafePointer(work.normed[layer]), at.qkv, c.qkvWidth, width),
      (UnsafePointer(dMiddle), UnsafePointer(work.attended[layer]), at.output, width, c.queryWidth),
    ]
    let side = width <= 512 ? 128 : 256, across = 512
    let counts = products.map { ($0.3 + side - 1) / side * (($0.4 + across - 1) / across) }
    pool.run(counts.reduce(0, +) + 1) { task in
      var tile = task
      for (product, count) in zip(products, counts) {
        if tile >= count {
          tile -= count
          continue
        }
        let (dy, x, offset, to, from) = product
        let columns = (from + across - 1) / across
        let row = tile / columns * side, column = tile % columns * across
        precision.product(
          1, 0, m: min(side, to - row), n: min(across, from - column), k: work.tokens, dy + row, to, x + column, from,
          gradient(offset) + row * from + column, from, add: false)
        return
      }
      weir_sum_parts(work.gainParts, work.chunks, width, gradient(at.inputNorm))
      weir_sum_parts(work.gainPartsMiddle, work.chunks, width, gradient(at.postNorm))
      headGainGradients(layer)
      if c.biases != nil { weir_sum_parts(work.qkvBiasParts, work.chunks, c.qkvWidth, gradient(at.qkvBias)) }
      if c.biases == .all { weir_sum_parts(work.outputBiasParts, work.chunks, width, gradient(at.outputBias)) }
    }
  }

  /// Adds the gradient of the model's input to the rows of the embedding, parallel over the vocabulary.
  private func embeddingGradient(_ d: UnsafeMutablePointer<Float>) {
    let c = configuration, work = workspace, table = gradient(layout.embedding)
    tokens.withUnsafeBufferPointer { ids in
      pool.ranges(c.vocabulary, grain: (c.vocabulary + 7) / 8) { range in
        if !c.tiedEmbeddings { (table + range.lowerBound * c.width).update(repeating: 0, count: range.count * c.width) }
        weir_scatter_add(table, ids.baseAddress!, d, work.tokens, c.width, Int32(range.lowerBound), Int32(range.upperBound))
      }
    }
  }
}
