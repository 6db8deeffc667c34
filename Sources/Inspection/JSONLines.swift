import Documents
import Pipeline
import Primitives
import Storage

/// JSON Lines, plain or compressed: documents, or other objects.
struct JSONLines: Artifact {
  static let format = "jsonl"
  static let kind = "JSON Lines"

  static func matches(_ candidate: ArtifactCandidate) -> Bool {
    if [".jsonl", ".jsonl.gz", ".jsonl.zst", ".ndjson", ".json.gz", ".json.zst"].contains(where: { candidate.name.hasSuffix($0) }) {
      return true
    }
    guard let reader = candidate.decompressed else { return false }
    if reader.kind == .documents { return true }
    var first: UInt8 = 0
    let count = withUnsafeMutableBytes(of: &first) { (try? reader.read(into: $0)) ?? 0 }
    return count == 1 && first == UInt8(ascii: "{")
  }

  static func open(_ path: String) throws -> JSONLines {
    _ = try LineReader(path, isRegular: true)
    return JSONLines()
  }

  /// Documents (if the first line has a text) are parsed as the pipeline does, other lines as JSON objects. Reading a compressed file checks its
  /// checksums, and reading a stream its end marker.
  static func verify(_ path: String, _ context: any VerificationContext) throws {
    let reader = try LineReader(path, isRegular: true)
    var problems = ProblemList(context)
    var isDocuments: Bool?
    var block: [UInt8] = []
    var firstLine = 1
    func flush() throws {
      let parse = ParseDocuments()
      var tally = Tally(stage: ParseDocuments.stage, keepsRejects: true)
      _ = try parse.apply(LineBlock(path: path, firstLine: firstLine, content: block), tally: &tally)
      for reject in tally.rejects { problems.add("\(reject.origin): \(reject.reason)") }
      block.removeAll(keepingCapacity: true)
      firstLine = reader.lines + 1
      try context.checkStop()
    }
    while let line = try reader.next() {
      if isDocuments == nil, !line.isEmpty {
        isDocuments = (try? JSONDocument(line, place: path, lenient: true).root["text"]?.string) != nil
      }
      if isDocuments == true {
        block += line
        block.append(0x0A)
        if block.count >= 1 << 20 { try flush() }
        continue
      }
      firstLine = reader.lines + 1
      if reader.lines % 4_096 == 0 { try context.checkStop() }
      if line.isEmpty { continue }
      do {
        if try !JSONDocument(line, place: path, lenient: true).root.isObject {
          problems.add("\(path):\(reader.lines): is not a JSON object")
        }
      } catch let error as WeirError { problems.add("\(path):\(reader.lines): \(error.reason)") }
    }
    if !block.isEmpty { try flush() }
    problems.finish(path, "lines")
  }

  static func describe(_ path: String, lines: Int) throws -> [String]? {
    let reader = try LineReader(path, isRegular: true)
    var documents = TextTable(["line", "id", "source", "bytes", "text"], right: [0, 3])
    var others = TextTable(["line", "members"], right: [0])
    var shown = 0
    while shown < lines, let line = try reader.next() {
      if line.isEmpty { continue }
      shown += 1
      let number = "\(reader.lines)"
      guard let root = try? JSONDocument(line, place: path, lenient: true).root, root.isObject else {
        others.add(number, "not a JSON object: " + Format.clip(line, 60))
        continue
      }
      guard let body = root["text"]?.bytes else {
        others.add(number, Format.clip(line, 200))
        continue
      }
      documents.add(
        number, Format.clip(root["id"]?.summary(40) ?? "", 40), Format.clip(root["source"]?.string ?? "", 24), Format.count(body.count),
        Format.clip(body, 80))
    }
    let size = Format.count(try Files.size(path))
    var result = ["\(kind), \(size) bytes\(reader.kind == nil ? "" : ", a Weir stream")"]
    if documents.lines.count > 1 { result += documents.lines }
    if others.lines.count > 1 { result += others.lines }
    return result + (try reader.next() == nil ? [] : ["…"])
  }
}

/// A compressed file of unknown content: its checksums can be verified.
struct CompressedFile: Artifact {
  static let format = "compressed"
  static let kind = "compressed file"
  static func matches(_ candidate: ArtifactCandidate) -> Bool { candidate.isCompressed }

  static func open(_ path: String) throws -> CompressedFile {
    _ = try LineReader(path, isRegular: true)
    return CompressedFile()
  }

  static func verify(_ path: String, _ context: any VerificationContext) throws {
    try LineReader.readThrough(path) { try context.checkStop() }
  }
}
