import Primitives
import Storage

extension LLMTokens: Artifact {
  package static let format = "llm.c"
  package static let kind = "llm.c tokens"
  package static func matches(_ candidate: ArtifactCandidate) -> Bool { candidate.name.hasSuffix(".bin") && isHead(candidate.head) }
  package static func open(_ path: String) throws -> LLMTokens { try LLMTokens(try MappedFile(path)) }

  package static func describe(_ path: String, lines: Int) throws -> [String]? {
    let file = try MappedFile(path)
    let tokens = try LLMTokens(file)
    let first = file.integers(at: headerBytes, width: tokens.width, count: min(8 * lines, tokens.count))
    return [
      "\(kind): \(Format.count(tokens.count)) u\(8 * tokens.width) tokens",
      "first tokens: " + first.map(String.init).joined(separator: " "),
    ]
  }
}
