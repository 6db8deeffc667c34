import Primitives
import Storage

extension TokenStreamReader: Artifact {
  package static let format = "weir.token-stream.1"
  package static func matches(_ candidate: ArtifactCandidate) -> Bool { candidate.decompressed?.kind == .tokens }
  package static func open(_ path: String) throws -> TokenStreamReader { try TokenStreamReader(path: path) }

  /// Every record is complete, ids are within the vocabulary, and the end marker is right.
  package static func verify(_ path: String, _ context: any VerificationContext) throws {
    let reader = try TokenStreamReader(path: path)
    while try reader.next() != nil { try context.checkStop() }
  }

  package static func describe(_ path: String, lines: Int) throws -> [String]? {
    let reader = try TokenStreamReader(path: path)
    let header = reader.header
    var table = TextTable(["document", "tokens", "bytes", "id", "origin", "first tokens"], right: [0, 1, 2])
    var shown = 0
    while shown < lines, let batch = try reader.next(tokens: 1) {
      for document in batch.prefix(lines - shown) {
        let count = document.tokens.count
        let first = document.tokens.prefix(8).map(String.init).joined(separator: " ") + (count > 8 ? " …" : "")
        table.add(
          "\(shown)", Format.count(count), Format.count(document.bytes), Format.clip(document.id, 40), Format.clip(document.origin, 48),
          first)
        shown += 1
      }
    }
    let facts =
      "vocabulary \(Format.count(header.vocabulary)), end-of-document token \(header.endOfDocument), tokenizer \(header.tokenizer)"
    return [kind, Format.clip(facts, 160)] + table.lines + (try shown == lines && reader.next(tokens: 1) != nil ? ["…"] : [])
  }
}
