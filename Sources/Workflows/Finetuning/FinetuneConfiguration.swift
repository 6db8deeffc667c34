import Pipeline
import Primitives
import Storage
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

  /// Throws `WeirError` if settings are out of range or do not combine. Reads nothing.
  package func validate() throws {
    try strategy.validate()
    try retention.validate(heldOut: settings.heldOut)
    try replay.validate()
    try examples.validate()
    guard epochs > 0 else { throw WeirError("epochs", "must be at least 1, not \(epochs)") }
    guard strategy.teacherTopK == nil || !replay.isUsed else {
      throw WeirError("annealing.cached", "the stored probabilities are those of the data, so replay cannot be combined with them")
    }
  }

  /// Throws `WeirError` if what the run is evaluated on is among what it is trained on, or estimates the Fisher information from. Held-out
  /// documents of the target that are trained on are only noted: some check that a model can learn them.
  func checkHeldOut(_ progress: Progress) throws {
    let evaluated = settings.heldOut + retention.sources
    let known = Dictionary(
      try evaluated.filter { !Files.isFolder($0) }.map { (try Checksum.hex(file: $0), $0) }, uniquingKeysWith: { first, _ in first })
    guard !known.isEmpty else { return }
    func same(_ file: String) throws -> String? { Files.isFolder(file) ? nil : known[try Checksum.hex(file: file)] }
    for file in (strategy.uses(.ewc) ? strategy.fisherData : []) + replay.data {
      guard let evaluated = try same(file) else { continue }
      throw WeirError(
        file, "has the content of \(evaluated), which the run is evaluated on", remedy: "use other documents of the original domain")
    }
    for file in data {
      if let evaluated = try same(file) { progress.note("warning: \(evaluated) has the content of \(file), which the run is trained on") }
    }
  }

  /// The training configuration of a number of steps.
  func training(steps: Int, fisher: FisherData? = nil) throws -> TrainingConfiguration {
    var configuration = settings.training
    (configuration.tokens, configuration.steps) = (nil, steps)
    try strategy.apply(to: &configuration, fisher: fisher)
    return configuration
  }
}
