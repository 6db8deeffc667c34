import Artifacts
import Documents
import Export
import Foundation
import Primitives
import Storage
import Tokens

extension Peek {
  /// A safetensors file's table.
  static func tensors(_ path: String, _ lines: Int) throws -> [String] {
    let file = try SafetensorsFile(path)
    var table = TextTable(["tensor", "type", "shape", "least", "greatest", "mean"], right: [3, 4, 5])
    for name in file.names.prefix(lines) {
      let type = file.dtype(name)
      var cells = [
        Format.clip(name, 60), type?.rawValue ?? "?", "[" + (file.shape(name) ?? []).map(String.init).joined(separator: ", ") + "]",
      ]
      if let type, [.F64, .F32, .F16, .BF16].contains(type) { cells += try file.withFloats(name, statistics) }
      table.add(cells)
    }
    let metadata = file.metadata.sorted { $0.key < $1.key }.map { "\(Format.clip($0.key, 40)): \(Format.clip($0.value, 80))" }
    return metadata + table.lines + more(file.names.count - lines, "tensors")
  }

  /// Least, greatest and mean of the numbers, and how many are none.
  private static func statistics(_ values: UnsafeBufferPointer<Float>) -> [String] {
    var (least, greatest, sum, bad) = (Float.infinity, -Float.infinity, 0.0, 0)
    for value in values {
      guard value.isFinite else {
        bad += 1
        continue
      }
      least = min(least, value)
      greatest = max(greatest, value)
      sum += Double(value)
    }
    guard bad < values.count else { return ["", "", "", bad > 0 ? "no finite number" : ""] }
    let cells = [Double(least), Double(greatest), sum / Double(values.count - bad)].map(Format.significant)
    return bad > 0 ? cells + ["\(Format.count(bad)) not finite"] : cells
  }

  /// A Megatron index.
  static func index(_ path: String, _ lines: Int) throws -> [String] {
    let tokens = (path.hasSuffix(".idx") ? String(path.dropLast(4)) : path) + ".bin"
    guard Files.exists(tokens) else { throw WeirError(tokens, "is missing beside its index", remedy: "put the two files into one folder") }
    let index = try MegatronIndex(try MappedFile(path), dataBytes: try Files.size(tokens))
    let n = Format.count
    let sum = index.lengths.reduce(0) { $0 + Int($1) }
    let first = index.lengths.prefix(lines).map { n(Int($0)) }.joined(separator: " ")
    return [
      "\(path): Megatron index, \(index.tokenBytes == 2 ? "u16" : "i32") tokens", "\(n(index.lengths.count)) documents, \(n(sum)) tokens",
      "lengths: least \(n(Int(index.lengths.min() ?? 0))), greatest \(n(Int(index.lengths.max() ?? 0))), mean "
        + Format.significant(Double(sum) / Double(max(1, index.lengths.count))),
      "first lengths: \(first)",
    ]
  }

  /// The tokens of an index: the first ones of the first documents.
  static func tokens(_ path: String, index: String, _ lines: Int) throws -> [String] {
    let file = try MappedFile(path)
    let index = try MegatronIndex(try MappedFile(index), dataBytes: file.count)
    var table = TextTable(["document", "tokens", "first tokens"], right: [0, 1])
    var start = 0
    for (document, length) in index.lengths.prefix(lines).enumerated() {
      let ids = file.withBytes { bytes in
        (start..<start + min(12, Int(length))).map { position in
          index.tokenBytes == 2
            ? String(UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 2 * position, as: UInt16.self)))
            : String(Int32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * position, as: Int32.self)))
        }
      }
      table.add("\(document)", Format.count(Int(length)), ids.joined(separator: " ") + (length > 12 ? " …" : ""))
      start += Int(length)
    }
    let type = index.tokenBytes == 2 ? "u16" : "i32"
    return ["\(path): \(Format.count(file.count / index.tokenBytes)) \(type) tokens of a Megatron index"] + table.lines
      + more(index.lengths.count - lines, "documents")
  }

  /// llm.c's tokens.
  static func llmTokens(_ path: String, _ lines: Int) throws -> [String] {
    let file = try MappedFile(path)
    let shape = try LLMTokens.shape(file)
    return [
      "\(path): \(Format.count(shape.count)) u\(8 * shape.tokenBytes) tokens behind llm.c's header",
      first(file, at: LLMTokens.headerBytes, tokenBytes: shape.tokenBytes, count: min(8 * lines, shape.count)),
    ]
  }

  /// A numpy array.
  static func numpy(_ path: String, _ lines: Int) throws -> [String] {
    let file = try MappedFile(path)
    let shape = try NumPyArray.shape(file)
    let head = "\(path): numpy array of \(Format.count(shape.count)) numbers of \(shape.tokenBytes) bytes"
    guard [2, 4].contains(shape.tokenBytes) else { return [head] }
    return [head, first(file, at: shape.headerBytes, tokenBytes: shape.tokenBytes, count: min(8 * lines, shape.count))]
  }

  private static func first(_ file: MappedFile, at start: Int, tokenBytes: Int, count: Int) -> String {
    let ids = file.withBytes { bytes in
      (0..<count).map {
        tokenBytes == 2
          ? String(UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: start + 2 * $0, as: UInt16.self)))
          : String(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: start + 4 * $0, as: UInt32.self)))
      }
    }
    return "first tokens: " + ids.joined(separator: " ")
  }

  /// A shard of MosaicML's.
  static func mds(_ path: String, _ lines: Int) throws -> [String] {
    let shard = try MDSShard(try MappedFile(path))
    let columns = zip(shard.names, shard.encodings).map { "\($0) \($1)" }.joined(separator: ", ")
    var table = TextTable(["sample", "bytes"], right: [0, 1])
    for sample in 0..<min(lines, shard.count) { table.add("\(sample)", Format.count(shard.bytes(of: sample))) }
    return ["\(path): MDS shard of \(Format.count(shard.count)) samples: \(columns)"] + table.lines
      + more(shard.count - lines, "samples")
  }

  /// The first documents of a stream of token documents.
  static func tokenStream(_ path: String, _ lines: Int) throws -> [String] {
    let reader = try TokenStreamReader(path: path)
    let header = reader.header
    var table = TextTable(["document", "tokens", "bytes", "id", "origin", "first tokens"], right: [0, 1, 2])
    var shown = 0
    while shown < lines, let batch = try reader.next(tokens: 1) {
      for document in batch.prefix(lines - shown) {
        let count = document.tokens.count
        let first = document.tokens.prefix(8).map(String.init).joined(separator: " ") + (count > 8 ? " …" : "")
        table.add(
          "\(shown)", Format.count(count), Format.count(document.bytes), Format.clip(document.id, 40),
          Format.clip(document.origin, 48),
          first)
        shown += 1
      }
    }
    let head = "vocabulary \(Format.count(header.vocabulary)), end of document \(header.endOfDocument), tokenizer \(header.tokenizer)"
    return ["\(path): token stream", Format.clip(head, 160)] + table.lines
      + (try shown == lines && reader.next(tokens: 1) != nil ? ["…"] : [])
  }

  /// The first documents, or lines, of JSON Lines.
  static func jsonLines(_ path: String, _ lines: Int) throws -> [String] {
    let reader = try LineReader(path)
    var documents = TextTable(["line", "id", "source", "bytes", "text"], right: [0, 3])
    var others = TextTable(["line", "members"], right: [0])
    var shown = 0
    while shown < lines, let line = try reader.next() {
      if line.isEmpty { continue }
      shown += 1
      let number = "\(reader.lines)"
      guard let root = try? JSONDocument(line, place: path).root, root.isObject else {
        others.add(number, "not a JSON object: " + Format.clip(line, 60))
        continue
      }
      guard let body = root["text"]?.bytes else {
        others.add(number, Format.clip(line, 200))
        continue
      }
      documents.add(
        number, Format.clip(root["id"].map { text($0, 40) } ?? "", 40), Format.clip(root["source"]?.string ?? "", 24),
        Format.count(body.count), Format.clip(body, 80))
    }
    let size = Format.count(try Files.size(path))
    var result = ["\(path): JSON Lines, \(size) bytes\(reader.kind == nil ? "" : ", a weir stream")"]
    if documents.lines.count > 1 { result += documents.lines }
    if others.lines.count > 1 { result += others.lines }
    return result + (try reader.next() == nil ? [] : ["…"])
  }

  /// A mixture: what it was made from, and its heaviest clusters.
  static func mixture(_ path: String, _ lines: Int) throws -> [String] {
    let mixture = try JSONFile.read(Mixture.self, from: path)
    let n = Format.count, short = Format.significant
    var facts = TextTable()
    facts.add("method", Format.clip(mixture.method, 40))
    facts.add("from dataset", Format.clip(mixture.dataset, 60))
    facts.add("from tree", Format.clip(mixture.tree, 60))
    facts.add("from assignment", Format.clip(mixture.assignment, 60))
    facts.add("seed data", Format.clip(mixture.seedData, 100))
    facts.add(
      "depth", "\(mixture.depth), smoothing \(short(mixture.smoothing)), at most \(mixture.maxEpochs.map(short) ?? "any number of") epochs")
    facts.add("for", "\(n(mixture.runTokens)) tokens; the cap moved \(short(mixture.moved))")
    facts.add("clusters", "\(n(mixture.clusters.count)), effective sample size \(short(mixture.effectiveSampleSize)) windows")
    var table = TextTable(["leaf", "weight", "general", "times", "windows", "tokens", "epochs"], right: [0, 1, 2, 3, 4, 5, 6])
    for cluster in mixture.clusters.sorted(by: { ($1.weight, $0.leaf) < ($0.weight, $1.leaf) }).prefix(lines) {
      let times = cluster.general > 0 ? short(cluster.weight / cluster.general) : ""
      table.add(
        "\(cluster.leaf)", short(cluster.weight), short(cluster.general), times, n(cluster.windows), n(cluster.tokens),
        short(cluster.epochs))
    }
    return ["\(path): mixture"] + facts.lines + [""] + table.lines + more(mixture.clusters.count - lines, "clusters")
  }

  /// A tokenizer.json.
  static func tokenizer(_ path: String, _ lines: Int) throws -> [String] {
    let root = try JSONDocument(Files.read(path), place: path).root
    guard let model = root["model"], let vocabulary = model["vocab"] else {
      throw WeirError(path, "has no model.vocab", remedy: "it is no tokenizer.json")
    }
    var facts = TextTable()
    facts.add("type", model["type"].map { text($0, 40) } ?? "?")
    facts.add("vocabulary", "\(Format.count(vocabulary.count)) tokens, \(Format.count(model["merges"]?.count ?? 0)) merges")
    let added = (root["added_tokens"]?.array ?? []).prefix(lines).map { "\(text($0["content"], 40)) \(text($0["id"], 12))" }
    facts.add("added", added.isEmpty ? "none" : added.joined(separator: ", ") + (root["added_tokens"]?.count ?? 0 > lines ? ", …" : ""))
    facts.add("pre-tokenizer", text(root["pre_tokenizer"], 160))
    var table = TextTable(["merge", "left", "right"], right: [0])
    for (rank, merge) in (model["merges"]?.array ?? []).prefix(lines).enumerated() {
      let pair = merge.array?.map { text($0, 30) } ?? [text(merge, 60)]
      table.add(["\(rank)"] + pair)
    }
    return ["\(path): tokenizer"] + facts.lines + [""] + table.lines
  }

  /// A JSON object: its members, one a line.
  static func json(_ path: String, kind: String, _ lines: Int) throws -> [String] {
    let root = try JSONDocument(Files.read(path), place: path).root
    guard let members = root.object else { throw WeirError(path, "is no JSON object") }
    var table = TextTable()
    for (name, value) in members.prefix(4 * lines) { table.add("  " + Format.clip(name, 40), text(value, 160)) }
    return ["\(path): \(kind)"] + table.lines + more(members.count - 4 * lines, "members")
  }

  /// A value on one line: strings as they are, lists and objects shortened.
  static func text(_ node: JSONNode?, _ limit: Int) -> String {
    guard let node, !node.isNull else { return "none" }
    if let string = node.string { return Format.clip(string, limit) }
    if let flag = node.bool { return flag ? "true" : "false" }
    if let whole = node.int { return "\(whole)" }
    if let number = node.double { return "\(number)" }
    var result = ""
    if node.isArray {
      for (index, element) in (node.array ?? []).enumerated() {
        if result.count > limit { return Format.clip("[" + result, limit) + " (\(Format.count(node.count)) elements)" }
        result += (index == 0 ? "" : ", ") + text(element, limit)
      }
      return Format.clip("[\(result)]", limit + 8)
    }
    for (index, member) in (node.object ?? []).enumerated() {
      if result.count > limit { return Format.clip("{" + result, limit) + " (\(Format.count(node.count)) members)" }
      result += (index == 0 ? "" : ", ") + "\(Format.clip(member.key, 40)): " + text(member.value, limit)
    }
    return Format.clip("{\(result)}", limit + 8)
  }
}
