import Artifacts
import Documents
import Primitives
import Storage
import Tokens
import Training

/// Shows what is in any of our files and folders, in a few lines for people.
package enum Peek {
  /// A short description.
  /// - Parameters:
  ///   - path: the file or folder.
  ///   - lines: the most entries of any list in it: documents, tensors, clusters, log lines.
  /// - Returns: lines, each with its newline.
  /// - Throws: `WeirError` where it is nothing that we know, or damaged.
  package static func text(_ path: String, lines: Int = 10) throws -> String {
    guard Files.exists(path) else { throw WeirError(path, "no such file or folder", remedy: "check the path") }
    var path = path
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    let lines = max(1, lines)
    let result = try Files.isFolder(path) ? folder(path, lines) : file(path, lines)
    guard let result else { throw WeirError(path, "is nothing that weir knows", remedy: "weir peek knows " + FileKind.known) }
    return result.map { $0 + "\n" }.joined()
  }

  /// A file; nil where it is none of ours.
  private static func file(_ path: String, _ lines: Int) throws -> [String]? {
    guard let kind = try FileKind.of(path) else {
      return path.hasSuffix(".json") ? try json(path, kind: "JSON", lines) : nil
    }
    switch kind {
    case .safetensors: return ["\(path): safetensors"] + (try tensors(path, lines))
    case .index: return try index(path, lines)
    case .tokens: return try tokens(path, index: String(path.dropLast(4)) + ".idx", lines)
    case .llmTokens: return try llmTokens(path, lines)
    case .numpy: return try numpy(path, lines)
    case .mds: return try mds(path, lines)
    case .jsonLines: return try jsonLines(path, lines)
    case .tokenStream: return try tokenStream(path, lines)
    case .compressed: return nil
    case .json("mixture"): return try mixture(path, lines)
    case .json("tokenizer"): return try tokenizer(path, lines)
    case .json(let name): return try json(path, kind: name, lines)
    }
  }

  /// A folder; nil where nothing of ours is in it.
  private static func folder(_ path: String, _ lines: Int) throws -> [String]? {
    if Files.exists(path + "/" + Manifest.fileName) {
      let manifest = try Manifest.read(folder: path)
      switch manifest.format {
      case TokenDataset.format: return try dataset(path, lines)
      case StoredTree.format: return try tree(path, lines)
      case ClusterAssignment.format: return try assignment(path, lines)
      case WindowVectors.format: return try vectors(path, lines)
      default: return try other(path, manifest, lines)
      }
    }
    if RunFolder(path).exists { return try run(RunFolder(path), lines) }
    if Files.exists(path + "/config.json") { return ["\(path): model"] + (try model(path, lines)) }
    if Files.exists(path + "/tokenizer.json") { return try tokenizer(path + "/tokenizer.json", lines) }
    return try contents(path, lines)
  }

  /// A folder that is not itself of a format: what is in it.
  private static func contents(_ path: String, _ lines: Int) throws -> [String]? {
    var table = TextTable()
    var hidden = 0
    var known = false
    for name in try Files.entries(of: path) {
      let entry = path + "/" + name
      var kind: String?
      if Files.exists(entry + "/" + Manifest.fileName) {
        kind = (try? Manifest.read(folder: entry)).map { FileKind.words($0.format) } ?? "damaged folder"
      } else if RunFolder(entry).exists {
        kind = "run"
      } else if Files.isFolder(entry) {
        kind = try Files.walk(entry).isEmpty ? nil : "folder"
        known = known || name == "steps"
      } else {
        kind = try FileKind.of(entry)?.name
      }
      guard let kind else { continue }
      if kind != "folder" { known = true }
      if table.lines.count < 4 * lines { table.add("  " + name, kind) } else { hidden += 1 }
    }
    return known ? ["\(path): folder"] + table.lines + more(hidden, "entries") : nil
  }

  /// `… and 7 more tensors`, nothing for none.
  static func more(_ count: Int, _ what: String) -> [String] { count > 0 ? ["… and \(Format.count(count)) more \(what)"] : [] }

  /// What every manifest says: inputs, counts, tool.
  static func about(_ manifest: Manifest) -> [String] {
    var table = TextTable()
    for (name, count) in manifest.counts.sorted(by: { $0.key < $1.key }) { table.add(name, Format.count(count)) }
    for (name, value) in manifest.inputs.sorted(by: { $0.key < $1.key }) { table.add("from " + name, Format.clip(value, 100)) }
    if case .object(let members) = manifest.configuration, !members.isEmpty {
      table.add("configuration", compact(manifest.configuration, 160))
    }
    table.add("fingerprint", manifest.fingerprint)
    table.add("written by", Format.clip(manifest.tool, 60))
    return table.lines
  }

  /// A JSON value on one line, cut.
  static func compact(_ value: JSONValue, _ limit: Int) -> String {
    ((try? JSONFile.encode(value)).map { Format.clip($0, limit) }) ?? ""
  }
}
