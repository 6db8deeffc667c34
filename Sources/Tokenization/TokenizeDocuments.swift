import Documents
import Pipeline
import Tokens

/// Turns documents into token documents, without an end-of-document token; the account's `extra` counts `tokens`.
package struct TokenizeDocuments: RecordStage {
  package let name: String? = "tokenize"
  package let workers: WorkerPool<TokenizeWorker>

  /// - Parameters:
  ///   - allowsSpecials: whether special tokens in a text become their ids.
  ///   - addsTemplate: whether to add the tokenizer's template to each text that is not empty.
  package init(_ tokenizer: Tokenizer, allowsSpecials: Bool = false, addsTemplate: Bool = false) {
    workers = WorkerPool {
      TokenizeWorker(tokenizer: tokenizer, allowsSpecials: allowsSpecials, template: addsTemplate ? tokenizer.template : Template())
    }
  }
}

package struct TokenizeWorker: RecordWorker {
  fileprivate let tokenizer: Tokenizer
  fileprivate let allowsSpecials: Bool
  fileprivate let template: Template
  private var context = EncodeContext()
  private var ids: [UInt32] = []
  private var tokens = 0

  fileprivate init(tokenizer: Tokenizer, allowsSpecials: Bool, template: Template) {
    self.tokenizer = tokenizer
    self.allowsSpecials = allowsSpecials
    self.template = template
  }

  package mutating func decide(_ document: Document) -> Decision<TokenDocument> {
    ids.removeAll(keepingCapacity: ids.capacity < 1 << 22)
    if !document.text.isEmpty { ids += template.prefix }
    tokenizer.encode(document.text, into: &ids, context: &context, allowsSpecials: allowsSpecials)
    if !document.text.isEmpty { ids += template.suffix }
    tokens += ids.count
    return .keep(
      TokenDocument(
        id: document.id, source: document.source, origin: document.origin, members: document.members, bytes: document.text.count,
        tokens: Array(ids)))
  }

  package mutating func takeCounts() -> [String: Double] {
    defer { tokens = 0 }
    return ["tokens": Double(tokens)]
  }
}
