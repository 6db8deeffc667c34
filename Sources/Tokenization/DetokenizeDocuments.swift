import Documents
import Pipeline
import Tokens

/// Turns token documents back into documents. A document with an id outside the vocabulary, or whose bytes are not UTF-8, is quarantined:
/// another tokenizer made it.
package struct DetokenizeDocuments: RecordStage {
  package let name: String? = "detokenize"
  package let workers: WorkerPool<DetokenizeWorker>

  /// - Parameter removesTemplate: whether to remove the tokenizer's template where a text has it.
  package init(_ tokenizer: Tokenizer, removesTemplate: Bool = false) {
    workers = WorkerPool { DetokenizeWorker(tokenizer: tokenizer, template: removesTemplate ? tokenizer.template : Template()) }
  }
}

package struct DetokenizeWorker: RecordWorker {
  fileprivate let tokenizer: Tokenizer
  fileprivate let template: Template
  private var tokens = 0

  fileprivate init(tokenizer: Tokenizer, template: Template) {
    self.tokenizer = tokenizer
    self.template = template
  }

  package mutating func decide(_ document: TokenDocument) -> Decision<Document> {
    tokens += document.tokens.count
    if tokenizer.firstInvalid(in: document.tokens) != nil { return .quarantine("token outside the vocabulary") }
    let text = tokenizer.decode(template.stripped(document.tokens[...]))
    guard String(validating: text, as: UTF8.self) != nil else { return .quarantine("tokens are not UTF-8") }
    return .keep(
      Document(id: document.id, text: text, source: document.source, members: document.members, origin: document.origin))
  }

  package mutating func takeCounts() -> [String: Double] {
    defer { tokens = 0 }
    return ["tokens": Double(tokens)]
  }
}
