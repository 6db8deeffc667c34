import Documents
import Tokens

/// A document with its tokens.
package struct EncodedDocument: Sendable {
  package var document: Document
  /// The tokens of the text with its template, then the end-of-document token.
  package var tokens: [UInt32]
  /// Special tokens in the text that were encoded as plain text.
  package var plainSpecials = 0

  /// The tokens as models take them.
  package var ids: [Int32] { tokens.map { Int32(bitPattern: $0) } }

  package var windows: [[Int32]] { Window.split(tokens) }
}

/// Encodes documents as a token dataset stores them: the tokens of the text, then the end-of-document token if the tokenizer has one.
package struct DocumentEncoder: Sendable {
  package let tokenizer: Tokenizer
  /// The tokens around each text that is not empty.
  package let template: Template
  /// Whether special tokens in a text, such as chat markers, become their ids instead of plain text.
  package let allowsSpecials: Bool
  private var context = EncodeContext()

  package init(_ tokenizer: Tokenizer, template: Template = Template(), allowsSpecials: Bool = false) {
    self.tokenizer = tokenizer
    self.template = template
    self.allowsSpecials = allowsSpecials
  }

  /// The special tokens in a text that are encoded as plain text.
  package func plainSpecials(in text: [UInt8]) -> Int { allowsSpecials ? 0 : tokenizer.specialTokens(in: text).count }

  /// The tokens of a text with its template.
  package mutating func encode(text: [UInt8]) -> [UInt32] {
    var tokens = template.prefix
    tokenizer.encode(text, into: &tokens, context: &context, allowsSpecials: allowsSpecials)
    return tokens + template.suffix
  }

  package mutating func encode(_ document: Document) -> EncodedDocument {
    var tokens = document.text.isEmpty ? [] : encode(text: document.text)
    if let end = tokenizer.endOfDocument, tokens.isEmpty || template.suffix.last != end { tokens.append(end) }
    return EncodedDocument(document: document, tokens: tokens, plainSpecials: plainSpecials(in: document.text))
  }

  /// Reads and encodes all documents of files, folders or standard input, into memory.
  package mutating func encode(files paths: [String]) throws -> [EncodedDocument] {
    try DocumentFile.readAll(paths).map { encode($0) }
  }
}

extension Tokenizer {
  /// The text of a window or document, without end-of-document tokens.
  package func text(of tokens: [Int32]) -> [UInt8] {
    decode(tokens.map { UInt32(bitPattern: $0) }.filter { $0 != endOfDocument })
  }
}
