/// The cost of a training run, computed without running it.
package struct TrainingEstimate: Codable, Sendable, Equatable {
  package var parameters: Int
  /// Parameters without the embedding and the output matrix.
  package var nonEmbeddingParameters: Int
  package var steps: Int
  /// Tokens in all batches.
  package var tokens: Int
  /// Floating-point operations of all steps.
  package var flops: Double
  /// Bytes of parameters, gradients, moments, activations and per-process overhead.
  package var memoryBytes: Int
  /// Bytes of the checkpoints that are kept and of the final model.
  package var diskBytes: Int

  /// Memory of a process besides its arrays, in bytes, as measured: program, tokenizer, and each thread's packed operands.
  package static func overhead(threads: Int, vocabulary: Int) -> Int { 31_000_000 + 210 * vocabulary + 1_500_000 * threads }

  /// - Parameters:
  ///   - rows: rows per batch.
  ///   - sequence: tokens per row.
  ///   - recompute: whether the backward pass recomputes activations.
  ///   - evaluates: whether validation sets are evaluated during the run.
  /// - Throws: `WeirError` if the configuration or the shape is invalid.
  package init(
    _ configuration: TrainingConfiguration, model: ModelConfiguration, rows: Int, sequence: Int, recompute: Bool = false,
    evaluates: Bool = true, threads: Int = 2
  ) throws {
    try configuration.validate()
    try model.validate(place: "modelConfiguration")
    parameters = model.parameters
    nonEmbeddingParameters = model.nonEmbeddingParameters
    steps = configuration.stepCount(batchTokens: rows * sequence)
    tokens = steps * rows * sequence
    flops = Double(tokens) * model.flopsPerToken(context: sequence)
    let keepsInitial = configuration.annealing != nil || configuration.l2 > 0 || configuration.lowRank != nil
    let averages = configuration.emaDecay != nil
    let micro = max(1, rows / configuration.microBatches)
    // Parameters, gradients and two moments, and what the configuration adds.
    let blocks = 4 + (keepsInitial ? 1 : 0) + BatchGradient.partialSums(microBatches: configuration.microBatches) + (averages ? 1 : 0)
    var floats = parameters * blocks + Workspace.floats(model, rows: micro, sequence: sequence, training: true, recompute: recompute)
    if evaluates { floats += Workspace.floats(model, rows: max(1, 4_096 / sequence), sequence: sequence, training: false) }
    if configuration.annealing != nil { floats += Workspace.floats(model, rows: micro, sequence: sequence, training: false) }
    floats += sequence * (model.headWidth / 2) * 2
    memoryBytes = floats * 4 + Self.overhead(threads: threads, vocabulary: model.vocabulary)
    let checkpoints =
      configuration.checkpointAt.count + (configuration.checkpointEvery > 0 ? configuration.keepLast : 0)
      + (configuration.selection == nil ? 0 : 2) + (configuration.keepEvery == nil ? 0 : steps / max(1, configuration.keepEvery ?? 1))
    let averaged = averages ? 1 : 0
    diskBytes = parameters * 4 * (1 + averaged + (3 + averaged) * checkpoints)
  }
}
