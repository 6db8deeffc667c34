import CKernels
import Kernels
import Primitives
import Tokens

/// The loss of a step's batch and the gradient of its mean, computed in micro-batches of whole rows: the same step as in one piece but for
/// rounding, in less memory, and on several ranks.
///
/// The gradients of the pieces are added in a fixed binary tree, first those of a rank and then those of the ranks. So the bits of the sum
/// depend on the pieces only, as long as each rank has a power of two of them: `--accumulate 4` on one, two and four ranks is one run.
package final class BatchGradient {
  /// The model that learns; `gradients` holds the sum after `compute`.
  package let model: Transformer
  private let frozen: Transformer.Frozen?
  private let annealing: Annealing?
  private let zLoss: Double
  private let pieces: BatchPieces
  private let crew: Crew
  private let pool: ThreadPool
  private let sum: GradientSum?
  /// Sums of 1, 2, 4, … pieces that wait for their other half.
  private let halves: [FloatBuffer]

  /// Blocks of gradients beside the model's own that a number of pieces takes.
  static func halves(pieces: Int) -> Int { Int.bitWidth - (pieces - 1).leadingZeroBitCount }

  /// - Parameters:
  ///   - model: of the rows of a piece.
  ///   - frozen: the frozen side of label annealing, of the same batch shape.
  ///   - plan: the terms of the loss.
  ///   - pieces: the micro-batches.
  ///   - crew: the ranks.
  ///   - pool: the threads.
  package init(
    _ model: Transformer, frozen: Transformer.Frozen?, _ plan: TrainingConfiguration, pieces: BatchPieces, crew: Crew, pool: ThreadPool
  ) {
    self.model = model
    self.frozen = frozen
    self.pieces = pieces
    self.crew = crew
    self.pool = pool
    annealing = plan.annealing
    zLoss = plan.zLoss ?? 0
    sum = crew.sums.map { GradientSum($0, model.gradients) }
    halves = (0..<Self.halves(pieces: pieces.count)).map { _ in FloatBuffer(model.gradients.count) }
  }

  /// - Parameters:
  ///   - batch: the step's whole batch.
  ///   - place: what to name in errors.
  /// - Throws: `WeirError` where the batch does not fit the model or has no target.
  package func compute(_ batch: Batch, place: String) throws -> LossSums {
    let targets = batch.targetCount, gradients = model.gradients
    guard targets > 0 else { throw WeirError(place, "the batch has no target to learn from") }
    var sums: [LossSums] = []
    for index in 0..<pieces.count {
      let piece = pieces.piece(index, of: crew.rank, batch)
      try model.check(piece, place: place)
      frozen?.model.forward(tokens: piece.tokens, starts: piece.starts)
      model.forward(tokens: piece.tokens, starts: piece.starts)
      sums.append(
        model.loss(targets: piece.targets, gradient: true, annealing: annealing, frozen: frozen, of: targets, zLoss: zLoss))
      guard index + 1 == pieces.count else {
        model.backward()
        // As in counting: each half that is complete joins, and the sum takes the first free place.
        let complete = (~index).trailingZeroBitCount
        for level in 0..<complete { add(halves[level], 0..<gradients.count) }
        halves[complete].copy(from: gradients)
        continue
      }
      model.backward { range in
        for level in halves.indices where index >> level & 1 == 1 { add(halves[level], range) }
        sum?.take(range)
      }
    }
    sum?.wait()
    return gather(sums)
  }

  private func add(_ half: FloatBuffer, _ range: Range<Int>) {
    let to = model.gradients.base + range.lowerBound, from = half.base + range.lowerBound
    pool.ranges(range.count, grain: 65_536) { weir_add(to + $0.lowerBound, from + $0.lowerBound, $0.count) }
  }

  /// The sums of all pieces of all ranks, added in order.
  private func gather(_ own: [LossSums]) -> LossSums {
    guard let ranks = crew.sums else { return own.reduce(into: LossSums()) { $0 += $1 } }
    let all = ranks.gather(own.flatMap { [$0.crossEntropy, $0.divergence, $0.squares, Double($0.targets)] }).flatMap { $0 }
    return stride(from: 0, to: all.count, by: 4).reduce(into: LossSums()) { sums, at in
      sums.crossEntropy += all[at]
      sums.divergence += all[at + 1]
      sums.squares += all[at + 2]
      sums.targets += Int(all[at + 3])
    }
  }
}
