import Documents
import Pipeline
import Synchronization
import Tokens

/// Documents → token documents: the text's tokens, without an end-of-document token; `extra["tokens"]` counts them.
package final class TokenizeDocuments: Stage {
  private let tokenizer: Tokenizer
  private let allowsSpecials: Bool
  private let template: Template
  /// Contexts that no batch uses at the moment. What a context remembers changes the speed, never the tokens.
  private let idle = Mutex<[EncodeContext]>([])

  /// Creates the stage.
  /// - Parameters:
  ///   - tokenizer: what encodes.
  ///   - allowsSpecials: whether special tokens that stand in a text become their ids.
  ///   - addsTemplate: whether the tokenizer's template stands round each text that has a token.
  package init(_ tokenizer: Tokenizer, allowsSpecials: Bool = false, addsTemplate: Bool = false) {
    self.tokenizer = tokenizer
    self.allowsSpecials = allowsSpecials
    template = addsTemplate ? tokenizer.template : Template()
  }

  /// One account, `tokenize`.
  package var names: [String] { ["tokenize"] }

  /// Tokenizes a batch.
  package func apply(_ batch: [Document], ledger: inout Ledger, offset: Int) throws -> [TokenDocument] {
    var context = idle.withLock { $0.popLast() } ?? EncodeContext()
    defer { idle.withLock { $0.append(context) } }
    var output: [TokenDocument] = []
    output.reserveCapacity(batch.count)
    var bytes = 0
    var tokens = 0
    var ids: [UInt32] = []
    for document in batch {
      ids.removeAll(keepingCapacity: true)
      if !document.text.isEmpty { ids += template.prefix }
      tokenizer.encode(document.text, into: &ids, context: &context, allowsSpecials: allowsSpecials)
      if !document.text.isEmpty { ids += template.suffix }
      bytes += document.text.count
      tokens += ids.count
      output.append(
        TokenDocument(
          id: document.id, source: document.source, origin: document.origin, members: document.members, bytes: document.text.count,
          tokens: Array(ids)))
    }
    ledger.accounts[offset].input += batch.count
    ledger.accounts[offset].output += batch.count
    ledger.accounts[offset].bytesIn += bytes
    ledger.accounts[offset].bytesOut += 4 * tokens
    ledger.accounts[offset].extra["tokens", default: 0] += Double(tokens)
    return output
  }
}
