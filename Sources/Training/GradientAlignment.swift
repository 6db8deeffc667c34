import Kernels
import Primitives
import Tokens

/// Measures the alignment of the gradients of several sources with the gradient of a target, while a small model trains on the sources: the
/// training part of DoGE (Fan, Pagliardini, Jaggi, arXiv 2310.15393, algorithm 1).
///
/// Unlike the paper, the model is updated with the source weights of the previous step. So the gradients need not be kept, and memory does
/// not depend on the number of sources.
package final class GradientAlignment {
  private let model: Transformer
  private let optimizer: AdamW
  private let target: FloatBuffer
  private let mixed: FloatBuffer
  private let pool: ThreadPool
  private static let grain = 65_536

  /// Loads the initial model; its folder is not changed.
  /// - Parameters:
  ///   - rows: rows per batch.
  ///   - sequence: tokens per row.
  ///   - threads: does not affect the results.
  package init(folder: String, rows: Int, sequence: Int, threads: Int) throws {
    let (configuration, parameters) = try ModelFolder.load(folder)
    try configuration.checkTrainable(place: folder)
    guard sequence <= configuration.sequence else {
      throw WeirError(folder, "has \(configuration.sequence) positions, fewer than the \(sequence) tokens per row")
    }
    pool = ThreadPool(threads: threads)
    model = Transformer(configuration, rows: rows, sequence: sequence, training: true, pool: pool, parameters: parameters)
    optimizer = AdamW(model.layout, betas: (0.9, 0.95), epsilon: 1e-8, weightDecay: 0)
    target = FloatBuffer(model.gradients.count)
    mixed = FloatBuffer(model.gradients.count)
  }

  /// Computes the inner products of the gradients, then updates the model with the weighted sum of the sources' gradients.
  /// - Parameters:
  ///   - targetBatch: a batch of the target.
  ///   - sources: a batch of each source, nil for a source without text.
  ///   - weights: the weight of each source in the update.
  ///   - rate: the learning rate.
  /// - Returns: ⟨∇source, ∇target⟩ for each source, and ‖∇target‖².
  package func step(target targetBatch: Batch, sources: [Batch?], weights: [Double], rate: Double) throws -> (
    products: [Double], square: Double
  ) {
    precondition(sources.count == weights.count, "one weight per source")
    try gradient(targetBatch, place: "target")
    target.copy(from: model.gradients)
    let square = product(target, target)
    mixed.clear()
    var products = [Double](repeating: 0, count: sources.count)
    for (index, batch) in sources.enumerated() {
      guard let batch else { continue }
      try gradient(batch, place: "source \(index)")
      products[index] = product(model.gradients, target)
      let (weight, from, to) = (Float(weights[index]), model.gradients.base, mixed.base)
      pool.ranges(mixed.count, grain: Self.grain) { for at in $0 { to[at] += weight * from[at] } }
    }
    let norm = optimizer.norm(mixed, pool: pool)
    optimizer.update(model.parameters, gradients: mixed, scale: min(1, 1 / (norm + 1e-6)), learningRate: rate, pool: pool)
    guard model.parameters.isFinite else {
      throw WeirError("model", "its weights contain NaN/Inf after an update", remedy: "use another model")
    }
    return (products, square)
  }

  private func gradient(_ batch: Batch, place: String) throws {
    guard batch.targetCount > 0 else { throw WeirError(place, "the batch has no targets") }
    try model.check(batch, place: place)
    model.forward(tokens: batch.tokens, starts: batch.starts)
    _ = model.loss(targets: batch.targets, gradient: true)
    model.backward()
  }

  /// ⟨a, b⟩, summed in double precision over blocks of fixed size.
  private func product(_ a: FloatBuffer, _ b: FloatBuffer) -> Double {
    let blocks = (a.count + Self.grain - 1) / Self.grain, (x, y) = (a.base, b.base)
    return withUnsafeTemporaryAllocation(of: Double.self, capacity: blocks) { sums in
      pool.run(blocks) { block in
        var sum = 0.0
        for at in block * Self.grain..<min(a.count, (block + 1) * Self.grain) { sum += Double(x[at]) * Double(y[at]) }
        sums[block] = sum
      }
      return sums.reduce(0, +)
    }
  }
}
