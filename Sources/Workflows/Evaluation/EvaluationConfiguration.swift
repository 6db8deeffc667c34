import Primitives
import Training

/// Evaluation of a model on held-out documents, multiple-choice questions and generation tasks.
package struct EvaluationConfiguration: Codable, Sendable {
  /// A model folder or a run.
  package var model: String
  /// Files of held-out documents, of prompts with completions, or of chats.
  package var data: [String] = []
  /// A cluster tree, to report the loss by cluster too.
  package var tree: String?
  /// The level of the tree whose nodes are the clusters.
  package var level = 1
  /// A safetensors file for the tokens and logits of every document; nil writes none.
  package var logits: String?
  /// Positions of the context; nil for the model's.
  package var sequence: Int?
  /// Whether to add the special tokens around each text that transformers adds.
  package var addsSpecial = true
  /// Whether special tokens in texts become their ids.
  package var allowsSpecials = false
  /// How lines of the data become examples.
  package var examples = ExampleSettings()
  /// Files of multiple-choice questions.
  package var choices: [String] = []
  /// A JSON Lines file for the scores of every question; nil writes none.
  package var choiceScores: String?
  /// Files of generation tasks.
  package var tasks: [String] = []
  /// Whether answers of tasks are compared without case.
  package var ignoresCase = false
  /// A JSON Lines file for the output of every item of the tasks; nil writes none.
  package var taskDetails: String?

  package init(model: String) { self.model = model }

  package func validate() throws {
    guard !data.isEmpty || !choices.isEmpty || !tasks.isEmpty else {
      throw WeirError("data", "is missing", remedy: "give held-out documents, multiple-choice questions or tasks")
    }
    guard level >= 1 else { throw WeirError("level", "must be at least 1, not \(level)") }
    guard !data.isEmpty || tree == nil else { throw WeirError("tree", "needs held-out documents") }
    guard !data.isEmpty || logits == nil else { throw WeirError("logits", "need held-out documents") }
    guard !choices.isEmpty || choiceScores == nil else { throw WeirError("choiceScores", "need multiple-choice questions") }
    guard !tasks.isEmpty || taskDetails == nil else { throw WeirError("taskDetails", "need tasks") }
    guard !tasks.isEmpty || !ignoresCase else { throw WeirError("ignoresCase", "needs tasks") }
  }
}

package struct EvaluationReport: Encodable, Sendable, Equatable {
  /// On the held-out documents, if there are any.
  package var documents: Evaluation?
  /// One entry per file of multiple-choice questions.
  package var choices: [ChoiceEvaluation]?
  /// One entry per file of tasks.
  package var tasks: [TaskEvaluation]?
  /// Positions of the context.
  package var sequence: Int
  /// Documents that cannot be scored: without text, or with a single token.
  package var skipped: Int?
  /// Documents that exceed the context and are scored in several chunks.
  package var divided: Int?

  private enum CodingKeys: String, CodingKey {
    case choices, tasks, sequence
    case skipped = "skipped_documents"
    case divided = "divided_documents"
  }

  init(sequence: Int) { self.sequence = sequence }

  package func encode(to encoder: any Encoder) throws {
    try documents?.encode(to: encoder)
    var members = encoder.container(keyedBy: CodingKeys.self)
    try members.encodeIfPresent(choices, forKey: .choices)
    try members.encodeIfPresent(tasks, forKey: .tasks)
    try members.encode(sequence, forKey: .sequence)
    try members.encodeIfPresent(skipped, forKey: .skipped)
    try members.encodeIfPresent(divided, forKey: .divided)
  }
}
