import CKernels
import Foundation
import Kernels
import Primitives
import Tokens

/// A Llama decoder with its gradients, for batches of one fixed shape.
///
/// Dense layers are parallel over chunks of tokens, attention over (row, head), weight gradients over tiles of the output. The division
/// follows from the shapes alone, so that results do not depend on the number of threads. Nothing large is allocated after `init`.
package final class Transformer {
  package let configuration: ModelConfiguration
  package let layout: ParameterLayout
  package let parameters: FloatBuffer
  /// The gradients after `backward`; empty without training.
  package let gradients: FloatBuffer
  let pool: ThreadPool
  let precision: Precision
  let workspace: Workspace
  let cosines: FloatBuffer
  let sines: FloatBuffer
  var tokens: [Int32]
  var starts: [Int32]

  /// Creates a model with all parameters 0.
  /// - Parameters:
  ///   - configuration: a valid configuration.
  ///   - rows: rows per batch.
  ///   - sequence: tokens per row, at most `configuration.sequence`.
  ///   - training: whether gradients are needed.
  ///   - recompute: activation checkpointing: whether `backward` recomputes the activations of each layer, which saves memory and gives the
  ///     same bits.
  ///   - parameters: a buffer to share, such as that of the model being trained; by default a new one.
  package init(
    _ configuration: ModelConfiguration, rows: Int, sequence: Int, training: Bool, recompute: Bool = false,
    precision: Precision = .float32, pool: ThreadPool, parameters: FloatBuffer? = nil
  ) {
    precondition(rows > 0 && sequence > 0 && sequence <= configuration.sequence, "the batch is empty or longer than the model's positions")
    self.configuration = configuration
    self.pool = pool
    self.precision = precision
    let layout = ParameterLayout(configuration)
    precondition(parameters.map { $0.count == layout.count } ?? true, "the parameters do not match the configuration")
    self.layout = layout
    self.parameters = parameters ?? FloatBuffer(layout.count)
    gradients = FloatBuffer(training ? layout.count : 0)
    workspace = Workspace(configuration, rows: rows, sequence: sequence, training: training, recompute: recompute)
    (cosines, sines) = Self.rotations(configuration, positions: sequence)
    tokens = [Int32](repeating: 0, count: rows * sequence)
    starts = tokens
  }

  /// The cos and sin of position · θ^(−2i/headWidth), [positions, headWidth/2]; angles are rounded to float32 as in transformers.
  static func rotations(_ configuration: ModelConfiguration, positions: Int) -> (FloatBuffer, FloatBuffer) {
    let half = configuration.headWidth / 2
    let cosines = FloatBuffer(positions * half), sines = FloatBuffer(positions * half)
    for i in 0..<half {
      let frequency = 1 / Float(pow(configuration.ropeTheta, Double(2 * i) / Double(configuration.headWidth)))
      for t in 0..<positions {
        let angle = Double(Float(t) * frequency)
        cosines.base[t * half + i] = Float(cos(angle))
        sines.base[t * half + i] = Float(sin(angle))
      }
    }
    return (cosines, sines)
  }

  /// Throws `WeirError` if the batch has another shape, or invalid tokens, targets or starts.
  /// - Parameter place: the place to report in the error.
  package func check(_ batch: Batch, place: String) throws {
    guard batch.rows == workspace.rows, batch.sequence == workspace.sequence, batch.tokens.count == workspace.tokens,
      batch.targets.count == workspace.tokens, batch.starts.count == workspace.tokens
    else { throw WeirError(place, "the batch is \(batch.rows)×\(batch.sequence), expected \(workspace.rows)×\(workspace.sequence)") }
    let vocabulary = Int32(configuration.vocabulary)
    for t in 0..<batch.tokens.count {
      let token = batch.tokens[t], target = batch.targets[t], start = batch.starts[t]
      guard token >= 0, token < vocabulary, target < vocabulary else {
        throw WeirError(place, "token \(max(token, target)) is outside the model's vocabulary of \(vocabulary)")
      }
      guard start >= 0, Int(start) <= t % batch.sequence else {
        throw WeirError(place, "position \(t % batch.sequence) may attend from \(start) on, which is not in 0…\(t % batch.sequence)")
      }
    }
  }

  /// Bytes of parameters, gradients, activations and RoPE tables.
  package var memoryBytes: Int { (parameters.count + gradients.count + workspace.count + cosines.count + sines.count) * 4 }

  func parameter(_ offset: Int) -> UnsafeMutablePointer<Float> { parameters.base + offset }
  func gradient(_ offset: Int) -> UnsafeMutablePointer<Float> { gradients.base + offset }

  /// Runs `body(chunk, first token, count)` for all chunks of the batch in parallel.
  func overChunks(_ body: (Int, Int, Int) -> Void) {
    let work = workspace
    pool.run(work.chunks) { task in
      let first = task * work.chunk
      body(task, first, min(work.chunk, work.tokens - first))
    }
  }

  /// y [m, out] = x [m, in] · wᵀ, w [out, in].
  func linear(
    _ x: UnsafePointer<Float>, _ w: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, m: Int, from: Int, to: Int, add: Bool = false
  ) {
    precision.product(0, 1, m: m, n: to, k: from, x, from, w, from, y, to, add: add)
  }

  /// dx [m, in] = dy [m, out] · w.
  func linearInput(_ dy: UnsafePointer<Float>, _ w: UnsafePointer<Float>, _ dx: UnsafeMutablePointer<Float>, m: Int, from: Int, to: Int) {
    precision.product(0, 0, m: m, n: from, k: to, dy, to, w, from, dx, from, add: false)
  }

  /// Applies RoPE to queries and keys of consecutive tokens, or its inverse to their gradients (direction −1).
  func rotate(_ qkv: UnsafeMutablePointer<Float>, first: Int, count: Int, direction: Float) {
    let half = configuration.headWidth / 2, stride = configuration.qkvWidth, sequence = workspace.sequence
    var token = first
    while token < first + count {
      let position = token % sequence, run = min(sequence - position, first + count - token)
      weir_rope(
        qkv + token * stride, stride, configuration.heads + configuration.kvHeads, configuration.headWidth,
        cosines.base + position * half, sines.base + position * half, run, direction)
      token += run
    }
  }
}
