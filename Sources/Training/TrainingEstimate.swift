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
    flops = Double(tokens) * configuration.flopsPerToken(model, context: sequence)
    let averages = configuration.emaDecay != nil, lowRank = configuration.lowRank
    let micro = max(1, rows / configuration.microBatches), rotations = sequence * (model.headWidth / 2) * 2
    // What is trained, its gradients and two moments; partial sums; what the configuration adds.
    let trained = lowRank?.parameters(model) ?? parameters
    var floats = trained * (4 + BatchGradient.partialSums(microBatches: configuration.microBatches)) + rotations
    if lowRank != nil { floats += parameters }
    if configuration.keepsInitialWeights { floats += parameters }
    if averages { floats += parameters }
    func workspace(rows: Int, training: Bool = false, lowRank: LowRank? = nil) -> Int {
      Workspace.floats(model, rows: rows, sequence: sequence, training: training, recompute: recompute && training, lowRank: lowRank)
    }
    var activations = workspace(rows: micro, training: true, lowRank: lowRank)
    if evaluates { activations += workspace(rows: max(1, 4_096 / sequence), lowRank: lowRank) + rotations }
    if configuration.annealing != nil { activations += workspace(rows: micro) + rotations }
    if let ewc = configuration.ewc {
      // The Fisher information is computed before the first step.
      flops += Double(ewc.sequences * sequence) * model.flopsPerToken(context: sequence)
      floats += parameters
      activations = max(activations, workspace(rows: 1, training: true) + rotations)
    }
    floats += activations
    memoryBytes = floats * 4 + Self.overhead(threads: threads, vocabulary: model.vocabulary)
    let checkpoints =
      configuration.checkpointAt.count + (configuration.checkpointEvery > 0 ? configuration.keepLast : 0)
      + (configuration.selection == nil ? 0 : 2) + (configuration.keepEvery == nil ? 0 : steps / max(1, configuration.keepEvery ?? 1))
    let averaged = averages ? 1 : 0
    let adapter = lowRank == nil ? 0 : trained, fisher = configuration.ewc == nil ? 0 : parameters
    diskBytes = 4 * (parameters * (1 + averaged + (1 + averaged) * checkpoints) + (2 * trained + adapter) * checkpoints + adapter + fisher)
  }
}
