import Primitives
import Tokenization
import Training

extension ValidationSet {
  /// Reads and encodes held-out documents; the set is named after the file.
  package init(file path: String, tokenizer: Tokenizer) throws {
    var encoder = DocumentEncoder(tokenizer)
    let documents = try encoder.encode(files: [path]).filter { $0.tokens.count > 1 }
    guard !documents.isEmpty else { throw WeirError(path, "no document has two tokens, the fewest to evaluate on") }
    self.init(
      name: Self.name(path),
      documents: documents.map { EvaluationDocument(tokens: $0.ids, bytes: $0.document.text.count, domain: $0.document.label) })
  }

  /// The name of a file without its folder and extensions.
  static func name(_ path: String) -> String {
    let last = path.split(separator: "/").last.map(String.init) ?? path
    return last.split(separator: ".").first.map(String.init) ?? last
  }
}
