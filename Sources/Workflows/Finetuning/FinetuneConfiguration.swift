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
  /// Whether to add the special tokens around each text that transformers adds.
  package var addsSpecial = true
  /// Whether special tokens in the documents become their ids.
  package var allowsSpecials = false
  /// Passes over the documents.
  package var epochs = 5
  package var settings = TrainingSettings()
  package var replay = Replay()

  package init(model: String, data: [String], output: String) { (self.model, self.data, self.output) = (model, data, output) }

  /// The training configuration of a number of steps.
  func training(steps: Int) -> TrainingConfiguration {
    var configuration = settings.training
    (configuration.tokens, configuration.steps) = (nil, steps)
    if method == .anneal { configuration.annealing = Annealing(lambda: lambda, temperature: temperature) }
    return configuration
  }
}
