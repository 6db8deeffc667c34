import Primitives
import Storage

/// A tokenizer.json, alone or in a folder, of any model type: also those that `Tokenizer` does not support.
package struct StoredTokenizer: Artifact {
  package static let format = Tokenizer.format
  package static let form = ArtifactForm.fileOrFolder
  package static let fileName = "tokenizer.json"
  package static let fileKinds = [
    fileName: "tokenizer", "tokenizer_config.json": "tokenizer configuration", "special_tokens_map.json": "special tokens",
  ]

  /// The tokenizer.json.
  package let path: String
  private let root: JSONNode
  private let vocabulary: JSONNode

  package static func matches(_ candidate: ArtifactCandidate) -> Bool {
    candidate.contains(fileName) || candidate.name == fileName || candidate.json?["model"]?["vocab"] != nil
  }

  package static func open(_ path: String) throws -> StoredTokenizer {
    let file = Files.isFolder(path) ? path + "/" + fileName : path
    let root = try JSONDocument(Files.readWhole(file), place: file).root
    guard let vocabulary = root["model"]?["vocab"] else {
      throw WeirError(file, "has no model.vocab", remedy: "give the tokenizer.json of a tokenizer")
    }
    return StoredTokenizer(path: file, root: root, vocabulary: vocabulary)
  }

  package static func verify(_ path: String, _ context: any VerificationContext) throws {
    // In a folder with a manifest the file is checked by itself.
    guard !Files.isFolder(path) else { return }
    let tokenizer = try open(path)
    guard tokenizer.vocabulary.isObject else { throw WeirError(path, "model.vocab is not an object") }
    let type = tokenizer.root["model"]?["type"]?.string ?? "BPE"
    guard type != "BPE" || tokenizer.root["model"]?["merges"]?.isArray == true else { throw WeirError(path, "has no model.merges") }
  }

  package static func describe(_ path: String, lines: Int) throws -> [String]? {
    let manifest = Files.exists(path + "/" + Manifest.fileName) ? try Manifest.read(folder: path).facts + [""] : []
    return [kind] + manifest + (try open(path).table(lines))
  }

  private func table(_ lines: Int) -> [String] {
    func text(_ node: JSONNode?, _ limit: Int) -> String { node?.summary(limit) ?? "none" }
    let model = root["model"]
    var facts = TextTable()
    facts.add("type", model?["type"]?.summary(40) ?? "?")
    facts.add("vocabulary", "\(Format.count(vocabulary.count)) tokens, \(Format.count(model?["merges"]?.count ?? 0)) merges")
    let added = (root["added_tokens"]?.array ?? []).prefix(lines).map { "\(text($0["content"], 40)) \(text($0["id"], 12))" }
    facts.add("added", added.isEmpty ? "none" : added.joined(separator: ", ") + (root["added_tokens"]?.count ?? 0 > lines ? ", …" : ""))
    facts.add("pre-tokenizer", text(root["pre_tokenizer"], 160))
    var table = TextTable(["merge", "left", "right"], right: [0])
    for (rank, merge) in (model?["merges"]?.array ?? []).prefix(lines).enumerated() {
      table.add(["\(rank)"] + (merge.array?.map { $0.summary(30) } ?? [merge.summary(60)]))
    }
    return facts.lines + [""] + table.lines
  }
}
