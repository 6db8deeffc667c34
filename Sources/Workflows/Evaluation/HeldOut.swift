import Pipeline
import Primitives
import Storage
import Tokenization
import Tokens
import Training

extension ValidationSet {
  /// Reads and encodes files of held-out documents, one set per file with distinct names.
  /// - Parameter progress: receives a warning about special tokens that are encoded as plain text.
  package static func read(_ files: [String], encoder: DocumentEncoder, progress: Progress = .silent) throws -> [ValidationSet] {
    try zip(files, distinctNames(files)).map { try ValidationSet(file: $0, name: $1, encoder: encoder, progress: progress) }
  }

  /// Reads and encodes held-out documents, or takes the tokens of a token dataset of them. Documents without text, or with a single token, cannot be
  /// scored.
  package init(file path: String, name: String = "", encoder: DocumentEncoder, progress: Progress = .silent) throws {
    if Files.exists(path + "/" + Manifest.fileName) {
      try self.init(dataset: TokenDataset(path), name: name, encoder: encoder)
      return
    }
    var encoder = encoder, specials = PlainSpecials()
    let all = try encoder.encode(files: [path])
    for document in all { specials.add(document.plainSpecials) }
    specials.note(path, progress)
    let documents = all.filter { $0.tokens.count > 1 && !$0.document.text.isEmpty }
    guard !documents.isEmpty else { throw WeirError(path, "no document has two tokens, the fewest to evaluate on") }
    self.init(
      name: name,
      documents: documents.map { EvaluationDocument(tokens: $0.ids, bytes: $0.document.text.count, domain: $0.document.label) },
      skipped: all.count - documents.count)
  }

  private init(dataset: TokenDataset, name: String, encoder: DocumentEncoder) throws {
    let own = dataset.manifest.inputs["tokenizer"] ?? ""
    guard own == encoder.tokenizer.fingerprint else {
      throw WeirError(
        dataset.path, "was tokenized by tokenizer \(own), not by the model's (\(encoder.tokenizer.fingerprint))",
        remedy: "tokenize it with the model's, or give the documents")
    }
    let scored = (0..<dataset.documentCount).filter { dataset.length($0) > 2 }
    guard !scored.isEmpty else { throw WeirError(dataset.path, "no document has two tokens, the fewest to evaluate on") }
    self.init(
      name: name,
      documents: try scored.map { number in
        let info = try dataset.info(number)
        return EvaluationDocument(
          tokens: try dataset.tokens(document: number, range: 0..<dataset.length(number)), bytes: info.bytes, domain: info.source)
      },
      skipped: dataset.documentCount - scored.count)
  }

  /// The names of files without the extensions of their formats: `wiki.en` for `data/wiki.en.jsonl.zst`. Where that is the name of several
  /// files, as many of their folders as it takes are prepended.
  /// - Throws: `WeirError` where no folders distinguish two files.
  package static func distinctNames(_ files: [String]) throws -> [String] {
    let parts = files.map { path in
      var parts = path.split(separator: "/").map(String.init)
      for extensions in [[".gz", ".zst"], [".jsonl", ".ndjson", ".json", ".parquet", ".txt", ".md"]] {
        guard let last = parts.last, let known = extensions.first(where: { last.lowercased().hasSuffix($0) && last.count > $0.count })
        else { continue }
        parts[parts.count - 1] = String(last.dropLast(known.count))
      }
      return parts
    }
    return try parts.indices.map { index in
      let others = parts.indices.filter { $0 != index }
      for count in 1...max(1, parts[index].count) {
        let name = parts[index].suffix(count)
        if !others.contains(where: { parts[$0].suffix(count) == name }) { return name.joined(separator: "/") }
      }
      throw WeirError(files[index], "has the same name as another held-out file", remedy: "give each file once, or rename one")
    }
  }
}
