import Foundation
import Pipeline
import Primitives
import Storage

/// The loss on a validation set at some point of a run; a line of `evaluations.jsonl`.
package struct EvaluationRecord: Codable, Sendable, Equatable {
  /// Steps done.
  package var step: Int
  /// Tokens seen.
  package var tokens: Int
  /// The validation set.
  package var name: String
  /// Its loss.
  package var result: Evaluation
}

/// What a finished run leaves in `report.json`.
package struct TrainingReport: Codable, Sendable, Equatable {
  /// Steps done.
  package var steps: Int
  /// Tokens seen.
  package var tokens: Int
  /// All parameters.
  package var parameters: Int
  /// Parameters without embedding and output matrix: the N of the laws.
  package var nonEmbeddingParameters: Int
  /// Floating-point operations of all steps, by formula.
  package var flops: Double
  /// The mean training loss of the last tenth of the steps, at most 100.
  package var loss: Double
  /// The mean divergence of the last step's targets from the initial model; nil without annealing.
  package var divergence: Double?
  /// Every evaluation, in order.
  package var evaluations: [EvaluationRecord]
  /// Wall seconds of the steps.
  package var seconds: Double
  /// Tokens a second.
  package var tokensPerSecond: Double
  /// The model folder.
  package var model: String
  /// Returns to earlier checkpoints; nil where there was none.
  package var rollbacks: [LossGuard.Incident]?

  /// The last evaluation of each set.
  package var final: [EvaluationRecord] { evaluations.filter { $0.step == steps } }
}

/// Where a run begins.
package enum ModelInitialisation: Sendable {
  /// With drawn parameters.
  case scratch(ModelConfiguration)
  /// With the weights of a model folder.
  case folder(String)
  /// With a run's checkpoint: its weights, and its moments too if wanted (a branch off a trunk).
  case checkpoint(String, optimizer: Bool)
}

/// What a long run costs, before it starts.
package struct TrainingEstimate: Codable, Sendable, Equatable {
  /// All parameters.
  package var parameters: Int
  /// Without embedding and output matrix.
  package var nonEmbeddingParameters: Int
  /// Steps.
  package var steps: Int
  /// Tokens, whole batches.
  package var tokens: Int
  /// Floating-point operations in all.
  package var flops: Double
  /// Bytes of parameters, gradients, moments, activations.
  package var memoryBytes: Int
  /// Bytes of the checkpoints that stay and of the model.
  package var diskBytes: Int

  /// Bytes that any run takes beside its arrays, as measured: the program, the tokenizer, each thread's packed operands.
  package static func overhead(threads: Int, vocabulary: Int) -> Int { 31_000_000 + 210 * vocabulary + 1_500_000 * threads }

  /// Creates an estimate.
  /// - Parameters:
  ///   - configuration: what to do.
  ///   - model: the shape.
  ///   - rows: sequences of a batch.
  ///   - sequence: tokens of a sequence.
  ///   - recompute: whether activations are computed anew in the backward pass.
  ///   - evaluates: whether held-out sets are evaluated on the way.
  ///   - threads: threads, each with room for packed operands of its own.
  /// - Throws: `WeirError` where the configuration or the shape is impossible.
  package init(
    _ configuration: TrainingConfiguration, model: ModelConfiguration, rows: Int, sequence: Int, recompute: Bool = false,
    evaluates: Bool = true, threads: Int = 2
  ) throws {
    try configuration.validate()
    try model.validate(place: "--preset")
    parameters = model.parameters
    nonEmbeddingParameters = model.nonEmbeddingParameters
    steps = configuration.stepCount(batchTokens: rows * sequence)
    tokens = steps * rows * sequence
    flops = Double(tokens) * model.flopsPerToken(context: sequence)
    let frozen = configuration.annealing != nil || configuration.pull > 0 || configuration.lowRank != nil
    let micro = max(1, rows / configuration.microBatches)
    let blocks = 4 + (frozen ? 1 : 0) + BatchGradient.halves(pieces: configuration.microBatches) + (configuration.average == nil ? 0 : 1)
    var floats = parameters * blocks + Workspace.floats(model, rows: micro, sequence: sequence, training: true, recompute: recompute)
    if evaluates { floats += Workspace.floats(model, rows: max(1, 4_096 / sequence), sequence: sequence, training: false) }
    if configuration.annealing != nil { floats += Workspace.floats(model, rows: micro, sequence: sequence, training: false) }
    floats += sequence * (model.headWidth / 2) * 2
    memoryBytes = floats * 4 + Self.overhead(threads: threads, vocabulary: model.vocabulary)
    let checkpoints =
      configuration.checkpointAt.count + (configuration.checkpointEvery > 0 ? configuration.keep : 0)
      + (configuration.keepEvery == nil ? 0 : steps / max(1, configuration.keepEvery ?? 1))
    let averaged = configuration.average == nil ? 0 : 1
    diskBytes = parameters * 4 * (1 + averaged + (3 + averaged) * checkpoints)
  }
}
