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
  /// A low-rank adapter that is applied, and trained instead of the parameters.
  package let adapter: LowRankAdapter?
  /// The gradients of what is trained, after `backward`; empty without training.
  package let gradients: FloatBuffer
  let pool: ThreadPool
  let precision: Precision
  let workspace: Workspace
  /// RoPE's tables, [positions, headWidth / 2].
  let rotations: Rotations
  /// Whether positions count from the start of each segment, not of the row.
  private let restarts: Bool
  var tokens: [Int32]
  var starts: [Int32]
  /// Set before `forward` for an adapter with dropout.
  package var dropoutPosition = DropoutPosition()
  /// What is trained: the parameters, or the factors of the adapter.
  package var trainable: FloatBuffer { adapter?.factors ?? parameters }

  /// Creates a model with all parameters 0.
  /// - Parameters:
  ///   - configuration: a valid configuration.
  ///   - rows: rows per batch.
  ///   - sequence: tokens per row, at most `configuration.sequence`.
  ///   - training: whether gradients are needed.
  ///   - recompute: activation checkpointing: whether `backward` recomputes the activations of each layer, which saves memory and gives the
  ///     same bits.
  ///   - restarts: whether the positions of each segment of a row start at 0. Attention depends on distances alone, but rounding does not.
  ///   - parameters: a buffer to share, such as that of the model being trained; by default a new one.
  ///   - gradients: a buffer to share, such as that of a model that is not in use; by default a new one.
  ///   - adapter: a low-rank adapter; in training, the parameters are then constant.
  package init(
    _ configuration: ModelConfiguration, rows: Int, sequence: Int, training: Bool, recompute: Bool = false,
    precision: Precision = .float32, restarts: Bool = false, pool: ThreadPool, parameters: FloatBuffer? = nil,
    gradients: FloatBuffer? = nil, adapter: LowRankAdapter? = nil
  ) {
    precondition(
      rows > 0 && sequence > 0 && sequence <= configuration.longestSequence, "the batch is empty or longer than the model's positions")
    self.configuration = configuration
    self.pool = pool
    self.precision = precision
    let layout = ParameterLayout(configuration)
    precondition(parameters.map { $0.count == layout.count } ?? true, "the parameters do not match the configuration")
    self.layout = layout
    self.parameters = parameters ?? FloatBuffer(layout.count)
    self.adapter = adapter
    self.gradients = gradients ?? (training ? adapter?.gradients ?? FloatBuffer(layout.count) : FloatBuffer(0))
    precondition(!training || self.gradients.count == adapter?.factors.count ?? layout.count, "the gradients do not match the parameters")
    workspace = Workspace(
      configuration, rows: rows, sequence: sequence, training: training, recompute: recompute, lowRank: adapter?.setting)
    rotations = Rotations(configuration, positions: sequence)
    self.restarts = restarts
    tokens = [Int32](repeating: 0, count: rows * sequence)
    starts = tokens
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

  /// Bytes of parameters, adapter, gradients, activations and RoPE tables.
  package var memoryBytes: Int {
    (parameters.count + (adapter?.factors.count ?? 0) + gradients.count + workspace.count + rotations.count) * 4
  }

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
      let place = token % sequence, start = restarts ? Int(starts[token]) : 0
      var run = min(sequence - place, first + count - token)
      if restarts { run = (1..<run).first { starts[token + $0] != starts[token] } ?? run }
      let offset = (place - start) * half
      weir_rope(
        qkv + token * stride, stride, configuration.heads + configuration.kvHeads, configuration.headWidth,
        rotations.cosines.base + offset, rotations.sines.base + offset, run, direction)
      token += run
    }
  }
}
