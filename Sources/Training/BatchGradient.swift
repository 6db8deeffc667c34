import CKernels
import Corpus
import Kernels
import Primitives

/// The loss of a step's batch and the gradient of its mean, computed in micro-batches of whole rows whose gradients are added in order:
/// the same step as in one piece but for rounding, in less memory.
final class BatchGradient {
  /// The model that learns; `gradients` holds the sum after `compute`.
  let model: Transformer
  private let frozen: Transformer.Frozen?
  private let annealing: Annealing?
  private let zLoss: Double
  private let parts: Int
  private let pool: ThreadPool
  private let sum: FloatBuffer?

  /// - Parameters:
  ///   - model: of rows / parts rows.
  ///   - frozen: the frozen side of label annealing, of the same batch shape.
  ///   - plan: the terms of the loss and the number of micro-batches.
  ///   - pool: the threads.
  init(_ model: Transformer, frozen: Transformer.Frozen?, _ plan: TrainingConfiguration, pool: ThreadPool) {
    self.model = model
    self.frozen = frozen
    self.pool = pool
    annealing = plan.annealing
    zLoss = plan.zLoss ?? 0
    parts = plan.microBatches
    sum = parts > 1 ? FloatBuffer(model.gradients.count) : nil
  }

  /// - Parameters:
  ///   - batch: the step's whole batch.
  ///   - place: what to name in errors.
  /// - Throws: `WeirError` where the batch does not fit the model or has no target.
  func compute(_ batch: Batch, place: String) throws -> LossSums {
    let targets = batch.targetCount, rows = batch.rows / parts
    guard targets > 0 else { throw WeirError(place, "the batch has no target to learn from") }
    guard rows * parts == batch.rows else { throw WeirError(place, "\(batch.rows) rows cannot be cut into \(parts) micro-batches") }
    var sums = LossSums()
    for part in 0..<parts {
      let micro = parts == 1 ? batch : batch.part(rows: part * rows..<(part + 1) * rows)
      try model.check(micro, place: place)
      frozen?.model.forward(tokens: micro.tokens, starts: micro.starts)
      model.forward(tokens: micro.tokens, starts: micro.starts)
      sums += model.loss(
        targets: micro.targets, gradient: true, annealing: annealing, frozen: frozen, of: targets, zLoss: zLoss)
      model.backward()
      guard let sum else { continue }
      let gradients = model.gradients
      if part == 0 {
        sum.copy(from: gradients)
      } else {
        // The last sum goes where the optimiser looks for it; addition commutes, so the order of the parts stays.
        let (target, other) = part + 1 == parts ? (gradients, sum) : (sum, gradients)
        pool.ranges(sum.count, grain: 65_536) { weir_add(target.base + $0.lowerBound, other.base + $0.lowerBound, $0.count) }
      }
    }
    return sums
  }
}

extension Batch {
  /// Some of its rows.
  func part(rows range: Range<Int>) -> Batch {
    var part = Batch(rows: range.count, sequence: sequence)
    let positions = range.lowerBound * sequence..<range.upperBound * sequence
    part.tokens = Array(tokens[positions])
    part.targets = Array(targets[positions])
    part.starts = Array(starts[positions])
    return part
  }
}
