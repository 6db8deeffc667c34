import CKernels
import Foundation
import Kernels
import Primitives

/// How to choose the next token.
public struct SamplingConfiguration: Codable, Sendable, Equatable {
  /// 0 takes the likeliest.
  public var temperature = 0.8
  /// Only the k likeliest; 0 for all.
  public var topK = 0
  /// Only the likeliest tokens that together hold this probability.
  public var topP = 1.0
  /// Seeds the draws.
  public var seed: UInt64 = 0

  /// The defaults.
  public init() {}
}

/// Continues a prompt token by token, keys and values cached.
///
/// When the model's positions are used up, the last half of the text is read again from position 0.
public final class Generator {
  /// The shape.
  public let configuration: ModelConfiguration
  private let layout: ParameterLayout
  private let parameters: FloatBuffer
  private let cache: [FloatBuffer]
  private let cosines: FloatBuffer
  private let sines: FloatBuffer
  private let scratch: FloatBuffer
  private var position = 0

  /// Creates a generator over weights laid out for `configuration`, with a cache of at most `positions`.
  public init(_ configuration: ModelConfiguration, parameters: FloatBuffer, positions: Int = 4_096) {
    var configuration = configuration
    configuration.sequence = min(configuration.sequence, max(1, positions))
    self.configuration = configuration
    self.parameters = parameters
    layout = ParameterLayout(configuration)
    precondition(parameters.count == layout.count, "parameters of another shape")
    let c = configuration
    cache = (0..<c.layers).map { _ in FloatBuffer(c.sequence * c.qkvWidth) }
    (cosines, sines) = Transformer.rotations(c, positions: c.sequence)
    scratch = FloatBuffer(3 * c.width + c.queryWidth + 3 * c.ffn + c.sequence + c.vocabulary + 128)
  }

  /// Opens a model folder.
  public convenience init(folder: String) throws {
    let (configuration, parameters) = try ModelFolder.load(folder)
    self.init(configuration, parameters: parameters)
  }

  /// Generates up to `count` tokens after a prompt.
  /// - Parameters:
  ///   - prompt: at least one token id.
  ///   - count: tokens to generate.
  ///   - sampling: how to choose.
  ///   - stop: an id after which to stop; it is not handed on.
  ///   - each: gets every token, and says whether to go on.
  /// - Throws: `WeirError` where the prompt is empty or not of this vocabulary.
  public func generate(
    prompt: [Int32], count: Int, sampling: SamplingConfiguration = SamplingConfiguration(), stop: Int32? = nil,
    each: (Int32) throws -> Bool
  ) throws {
    guard !prompt.isEmpty else { throw WeirError("--prompt", "is empty", remedy: "give at least one token") }
    guard prompt.allSatisfy({ $0 >= 0 && $0 < configuration.vocabulary }) else {
      throw WeirError("--prompt", "holds a token outside the model's vocabulary of \(configuration.vocabulary)")
    }
    guard sampling.temperature >= 0, sampling.topK >= 0, sampling.topP > 0, sampling.topP <= 1 else {
      throw WeirError("--temperature", "temperature and top-k must not be negative, top-p in (0, 1]")
    }
    let random = CounterRandom(seed: sampling.seed)
    var text = prompt, logits = read(text.suffix(configuration.sequence))
    for index in 0..<max(0, count) {
      let token = Self.choose(logits, sampling, random.uniform(UInt64(index)))
      if token == stop { return }
      text.append(token)
      guard try each(token) else { return }
      guard index + 1 < count else { return }
      logits = position < configuration.sequence ? step(token) : read(text.suffix(max(1, configuration.sequence / 2)))
    }
  }

  /// Reads tokens from position 0; the logits after the last.
  private func read(_ tokens: ArraySlice<Int32>) -> [Float] {
    position = 0
    var logits: [Float] = []
    for (index, token) in tokens.enumerated() { logits = step(token, wantsLogits: index == tokens.count - 1) }
    return logits
  }

  /// Chooses by the inverse of the cumulative distribution over the likeliest tokens.
  static func choose(_ logits: [Float], _ sampling: SamplingConfiguration, _ uniform: Double) -> Int32 {
    var order = Array(logits.indices)
    order.sort { logits[$0] != logits[$1] ? logits[$0] > logits[$1] : $0 < $1 }
    guard sampling.temperature > 0, let first = order.first else { return Int32(order.first ?? 0) }
    if sampling.topK > 0 { order = Array(order.prefix(sampling.topK)) }
    var weights = order.map { exp((Double(logits[$0]) - Double(logits[first])) / sampling.temperature) }
    if sampling.topP < 1 {
      let total = weights.reduce(0, +)
      var sum = 0.0, kept = 0
      while kept < weights.count, sum < sampling.topP * total {
        sum += weights[kept]
        kept += 1
      }
      weights = Array(weights.prefix(max(1, kept)))
    }
    var rest = uniform * weights.reduce(0, +)
    for (index, weight) in weights.enumerated() {
      rest -= weight
      if rest < 0 { return Int32(order[index]) }
    }
    return Int32(order[weights.count - 1])
  }

  /// One token through the model at the next position.
  private func step(_ token: Int32, wantsLogits: Bool = true) -> [Float] {
    let c = configuration, base = parameters.base, epsilon = Float(c.normEpsilon), half = c.headWidth / 2
    let x = scratch.base, normed = x + c.width, attended = normed + c.width, gateUp = attended + c.queryWidth
    let activated = gateUp + 2 * c.ffn, scores = activated + c.ffn, out = scores + c.sequence
    func multiply(_ input: UnsafePointer<Float>, _ offset: Int, _ output: UnsafeMutablePointer<Float>, _ from: Int, _ to: Int, add: Bool) {
      BLAS.sgemm(
        transposeB: true, m: 1, n: to, k: from, a: input, lda: from, b: base + offset, ldb: from, beta: add ? 1 : 0, c: output, ldc: to)
    }
    x.update(from: base + layout.embedding + Int(token) * c.width, count: c.width)
    for (index, layer) in layout.layers.enumerated() {
      let qkv = cache[index].base + position * c.qkvWidth
      weir_rmsnorm_forward(x, base + layer.inputNorm, normed, nil, 1, c.width, epsilon)
      multiply(normed, layer.qkv, qkv, c.width, c.qkvWidth, add: false)
      if c.qkNorm {
        weir_head_norm_forward(qkv, c.qkvWidth, c.heads, c.headWidth, base + layer.queryNorm, nil, 0, nil, 0, 1, epsilon)
        weir_head_norm_forward(
          qkv + c.queryWidth, c.qkvWidth, c.kvHeads, c.headWidth, base + layer.keyNorm, nil, 0, nil, 0, 1, epsilon)
      }
      weir_rope(
        qkv, c.qkvWidth, c.heads + c.kvHeads, c.headWidth, cosines.base + position * half, sines.base + position * half, 1, 1)
      for head in 0..<c.heads {
        let keys = cache[index].base + c.queryWidth + head / (c.heads / c.kvHeads) * c.headWidth
        weir_attention_step(
          qkv + head * c.headWidth, keys, keys + c.keyWidth, c.qkvWidth, position + 1, c.headWidth,
          1 / Float(c.headWidth).squareRoot(), scores, attended + head * c.headWidth)
      }
      multiply(attended, layer.output, x, c.queryWidth, c.width, add: true)
      weir_rmsnorm_forward(x, base + layer.postNorm, normed, nil, 1, c.width, epsilon)
      multiply(normed, layer.gateUp, gateUp, c.width, 2 * c.ffn, add: false)
      weir_swiglu_forward(gateUp, activated, 1, c.ffn)
      multiply(activated, layer.down, x, c.ffn, c.width, add: true)
    }
    position += 1
    guard wantsLogits else { return [] }
    weir_rmsnorm_forward(x, base + layout.finalNorm, normed, nil, 1, c.width, epsilon)
    multiply(normed, layout.head, out, c.width, c.vocabulary, add: false)
    return Array(UnsafeBufferPointer(start: out, count: c.vocabulary))
  }
}
