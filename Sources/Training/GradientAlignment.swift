import Kernels
import Primitives
import Tokens

/// How far the gradients of several sources point along that of a target, step by step of a small model that learns from them: the
/// trainer's side of DoGE (Fan, Pagliardini, Jaggi, arXiv 2310.15393, algorithm 1).
///
/// The step is taken with the weights of the step before, so that gradients need not be kept: one block beside the model's, whatever the
/// number of sources (ours; the paper updates the weights first).
package final class GradientAlignment {
  private let model: Transformer
  private let optimizer: AdamW
  private let target: FloatBuffer
  private let mixed: FloatBuffer
  private let pool: ThreadPool
  private static let grain = 65_536

  /// Opens a model to go on from; its folder is only read.
  /// - Parameters:
  ///   - folder: the model folder.
  ///   - rows: sequences of every batch.
  ///   - sequence: tokens of a sequence, at most the model's.
  ///   - threads: threads; no number depends on them.
  package init(folder: String, rows: Int, sequence: Int, threads: Int) throws {
    let (configuration, parameters) = try ModelFolder.load(folder)
    guard sequence <= configuration.sequence else {
      throw WeirError(folder, "has \(configuration.sequence) positions, the sequences \(sequence)", remedy: "name a model of longer texts")
    }
    pool = ThreadPool(threads: threads)
    model = Transformer(configuration, rows: rows, sequence: sequence, training: true, pool: pool, parameters: parameters)
    optimizer = AdamW(model.layout, betas: (0.9, 0.95), epsilon: 1e-8, weightDecay: 0)
    target = FloatBuffer(model.gradients.count)
    mixed = FloatBuffer(model.gradients.count)
  }

  /// One step: the products of the gradients, then an update of the model by the weighted sum of the sources' gradients, clipped to norm 1.
  /// - Parameters:
  ///   - wanted: a batch of the target.
  ///   - sources: a batch of each source, nil where it has none.
  ///   - weights: of the sources in the update.
  ///   - rate: the learning rate.
  /// - Returns: ⟨∇source, ∇target⟩ of each source, and ‖∇target‖².
  package func step(target wanted: Batch, sources: [Batch?], weights: [Double], rate: Double) throws -> (
    products: [Double], square: Double
  ) {
    precondition(sources.count == weights.count, "a weight a source")
    try gradient(wanted, place: "--seed-data")
    target.copy(from: model.gradients)
    let square = product(target, target)
    mixed.clear()
    var products = [Double](repeating: 0, count: sources.count)
    for (index, batch) in sources.enumerated() {
      guard let batch else { continue }
      try gradient(batch, place: "cluster \(index)")
      products[index] = product(model.gradients, target)
      let (weight, from, to) = (Float(weights[index]), model.gradients.base, mixed.base)
      pool.ranges(mixed.count, grain: Self.grain) { for at in $0 { to[at] += weight * from[at] } }
    }
    let norm = optimizer.norm(mixed, pool: pool)
    optimizer.update(model.parameters, gradients: mixed, scale: min(1, 1 / (norm + 1e-6)), learningRate: rate, pool: pool)
    guard model.parameters.isFinite else { throw WeirError("--proxy", "a weight is no number any more", remedy: "name another model") }
    return (products, square)
  }

  private func gradient(_ batch: Batch, place: String) throws {
    guard batch.targetCount > 0 else { throw WeirError(place, "has no token to learn from") }
    try model.check(batch, place: place)
    model.forward(tokens: batch.tokens, starts: batch.starts)
    _ = model.loss(targets: batch.targets, gradient: true)
    model.backward()
  }

  /// ⟨a, b⟩, summed in double over blocks of fixed size.
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
