import Documents
import Pipeline
import Storage
import Tokens

/// Token documents → documents, the inverse of `TokenizeDocuments`. A document with an id outside the vocabulary, or whose bytes
/// are not UTF-8, is quarantined: it was made by another tokenizer.
package struct DetokenizeDocuments: Stage {
  private let tokenizer: Tokenizer
  private let template: Template

  /// Creates the stage.
  /// - Parameters:
  ///   - tokenizer: what decodes.
  ///   - removesTemplate: whether the tokenizer's template is taken away where it stands round a text.
  package init(_ tokenizer: Tokenizer, removesTemplate: Bool = false) {
    self.tokenizer = tokenizer
    template = removesTemplate ? tokenizer.template : Template()
  }

  /// One account, `detokenize`.
  package var names: [String] { ["detokenize"] }

  /// Puts a batch back into text; an end-of-document token at the end of a document is no text.
  package func apply(_ batch: [TokenDocument], ledger: inout Ledger, offset: Int) throws -> [Document] {
    var output: [Document] = []
    for document in batch {
      ledger.accounts[offset].input += 1
      ledger.accounts[offset].bytesIn += 4 * document.tokens.count
      ledger.accounts[offset].extra["tokens", default: 0] += Double(document.tokens.count)
      if tokenizer.firstInvalid(in: document.tokens) != nil {
        try quarantine(document, "token outside the vocabulary", &ledger, offset)
        continue
      }
      var tokens = document.tokens[...]
      if let last = tokens.last, last == tokenizer.endOfDocument { tokens.removeLast() }
      let text = tokenizer.decode(template.stripped(tokens))
      guard String(validating: text, as: UTF8.self) != nil else {
        try quarantine(document, "tokens are not UTF-8", &ledger, offset)
        continue
      }
      ledger.accounts[offset].output += 1
      ledger.accounts[offset].bytesOut += text.count
      output.append(
        Document(id: document.id, text: text, source: document.source, members: document.members, origin: document.origin))
    }
    return output
  }

  private struct Line: Encodable {
    var id: String
    var tokens: [UInt32]
  }

  private func quarantine(_ document: TokenDocument, _ reason: String, _ ledger: inout Ledger, _ offset: Int) throws {
    ledger.accounts[offset].quarantine(reason, at: document.origin)
    guard ledger.keepsRejects else { return }
    let record = try JSONFile.encode(Line(id: document.id, tokens: document.tokens))
    ledger.rejects.append(Reject(origin: document.origin, stage: "detokenize", reason: reason, record: record))
  }
}
