import ChatTemplates
import Primitives

/// How lines of a file become training examples.
package struct ExampleSettings: Codable, Sendable, Equatable {
  /// What a line contains.
  package enum Format: String, Codable, Sendable, CaseIterable {
    /// Decided by the first line of each file.
    case auto
    /// `text`.
    case documents
    /// `prompt` and `completion`: strings, or lists of messages.
    case promptCompletion = "prompt-completion"
    /// `messages`, or `conversations` as ShareGPT writes them.
    case messages
  }

  /// The tokens that the loss covers in examples other than documents.
  package enum Trained: String, Codable, Sendable, CaseIterable {
    /// Completions, and in chats all turns of the assistant.
    case completion
    /// Completions, and in chats the last turn of the assistant.
    case lastTurn = "last-turn"
    case all
  }

  /// What becomes of examples with a prompt that are longer than the sequence.
  package enum Overlong: String, Codable, Sendable, CaseIterable {
    /// The beginning of the prompt is removed.
    case truncate
    case drop
  }

  package var format = Format.auto
  package var trained = Trained.completion
  package var overlong = Overlong.truncate
  /// A published template, one of the tokenizer's by its name, or a file; nil for the tokenizer's default.
  package var chatTemplate: String?
  /// The day that a template prints, such as `2024-07-26`; nil leaves it to the template.
  package var chatDate: String?
  /// Whether control tokens in the text of examples are encoded as plain text.
  package var sanitizesControlTokens = false

  package init() {}

  /// The names of the published templates.
  package static var publishedTemplates: String { ChatTemplate.publishedNames.joined(separator: ", ") }

  package func validate() throws {
    if let chatDate, TemplateDate(chatDate) == nil {
      throw WeirError("chatDate", "is not a date: \(chatDate)", remedy: "write it like 2024-07-26")
    }
  }
}

/// What was read, for reports.
package struct ExampleCounts: Codable, Sendable, Equatable {
  /// Examples to train on, documents included.
  package var examples = 0
  /// Their tokens.
  package var tokens = 0
  /// Tokens that the loss covers.
  package var trained = 0
  /// Examples with a prompt that were truncated.
  package var truncated = 0
  /// Examples with a prompt that were dropped because they are longer than the sequence.
  package var dropped = 0
  /// Examples and documents without a token to train on, which were left out.
  package var untrained = 0
  /// Prompts whose tokens differ once the completion follows; the loss begins where they differ.
  package var merged = 0
  /// Control tokens in the text of prompts, completions and messages.
  package var controlTokens = 0
  /// Whether these were encoded as plain text.
  package var sanitized: Bool?
  /// Padding in all rows of all epochs, as a fraction of the positions.
  package var padding: Double?

  package init() {}

  enum CodingKeys: String, CodingKey {
    case examples, tokens, truncated, dropped, untrained, padding, sanitized
    case trained = "trained_tokens"
    case merged = "merged_prompts"
    case controlTokens = "control_tokens"
  }
}
