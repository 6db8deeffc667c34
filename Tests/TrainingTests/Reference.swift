import Foundation
import Kernels
import Primitives
import Tokens
import Training

/// A naive implementation of the decoder in double precision, as a reference for `Transformer`.
struct Reference {
  let configuration: ModelConfiguration
  let layout: ParameterLayout
  var parameters: [Double]

  init(_ model: Transformer) {
    configuration = model.configuration
    layout = model.layout
    parameters = model.parameters.values.map(Double.init)
  }

  private func tensor(_ name: String) -> ArraySlice<Double> {
    parameters[layout.tensors.first { $0.name == name }!.range]
  }

  private func multiply(_ x: [Double], _ name: String) -> [Double] {
    let weights = tensor(name), from = x.count
    return (0..<weights.count / from).map { row in
      var sum = 0.0
      let start = weights.startIndex + row * from
      for i in 0..<from { sum += x[i] * weights[start + i] }
      return sum
    }
  }

  /// x·Wᵀ + b, if there is a bias.
  private func project(_ x: [Double], _ name: String) -> [Double] {
    let product = multiply(x, name + ".weight")
    guard let bias = layout.tensors.first(where: { $0.name == name + ".bias" }) else { return product }
    return zip(product, parameters[bias.range]).map { $0 + $1 }
  }

  private func norm(_ x: [Double], _ name: String) -> [Double] {
    let scale = 1 / (x.reduce(0) { $0 + $1 * $1 } / Double(x.count) + configuration.normEpsilon).squareRoot()
    return zip(x, tensor(name)).map { $0 * scale * $1 }
  }

  /// Normalizes each head separately, with one gain for all heads.
  private func normHeads(_ x: [Double], _ name: String) -> [Double] {
    guard configuration.qkNorm else { return x }
    return stride(from: 0, to: x.count, by: configuration.headWidth).flatMap { norm(Array(x[$0..<$0 + configuration.headWidth]), name) }
  }

  /// RoPE's frequency of a pair of dimensions, with the formulas of the papers in double precision.
  private func frequency(_ i: Int) -> Double {
    let head = Double(configuration.headWidth), plain = pow(configuration.ropeTheta, -2 * Double(i) / head)
    guard let scaling = configuration.ropeScaling else { return plain }
    let scaled = plain / scaling.factor, turns = Double(scaling.original) * plain / (2 * Double.pi)
    switch scaling.kind {
    case .dynamic: return plain
    case .linear: return scaled
    case .llama3:
      let share = (turns - scaling.lowFrequency) / (scaling.highFrequency - scaling.lowFrequency)
      return scaled + (plain - scaled) * min(max(share, 0), 1)
    case .yarn:
      func dimension(_ turns: Double) -> Double {
        head / 2 * log(Double(scaling.original) / (2 * Double.pi * turns)) / log(configuration.ropeTheta)
      }
      let low = max(0, floor(dimension(scaling.betaFast))), high = min(head - 1, ceil(dimension(scaling.betaSlow)))
      return plain + (scaled - plain) * min(max((Double(i) - low) / (high - low), 0), 1)
    }
  }

  private func rotate(_ x: [Double], position: Int) -> [Double] {
    let head = configuration.headWidth, half = head / 2, factor = configuration.ropeScaling?.attention ?? 1
    var out = x
    for start in stride(from: 0, to: x.count, by: head) {
      for i in 0..<half {
        let angle = Double(position) * frequency(i)
        let a = x[start + i] * factor, b = x[start + i + half] * factor
        out[start + i] = a * cos(angle) - b * sin(angle)
        out[start + i + half] = b * cos(angle) + a * sin(angle)
      }
    }
    return out
  }

  /// [rows · sequence][vocabulary] logits.
  func logits(_ batch: Batch) -> [[Double]] {
    let c = configuration
    return (0..<batch.rows).flatMap { row -> [[Double]] in
      let first = row * batch.sequence
      let embedding = tensor("model.embed_tokens.weight")
      var x = (0..<batch.sequence).map { t -> [Double] in
        let start = embedding.startIndex + Int(batch.tokens[first + t]) * c.width
        return Array(embedding[start..<start + c.width])
      }
      for layer in 0..<c.layers {
        let name = "model.layers.\(layer)."
        let normed = x.map { norm($0, name + "input_layernorm.weight") }
        let q = normed.enumerated().map {
          rotate(normHeads(project($1, name + "self_attn.q_proj"), name + "self_attn.q_norm.weight"), position: $0)
        }
        let k = normed.enumerated().map {
          rotate(normHeads(project($1, name + "self_attn.k_proj"), name + "self_attn.k_norm.weight"), position: $0)
        }
        let v = normed.map { project($0, name + "self_attn.v_proj") }
        for t in 0..<batch.sequence {
          var attended: [Double] = []
          for h in 0..<c.heads {
            let query = h * c.headWidth, key = h / (c.heads / c.kvHeads) * c.headWidth
            let seen = Int(batch.starts[first + t])...t
            let scores = seen.map { s in
              (0..<c.headWidth).reduce(0) { $0 + q[t][query + $1] * k[s][key + $1] } / Double(c.headWidth).squareRoot()
            }
            let top = scores.max()!, weights = scores.map { exp($0 - top) }, total = weights.reduce(0, +)
            for i in 0..<c.headWidth {
              attended.append(zip(seen, weights).reduce(0) { $0 + $1.1 * v[$1.0][key + i] } / total)
            }
          }
          x[t] = zip(x[t], project(attended, name + "self_attn.o_proj")).map { $0 + $1 }
          let inner = norm(x[t], name + "post_attention_layernorm.weight")
          let gate = multiply(inner, name + "mlp.gate_proj.weight"), up = multiply(inner, name + "mlp.up_proj.weight")
          let activated = zip(gate, up).map { $0 / (1 + exp(-$0)) * $1 }
          x[t] = zip(x[t], multiply(activated, name + "mlp.down_proj.weight")).map { $0 + $1 }
        }
      }
      let head = c.tiedEmbeddings ? "model.embed_tokens.weight" : "lm_head.weight"
      return x.map { multiply(norm($0, "model.norm.weight"), head) }
    }
  }

  static func logSoftmax(_ z: [Double], temperature: Double = 1) -> [Double] {
    let scaled = z.map { $0 / temperature }, top = scaled.max()!
    let sum = top + log(scaled.reduce(0) { $0 + exp($1 - top) })
    return scaled.map { $0 - sum }
  }

  /// Mean cross-entropy, each token's times its weight, plus λ·KL divergence from frozen logits, plus zLoss·ln² of the partition function.
  func loss(
    _ batch: Batch, annealing: Annealing? = nil, frozen: [[Double]] = [], zLoss: Double = 0, weights: [Double]? = nil
  ) -> Double {
    var sum = 0.0, count = 0.0
    for (t, z) in logits(batch).enumerated() where batch.targets[t] >= 0 {
      sum -= Self.logSoftmax(z)[Int(batch.targets[t])] * (weights?[t] ?? 1)
      let top = z.max()!, all = top + log(z.reduce(0) { $0 + exp($1 - top) })
      sum += zLoss * all * all
      count += 1
      guard let annealing else { continue }
      let q = Self.logSoftmax(z, temperature: annealing.side == .teacher ? 1 : annealing.temperature)
      let r = Self.logSoftmax(frozen[t], temperature: annealing.side == .student ? 1 : annealing.temperature)
      let divergence = zip(q, r).reduce(0) {
        $0 + (annealing.direction == .reverse ? exp($1.0) * ($1.0 - $1.1) : exp($1.1) * ($1.1 - $1.0))
      }
      sum += annealing.lambda * divergence
    }
    return sum / count
  }
}

/// A packed batch of documents with random tokens and lengths.
func randomBatch(rows: Int, sequence: Int, vocabulary: Int, seed: UInt64, longest: Int = 30) -> Batch {
  var random = SequentialRandom(seed: seed)
  var batch = Batch(rows: rows, sequence: sequence)
  for row in 0..<rows {
    var start = 0
    while start < sequence {
      let count = min(sequence - start, Int.random(in: 1...longest, using: &random))
      for t in start..<start + count {
        batch.tokens[row * sequence + t] = Int32.random(in: 0..<Int32(vocabulary), using: &random)
        batch.starts[row * sequence + t] = Int32(start)
        if t > start { batch.targets[row * sequence + t - 1] = batch.tokens[row * sequence + t] }
      }
      start += count
    }
  }
  return batch
}

/// A model whose parameters are all large enough to have significant gradients.
func randomModel(_ c: ModelConfiguration, rows: Int, sequence: Int, training: Bool = true, threads: Int = 2, seed: UInt64 = 1)
  -> Transformer
{
  let model = Transformer(c, rows: rows, sequence: sequence, training: training, pool: ThreadPool(threads: threads))
  model.initialize(randomSeed: seed)
  var random = SequentialRandom(seed: seed, stream: 99)
  for i in 0..<model.parameters.count { model.parameters.base[i] += Float(0.2 * (random.uniform() - 0.5)) }
  return model
}
