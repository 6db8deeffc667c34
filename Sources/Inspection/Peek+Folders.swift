import Artifacts
import Documents
import Foundation
import Primitives
import Storage
import Tokens
import Training

extension Peek {
  /// A token dataset.
  static func dataset(_ path: String, _ lines: Int) throws -> [String] {
    let dataset = try TokenDataset(path)
    let n = Format.count
    var facts = TextTable()
    let count = dataset.documentCount, tokens = dataset.tokenCount
    facts.add("documents", n(count))
    facts.add("tokens", "\(n(tokens)) (\(Format.significant(Double(tokens) / Double(max(1, count)))) a document, end tokens included)")
    facts.add("text", "\(n(dataset.byteCount)) bytes (\(Format.significant(Double(dataset.byteCount) / Double(max(1, tokens)))) a token)")
    facts.add("windows", n(dataset.windowCount))
    facts.add("vocabulary", "\(n(dataset.vocabulary)), end of document \(dataset.endOfDocument)")
    facts.add("tokenizer", dataset.tokenizer + (Files.exists(path + "/tokenizer/tokenizer.json") ? ", in tokenizer/" : ""))
    facts.add("fingerprint", dataset.fingerprint)
    facts.add("written by", Format.clip(dataset.manifest.tool, 60))
    var shards = TextTable(["shard", "documents", "tokens", "bytes a token"], right: [1, 2, 3])
    let bins = dataset.manifest.files.filter { $0.name.hasSuffix(".bin") }
    for file in bins.prefix(lines) {
      let base = path + "/" + file.name.dropLast(4)
      let index = try MegatronIndex(try MappedFile(base + ".idx"), dataBytes: try Files.size(base + ".bin"))
      shards.add(
        String(file.name.dropLast(4)), n(index.lengths.count), n(index.lengths.reduce(0) { $0 + Int($1) }), "\(index.tokenBytes)")
    }
    var documents = TextTable(["document", "tokens", "bytes", "id", "origin", "first tokens"], right: [0, 1, 2])
    try dataset.forEachInfo { document, info in
      guard document < lines else { return false }
      let length = dataset.length(document)
      let first = try dataset.tokens(document: document, range: 0..<min(8, length)).map(String.init).joined(separator: " ")
      documents.add(
        "\(document)", n(length), n(info.bytes), Format.clip(info.id, 40), Format.clip(info.origin, 48),
        first + (length > 8 ? " …" : ""))
      return true
    }
    return ["\(path): token dataset"] + facts.lines + [""] + shards.lines + more(bins.count - lines, "shards") + [""] + documents.lines
      + more(count - lines, "documents") + (try within(path))
  }

  /// The vectors and clusters in a dataset.
  private static func within(_ path: String) throws -> [String] {
    var lines: [String] = []
    for part in ["vectors", "clusters"] where Files.isFolder(path + "/" + part) {
      let names = try Files.entries(of: path + "/" + part).filter { Files.exists(path + "/" + part + "/" + $0 + "/" + Manifest.fileName) }
      if !names.isEmpty { lines.append("\(part): \(names.joined(separator: ", "))") }
    }
    return lines.isEmpty ? [] : [""] + lines
  }

  /// A cluster tree.
  static func tree(_ path: String, _ lines: Int) throws -> [String] {
    let stored = try StoredTree(path)
    let tree = stored.tree
    var table = TextTable(["level", "nodes", "leaves", "children"], right: [0, 1, 2, 3])
    for level in 0...tree.depth {
      let nodes = tree.nodes.filter { $0.level == level }
      let counts = nodes.map(\.childCount).filter { $0 > 0 }
      let children = counts.isEmpty ? "" : counts.min() == counts.max() ? "\(counts[0])" : "\(counts.min() ?? 0)–\(counts.max() ?? 0)"
      table.add("\(level)", Format.count(nodes.count), Format.count(nodes.count - counts.count), children)
      if level + 1 == lines { break }
    }
    let kind = tree.spherical ? "compared by direction" : "compared by distance"
    return ["\(path): cluster tree", "\(tree.dimensions) dimensions, \(kind)"] + about(stored.manifest) + [""] + table.lines
  }

  /// The leaves of a dataset's windows.
  static func assignment(_ path: String, _ lines: Int) throws -> [String] {
    let assignment = try ClusterAssignment(folder: path)
    var counts = [Int](repeating: 0, count: assignment.leafCount)
    for leaf in assignment.leaves { counts[Int(leaf)] += 1 }
    let order = counts.indices.sorted { (-counts[$0], $0) < (-counts[$1], $1) }
    var table = TextTable(["leaf", "windows", "share"], right: [0, 1, 2])
    for leaf in order.prefix(lines) {
      table.add("\(leaf)", Format.count(counts[leaf]), Format.significant(Double(counts[leaf]) / Double(max(1, assignment.leaves.count))))
    }
    let empty = counts.reduce(0) { $0 + ($1 == 0 ? 1 : 0) }
    return ["\(path): cluster assignment"] + about(try Manifest.read(folder: path)) + ["", "\(empty) leaves are empty; the largest:"]
      + table.lines
      + more(counts.count - lines, "leaves")
  }

  /// The vectors of a dataset's windows.
  static func vectors(_ path: String, _ lines: Int) throws -> [String] {
    let vectors = try WindowVectors(path)
    var table = TextTable(["window", "length", "first values"], right: [0, 1])
    let d = vectors.dimensions
    for window in 0..<min(lines, vectors.count) {
      let values = try vectors.vectors(window..<window + 1)
      let length = values.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
      let first = values.prefix(6).map { Format.significant(Double($0)) }.joined(separator: " ")
      table.add("\(window)", Format.significant(length), first + (d > 6 ? " …" : ""))
    }
    return ["\(path): window vectors"] + about(vectors.manifest) + [""] + table.lines + more(vectors.count - lines, "windows")
  }

  /// Any other folder with a manifest: models, checkpoints, tokenizers and what is not known more closely.
  static func other(_ path: String, _ manifest: Manifest, _ lines: Int) throws -> [String] {
    let head = ["\(path): \(FileKind.words(manifest.format))"] + about(manifest)
    if Files.exists(path + "/config.json") { return head + [""] + (try model(path, lines)) }
    if Files.exists(path + "/tokenizer.json") { return head + [""] + (try tokenizer(path + "/tokenizer.json", lines)) }
    var table = TextTable(["file", "bytes", "xxh3"], right: [1])
    for file in manifest.files.prefix(lines) { table.add(Format.clip(file.name, 60), Format.count(file.bytes), file.xxh3) }
    return head + [""] + table.lines + more(manifest.files.count - lines, "files")
  }

  /// A model's shape and tensors.
  static func model(_ path: String, _ lines: Int) throws -> [String] {
    let config = try JSONDocument(Files.read(path + "/config.json"), place: path + "/config.json").root
    func value(_ name: String) -> String { config[name].map { text($0, 40) } ?? "?" }
    let shape =
      "\(value("model_type")): vocabulary \(value("vocab_size")), width \(value("hidden_size")), \(value("num_hidden_layers")) layers, "
      + "\(value("num_attention_heads")) heads (\(value("num_key_value_heads")) key–value), feed-forward \(value("intermediate_size")), "
      + "\(value("max_position_embeddings")) positions, embeddings \(config["tie_word_embeddings"]?.bool == true ? "tied" : "apart")"
    let files = try Files.entries(of: path).filter { $0.hasSuffix(".safetensors") }
    var result = [shape]
    for file in files { result += ["", file] + (try tensors(path + "/" + file, lines)) }
    return result
  }

  /// A training run.
  static func run(_ run: RunFolder, _ lines: Int) throws -> [String] {
    let root = try JSONDocument(Files.read(run.description), place: run.description).root
    var table = TextTable()
    for name in ["model", "configuration", "initial", "data", "batch", "validation"] {
      if let node = root[name] { table.add(name, text(node, 200)) }
    }
    func name(_ path: String) -> String { String(path.dropFirst(run.path.count + 1)) }
    var result = ["\(run.path): run"] + table.lines
    for (path, what) in [(run.log, "last steps"), (run.evaluations, "last evaluations")] where Files.exists(path) {
      var tail: [[UInt8]] = []
      let reader = try LineReader(path)
      while let line = try reader.next() {
        tail.append(line)
        if tail.count > 2 * lines { tail.removeFirst(lines) }
      }
      guard !tail.isEmpty else { continue }
      result +=
        ["", "\(what) (\(Format.count(reader.lines)) in \(name(path)))"] + tail.suffix(max(1, lines / 3)).map { Format.clip($0, 240) }
    }
    let checkpoints = try run.allCheckpoints().suffix(lines).map { $0.path.dropFirst(run.checkpoints.count + 1) }
    result += ["", "checkpoints: \(checkpoints.isEmpty ? "none" : checkpoints.joined(separator: ", "))"]
    let isFinished = Files.exists(run.model + "/" + Manifest.fileName)
    result.append(isFinished ? "finished: \(name(run.model))/ is there" : "not finished: there is no \(name(run.model))/ yet")
    return result
  }
}
