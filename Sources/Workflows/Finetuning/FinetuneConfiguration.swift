import Training

/// Finetuning of a model on documents or on examples with a prompt.
package struct FinetuneConfiguration: Codable, Sendable {
  /// A model folder or a run.
  package var model: String
  /// Files of documents, of prompts with completions, or of chats.
  package var data: [String]
  /// The run folder.
  package var output: String
  package var strategy = MethodSettings()
  /// Whether to add the special tokens around each text that transformers adds.
  package var addsSpecial = true
  /// Whether special tokens in the documents become their ids.
  package var allowsSpecials = false
  /// Passes over the documents.
  package var epochs = 5
  /// How lines become examples.
  package var examples = ExampleSettings()
  package var retention = Retention()
  package var settings = TrainingSettings()
  package var replay = Replay()

  package init(model: String, data: [String], output: String) { (self.model, self.data, self.output) = (model, data, output) }

  /// The training configuration of a number of steps.
  func training(steps: Int, fisher: FisherData? = nil) throws -> TrainingConfiguration {
    var configuration = settings.training
    (configuration.tokens, configuration.steps) = (nil, steps)
    try strategy.apply(to: &configuration, fisher: fisher)
    return configuration
  }
}
