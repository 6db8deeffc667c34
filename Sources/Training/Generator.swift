import CKernels
import Foundation
import Kernels
import Primitives

/// Generates text token by token with a key–value cache.
///
/// The prompt is processed in chunks of up to `chunk` tokens. When the positions are used up, the last half of the text is processed again
/// from position 0, after the tokens that start it.
package final class Generator {
  package let configuration: ModelConfiguration
  private let layout: ParameterLayout
  private let parameters: FloatBuffer
  private let pool: ThreadPool
  private let cache: [FloatBuffer]
  private let rotations: Rotations
  /// The most tokens of one text.
  package let positions: Int
  private let chunk: Int
  private let stream: FloatBuffer
  private let normed: FloatBuffer
  private let attended: FloatBuffer
  private let gateUp: FloatBuffer
  private let activated: FloatBuffer
  private let scores: FloatBuffer
  private let output: FloatBuffer
  private var position = 0

  /// - Parameters:
  ///   - parameters: the weights; shared, not copied.
  ///   - positions: the size of the cache, at most the longest text of the model; by default the model's positions.
  ///   - pool: does not affect the results.
  package init(
    _ configuration: ModelConfiguration, parameters: FloatBuffer, positions: Int? = nil, pool: ThreadPool = ThreadPool(threads: 1)
  ) {
    let positions = max(1, min(positions ?? configuration.sequence, configuration.longestSequence))
    self.positions = positions
    self.configuration = configuration
    self.parameters = parameters
    self.pool = pool
    layout = ParameterLayout(configuration)
    precondition(parameters.count == layout.count, "the parameters do not match the configuration")
    let c = configuration
    cache = (0..<c.layers).map { _ in FloatBuffer(positions * c.qkvWidth) }
    rotations = Rotations(c, positions: positions)
    chunk = min(64, positions)
    stream = FloatBuffer(chunk * c.width)
    normed = FloatBuffer(chunk * c.width)
    attended = FloatBuffer(chunk * c.queryWidth)
    gateUp = FloatBuffer(chunk * 2 * c.ffn)
    activated = FloatBuffer(chunk * c.ffn)
    scores = FloatBuffer(c.heads * positions)
    output = FloatBuffer(c.vocabulary)
  }

  /// Generates up to `count` tokens after a prompt.
  /// - Parameters:
  ///   - prompt: at least one token.
  ///   - lead: the number of tokens at its beginning that are never dropped, such as one for the beginning of text.
  ///   - stops: tokens that end the text; they are not passed to `each`.
  ///   - each: receives every token and returns whether to continue.
  /// - Throws: `WeirError` if the prompt is empty or not in the vocabulary, or if the logits are NaN.
  package func generate(
    prompt: [Int32], lead: Int = 0, count: Int, decoding: DecodingConfiguration = DecodingConfiguration(), stops: Set<Int32> = [],
    each: (Int32) throws -> Bool
  ) throws {
    try decoding.validate()
    let random = CounterRandom(seed: decoding.randomSeed)
    var text = prompt, next = try logits(after: truncated(prompt, to: positions, lead: lead))
    for index in 0..<max(0, count) {
      guard let token = decoding.choose(next, uniform: random.uniform(UInt64(index))) else {
        throw WeirError("generate", "the model's logits contain NaN/Inf", remedy: "check the model with `weir verify`")
      }
      if stops.contains(token) { return }
      text.append(token)
      guard try each(token), index + 1 < count else { return }
      if position < positions {
        next = advance([token], of: position + 1, wantsLogits: true)
      } else {
        next = read(truncated(text, to: max(1, positions / 2), lead: lead)[...])
      }
    }
  }

  /// The last tokens of a text after the first `lead`, so that there are at most `count`.
  private func truncated(_ text: [Int32], to count: Int, lead: Int) -> [Int32] {
    text.count <= count ? text : text.prefix(min(lead, count - 1)) + text.suffix(count - min(lead, count - 1))
  }

  /// The logits after a text, [vocabulary]. A text longer than the cache is truncated to its last tokens.
  /// - Throws: `WeirError` if the text is empty or not in the vocabulary.
  package func logits(after text: [Int32]) throws -> [Float] {
    guard !text.isEmpty else { throw WeirError("prompt", "is empty", remedy: "give at least one token") }
    guard text.allSatisfy({ $0 >= 0 && $0 < configuration.vocabulary }) else {
      throw WeirError(
        "prompt", "contains a token outside the model's vocabulary of \(configuration.vocabulary)",
        remedy: "encode it with the tokenizer of the model")
    }
    return read(text.suffix(positions))
  }

  private func read(_ tokens: ArraySlice<Int32>) -> [Float] {
    position = 0
    var result: [Float] = [], rest = tokens
    while !rest.isEmpty {
      let part = rest.prefix(chunk)
      rest = rest.dropFirst(part.count)
      result = advance(part, of: tokens.count, wantsLogits: rest.isEmpty)
    }
    return result
  }

  /// y [count, to] (+)= x [count, from] · wᵀ, parallel over columns of y.
  private func multiply(
    _ x: FloatBuffer, _ offset: Int, _ y: UnsafeMutablePointer<Float>, stride: Int, count: Int, from: Int, to: Int, add: Bool = false
  ) {
    // At least 2¹⁷ weights per task: below that, waking a thread costs more than the product.
    pool.ranges(to, grain: max(64, (1 << 17) / from)) { range in
      BLAS.sgemm(
        transposeB: true, m: count, n: range.count, k: from, a: x.base, lda: from,
        b: parameters.base + offset + range.lowerBound * from, ldb: from, beta: add ? 1 : 0, c: y + range.lowerBound, ldc: stride)
    }
  }

  /// Processes tokens at the next positions.
  /// - Parameter length: tokens of the text as far as it is known.
  /// - Returns: the logits after the last one, if wanted.
  private func advance(_ tokens: ArraySlice<Int32>, of length: Int, wantsLogits: Bool) -> [Float] {
    let c = configuration, base = parameters.base, epsilon = Float(c.normEpsilon), half = c.headWidth / 2, count = tokens.count
    let first = position
    rotations.adapt(first..<first + count, length: length)
    for (index, token) in tokens.enumerated() {
      (stream.base + index * c.width).update(from: base + layout.embedding + Int(token) * c.width, count: c.width)
    }
    for (index, layer) in layout.layers.enumerated() {
      let keyed = cache[index].base, rows = keyed + first * c.qkvWidth
      weir_rmsnorm_forward(stream.base, base + layer.inputNorm, normed.base, nil, count, c.width, epsilon)
      multiply(normed, layer.qkv, rows, stride: c.qkvWidth, count: count, from: c.width, to: c.qkvWidth)
      if c.biases != nil { weir_add_bias(rows, base + layer.qkvBias, count, c.qkvWidth) }
      if c.qkNorm {
        weir_head_norm_forward(rows, c.qkvWidth, c.heads, c.headWidth, base + layer.queryNorm, nil, 0, nil, 0, count, epsilon)
        weir_head_norm_forward(
          rows + c.queryWidth, c.qkvWidth, c.kvHeads, c.headWidth, base + layer.keyNorm, nil, 0, nil, 0, count, epsilon)
      }
      weir_rope(
        rows, c.qkvWidth, c.heads + c.kvHeads, c.headWidth, rotations.cosines.base + first * half,
        rotations.sines.base + first * half, count, 1)
      pool.ranges(c.heads, grain: max(1, (1 << 15) / ((first + count) * c.headWidth * count))) { heads in
        for head in heads {
          let keys = keyed + c.queryWidth + head / (c.heads / c.kvHeads) * c.headWidth
          for token in 0..<count {
            weir_attention_step(
              rows + token * c.qkvWidth + head * c.headWidth, keys, keys + c.keyWidth, c.qkvWidth, first + token + 1, c.headWidth,
              1 / Float(c.headWidth).squareRoot(), scores.base + head * positions,
              attended.base + token * c.queryWidth + head * c.headWidth)
          }
        }
      }
      multiply(attended, layer.output, stream.base, stride: c.width, count: count, from: c.queryWidth, to: c.width, add: true)
      if c.biases == .all { weir_add_bias(stream.base, base + layer.outputBias, count, c.width) }
      weir_rmsnorm_forward(stream.base, base + layer.postNorm, normed.base, nil, count, c.width, epsilon)
      multiply(normed, layer.gateUp, gateUp.base, stride: 2 * c.ffn, count: count, from: c.width, to: 2 * c.ffn)
      weir_swiglu_forward(gateUp.base, activated.base, count, c.ffn)
      multiply(activated, layer.down, stream.base, stride: c.width, count: count, from: c.ffn, to: c.width, add: true)
    }
    position += count
    guard wantsLogits else { return [] }
    weir_rmsnorm_forward(stream.base + (count - 1) * c.width, base + layout.finalNorm, normed.base, nil, 1, c.width, epsilon)
    multiply(normed, layout.head, output.base, stride: c.vocabulary, count: 1, from: c.width, to: c.vocabulary)
    return output.values
  }
}
