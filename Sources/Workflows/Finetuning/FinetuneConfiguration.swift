import Training

/// Finetuning of a model on documents.
package struct FinetuneConfiguration: Codable, Sendable {
  package enum Method: String, Codable, Sendable, CaseIterable {
    /// Minimizes the cross-entropy on the documents.
    case direct
    /// Label annealing: adds the divergence from the initial model.
    case anneal
  }

  /// A model folder or a run.
  package var model: String
  /// Files of documents.
  package var data: [String]
  /// The run folder.
  package var output: String
  package var method = Method.anneal
  /// Weight of the divergence from the initial model.
  package var lambda = 1.0
  /// Temperature of both distributions in the divergence.
  package var temperature = 1.0
  /// Passes over the documents.
  package var epochs = 5
  /// The number of steps and the random seed are replaced.
  package var training = TrainingConfiguration()
  /// Rows per batch.
  package var rows = 16
  /// Tokens per row.
  package var sequence = 256
  /// Seeds the order of the documents.
  package var randomSeed: UInt64 = 1
  /// Files of held-out documents.
  package var heldOut: [String] = []

  package init(model: String, data: [String], output: String) {
    self.model = model
    self.data = data
    self.output = output
  }

  /// The training configuration of a number of steps.
  func training(steps: Int) -> TrainingConfiguration {
    var configuration = training
    configuration.tokens = nil
    configuration.steps = steps
    configuration.randomSeed = randomSeed
    if method == .anneal { configuration.annealing = Annealing(lambda: lambda, temperature: temperature) }
    return configuration
  }
}
