import Primitives
import Tokenization
import Training

extension ValidationSet {
  /// Reads and encodes held-out documents; the set is named after the file. Documents without text, or with a single token, cannot be
  /// scored.
  package init(file path: String, encoder: DocumentEncoder) throws {
    var encoder = encoder
    let all = try encoder.encode(files: [path])
    let documents = all.filter { $0.tokens.count > 1 && !$0.document.text.isEmpty }
    guard !documents.isEmpty else { throw WeirError(path, "no document has two tokens, the fewest to evaluate on") }
    self.init(
      name: Self.name(path),
      documents: documents.map { EvaluationDocument(tokens: $0.ids, bytes: $0.document.text.count, domain: $0.document.label) },
      skipped: all.count - documents.count)
  }

  /// The name of a file without its folder and extensions.
  static func name(_ path: String) -> String {
    let last = path.split(separator: "/").last.map(String.init) ?? path
    return last.split(separator: ".").first.map(String.init) ?? last
  }
}
