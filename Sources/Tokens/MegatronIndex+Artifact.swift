import Primitives
import Storage

extension MegatronIndex: Artifact {
  package static let format = "megatron.index.1"
  package static let kind = "Megatron index"
  static let fileSuffix = ".idx"

  package static func matches(_ candidate: ArtifactCandidate) -> Bool {
    candidate.head.starts(with: magic) || candidate.name.hasSuffix(fileSuffix)
  }

  package static func open(_ path: String) throws -> MegatronIndex {
    guard path.hasSuffix(fileSuffix) else {
      throw WeirError(path, "is a Megatron index whose name does not end in \(fileSuffix)", remedy: "rename it")
    }
    return try open(index: path, tokens: MegatronTokens.path(index: path))
  }

  static func open(index: String, tokens: String) throws -> MegatronIndex {
    guard Files.exists(tokens) else { throw WeirError(tokens, "is missing", remedy: "put it into the folder of its index") }
    return try MegatronIndex(try MappedFile(index), dataBytes: try Files.size(tokens))
  }

  package static func verify(_ path: String, _ context: any VerificationContext) throws {
    try context.count(MegatronTokens.path(index: path))
    _ = try open(path)
  }

  package static func describe(_ path: String, lines: Int) throws -> [String]? {
    let index = try open(index: path, tokens: MegatronTokens.path(index: path))
    let n = Format.count
    let sum = index.lengths.reduce(0) { $0 + Int($1) }
    return [
      "\(kind), \(index.typeName) tokens", "\(n(index.lengths.count)) documents, \(n(sum)) tokens",
      "lengths: minimum \(n(Int(index.lengths.min() ?? 0))), maximum \(n(Int(index.lengths.max() ?? 0))), mean "
        + Format.significant(Double(sum) / Double(max(1, index.lengths.count))),
      "first lengths: \(index.lengths.prefix(lines).map { n(Int($0)) }.joined(separator: " "))",
    ]
  }

  var typeName: String { tokenBytes == 2 ? "u16" : "i32" }
}

/// The `.bin` that belongs to a Megatron index.
package struct MegatronTokens: Artifact {
  package static let format = "megatron.tokens.1"
  package static let kind = "tokens of a Megatron index"
  private static let fileSuffix = ".bin"

  package let index: MegatronIndex

  static func path(index: String) -> String {
    (index.hasSuffix(MegatronIndex.fileSuffix) ? String(index.dropLast(MegatronIndex.fileSuffix.count)) : index) + fileSuffix
  }

  private static func indexPath(_ path: String) -> String { String(path.dropLast(fileSuffix.count)) + MegatronIndex.fileSuffix }

  package static func matches(_ candidate: ArtifactCandidate) -> Bool {
    candidate.name.hasSuffix(fileSuffix) && Files.exists(indexPath(candidate.path))
  }

  package static func open(_ path: String) throws -> MegatronTokens {
    MegatronTokens(index: try MegatronIndex.open(index: indexPath(path), tokens: path))
  }

  package static func verify(_ path: String, _ context: any VerificationContext) throws {
    try context.count(indexPath(path))
    _ = try open(path)
  }

  package static func describe(_ path: String, lines: Int) throws -> [String]? {
    let index = try open(path).index
    let file = try MappedFile(path)
    var table = TextTable(["document", "tokens", "first tokens"], right: [0, 1])
    var start = 0
    for (document, length) in index.lengths.prefix(lines).enumerated() {
      let ids = file.integers(at: start * index.tokenBytes, width: index.tokenBytes, count: min(12, Int(length)))
      table.add("\(document)", Format.count(Int(length)), ids.map(String.init).joined(separator: " ") + (length > 12 ? " …" : ""))
      start += Int(length)
    }
    return ["\(Format.count(file.count / index.tokenBytes)) \(index.typeName) \(kind)"] + table.lines
      + Format.more(index.lengths.count - lines, "documents")
  }
}
