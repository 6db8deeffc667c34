import Documents
import Pipeline
import Primitives
import Storage

extension Verifier {
  /// JSON Lines: documents (where the first line has a text) as the pipeline reads them, anything else as JSON objects. Compressed files
  /// are checked by their checksums, streams by their proof.
  func checkLines(_ path: String) throws {
    let reader = try LineReader(path)
    var bad = 0
    func wrong(_ line: String) {
      bad += 1
      if bad <= Self.problemLimit { problem(line) }
    }
    var isDocuments: Bool?
    var block: [UInt8] = []
    var firstLine = 1
    func flush() throws {
      let parse = ParseDocuments()
      var tally = Tally(stage: ParseDocuments.stage, keepsRejects: true)
      _ = try parse.apply(LineBlock(path: path, firstLine: firstLine, content: block), tally: &tally)
      for reject in tally.rejects { wrong("\(reject.origin): \(reject.reason)") }
      block.removeAll(keepingCapacity: true)
      firstLine = reader.lines + 1
      try progress.checkStop()
    }
    while let line = try reader.next() {
      if isDocuments == nil, !line.isEmpty { isDocuments = (try? JSONDocument(line, place: path).root["text"]?.string) != nil }
      if isDocuments == true {
        block += line
        block.append(0x0A)
        if block.count >= 1 << 20 { try flush() }
        continue
      }
      firstLine = reader.lines + 1
      if reader.lines % 4_096 == 0 { try progress.checkStop() }
      if line.isEmpty { continue }
      do {
        if try !JSONDocument(line, place: path).root.isObject { wrong("\(path):\(reader.lines): is no JSON object") }
      } catch let error as WeirError { wrong("\(path):\(reader.lines): \(error.reason)") }
    }
    if !block.isEmpty { try flush() }
    if bad > Self.problemLimit { problem("\(path): and \(bad - Self.problemLimit) more lines like that") }
  }
}
