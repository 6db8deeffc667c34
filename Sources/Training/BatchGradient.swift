import CKernels
import Kernels
import Primitives
import Tokens

/// The loss of a step's batch and the gradient of its mean, accumulated over micro-batches and ranks: equal to one pass over the whole
/// batch up to rounding, in less memory.
///
/// The gradients of micro-batches are added in a fixed binary tree, first within a rank and then across ranks. If each rank has a power of
/// two of them, the bits of the sum depend only on the micro-batches: four micro-batches on one, two or four ranks give the same run.
package final class BatchGradient {
  /// The model being trained; its `gradients` hold the sum after `compute`.
  package let model: Transformer
  private let frozen: Transformer?
  private let cache: TeacherCache?
  private let configuration: TrainingConfiguration
  private let microBatches: MicroBatches
  private let ranks: RankGroup
  private let pool: ThreadPool
  private let sum: GradientSum?
  /// Partial sums of 1, 2, 4, … micro-batches, each waiting for another one of the same size.
  private let partialSums: [FloatBuffer]

  /// The gradient buffers needed besides the model's own.
  static func partialSums(microBatches: Int) -> Int { Int.bitWidth - (microBatches - 1).leadingZeroBitCount }

  /// - Parameters:
  ///   - model: a model for batches of `microBatches.rows` rows.
  ///   - frozen: the reference model of label annealing, for the same batch shape.
  ///   - configuration: selects the terms of the loss.
  ///   - microBatches: the division of the batch.
  ///   - ranks: the ranks that share the batch.
  ///   - pool: the threads of this rank.
  package convenience init(
    _ model: Transformer, frozen: Transformer?, _ configuration: TrainingConfiguration, microBatches: MicroBatches, ranks: RankGroup,
    pool: ThreadPool
  ) {
    self.init(model, frozen: frozen, cache: nil, configuration, microBatches: microBatches, ranks: ranks, pool: pool)
  }

  /// The same with stored predictions of the frozen model.
  init(
    _ model: Transformer, frozen: Transformer?, cache: TeacherCache?, _ configuration: TrainingConfiguration, microBatches: MicroBatches,
    ranks: RankGroup, pool: ThreadPool
  ) {
    self.cache = cache
    self.model = model
    self.frozen = frozen
    self.microBatches = microBatches
    self.ranks = ranks
    self.pool = pool
    self.configuration = configuration
    sum = ranks.collectives.map { GradientSum($0, model.gradients) }
    partialSums = (0..<Self.partialSums(microBatches: microBatches.count)).map { _ in FloatBuffer(model.gradients.count) }
  }

  /// - Parameters:
  ///   - batch: the whole batch of the step.
  ///   - place: the place to report in errors.
  ///   - step: the step, from 0, and the steps of the run: for λ and dropout.
  /// - Throws: `WeirError` if the batch does not fit the model or has no targets.
  package func compute(_ batch: Batch, place: String, step: (index: Int, total: Int) = (0, 1)) throws -> LossSums {
    let targets = batch.targetCount, gradients = model.gradients
    let annealing = configuration.annealing?.at(step: step.index, total: step.total)
    guard targets > 0 else { throw WeirError(place, "the batch has no targets") }
    let places = try cache?.places(batch, place: place)
    var sums: [LossSums] = []
    for index in 0..<microBatches.count {
      let part = microBatches.microBatch(index, of: ranks.rank, batch)
      try model.check(part, place: place)
      model.dropoutPosition.step = step.index
      model.dropoutPosition.firstToken = microBatches.firstRow(index, of: ranks.rank) * batch.sequence
      sums.append(try loss(part, of: targets, annealing, step: step.index, places: places, from: model.dropoutPosition.firstToken))
      guard index + 1 == microBatches.count else {
        model.backward()
        // Like a binary counter: the gradient is added to each partial sum it completes, and stored at the first free level.
        let complete = (~index).trailingZeroBitCount
        for level in 0..<complete { add(partialSums[level], 0..<gradients.count) }
        partialSums[complete].copy(from: gradients)
        continue
      }
      model.backward { range in
        for level in partialSums.indices where index >> level & 1 == 1 { add(partialSums[level], range) }
        sum?.take(range)
      }
    }
    sum?.wait()
    return gather(sums)
  }

  /// The loss of a micro-batch, ready for `backward`.
  private func loss(
    _ part: Batch, of targets: Int, _ annealing: Annealing?, step: Int, places: [Int64]?, from first: Int
  ) throws -> LossSums {
    let measures = cache != nil && step < TeacherCache.probes
    if cache == nil || measures { frozen?.forward(tokens: part.tokens, starts: part.starts) }
    model.forward(tokens: part.tokens, starts: part.starts)
    guard let cache, let places else {
      return model.loss(
        targets: part.targets, gradient: true, annealing: annealing, frozen: frozen, of: targets, zLoss: configuration.zLoss ?? 0,
        weighted: configuration.isWeighted)
    }
    let whole = measures ? model.loss(targets: part.targets, gradient: false, annealing: annealing, frozen: frozen).divergence : 0
    var sums = try cache.withPredictions { ids, logs in
      let own = part.tokens.indices.map { first + $0 < places.count ? places[first + $0] : -1 }
      return model.loss(
        targets: part.targets, gradient: true, annealing: annealing, frozen: nil,
        stored: Transformer.StoredPredictions(k: cache.k, ids: ids, logs: logs, places: own), of: targets, zLoss: 0,
        weighted: configuration.isWeighted)
    }
    sums.wholeDivergence = whole
    return sums
  }

  private func add(_ partialSum: FloatBuffer, _ range: Range<Int>) {
    let to = model.gradients.base + range.lowerBound, from = partialSum.base + range.lowerBound
    pool.ranges(range.count, grain: 65_536) { weir_add(to + $0.lowerBound, from + $0.lowerBound, $0.count) }
  }

  /// The total over all micro-batches of all ranks, added in a fixed order.
  private func gather(_ own: [LossSums]) -> LossSums {
    guard let collectives = ranks.collectives else { return own.reduce(into: LossSums()) { $0 += $1 } }
    let all = collectives.gather(own.flatMap { [$0.crossEntropy, $0.divergence, $0.wholeDivergence, $0.squares, Double($0.targets)] })
      .flatMap { $0 }
    return stride(from: 0, to: all.count, by: 5).reduce(into: LossSums()) { sums, at in
      sums += LossSums(
        crossEntropy: all[at], divergence: all[at + 1], wholeDivergence: all[at + 2], squares: all[at + 3], targets: Int(all[at + 4]))
    }
  }
}
