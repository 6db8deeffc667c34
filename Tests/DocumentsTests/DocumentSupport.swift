import Documents
import Foundation
import Pipeline
import Primitives
import Storage
import TestSupport

/// What became of some lines.
struct Parsed {
  var documents: [Document] = []
  var tally: Tally
}

/// Parses content as one block.
func parse(_ content: [UInt8], path: String = "in.jsonl", firstLine: Int = 1, stage: ParseDocuments = ParseDocuments()) throws -> Parsed {
  var tally = Tally(stage: stage.name ?? "", keepsRejects: true)
  let documents = try stage.apply(LineBlock(path: path, firstLine: firstLine, content: content), tally: &tally)
  return Parsed(documents: documents, tally: tally)
}

/// Parses a text as one block.
func parse(_ text: String, stage: ParseDocuments = ParseDocuments()) throws -> Parsed { try parse(Array(text.utf8), stage: stage) }

/// Reads all documents of some paths, with what was quarantined.
func readAll(_ paths: [String], blockSize: Int = 1 << 20, limit: Int = 1 << 30) throws -> Parsed {
  let source = try DocumentSource(paths: paths, blockSize: blockSize, limit: limit)
  let stage = ParseDocuments()
  var all = Parsed(tally: Tally(stage: stage.name ?? "", keepsRejects: true))
  while let block = try source.next() { all.documents += try stage.apply(block, tally: &all.tally) }
  try source.finish()
  return all
}

/// A document with characters of every kind.
func randomDocument(_ number: Int, _ random: inout SequentialRandom) -> Document {
  func string(_ limit: Int) -> String {
    var text = ""
    for _ in 0..<Int.random(in: 0...limit, using: &random) {
      switch Int.random(in: 0..<8, using: &random) {
      case 0: text.unicodeScalars.append(Unicode.Scalar(UInt8.random(in: 0..<32, using: &random)))
      case 1: text += "\""
      case 2: text += "\\"
      case 3: text.unicodeScalars.append(Unicode.Scalar(UInt32.random(in: 0x80..<0xD800, using: &random)) ?? "x")
      case 4: text.unicodeScalars.append(Unicode.Scalar(UInt32.random(in: 0x1_0000...0x10_FFFF, using: &random)) ?? "x")
      default: text.unicodeScalars.append(Unicode.Scalar(UInt8.random(in: 32..<127, using: &random)))
      }
    }
    return text
  }
  let members = [
    "", #""n": 1.50, "a" : [1, {"text": "no"}, "]}\"," ]"#, #""metadata": {"x": {"y": []}}, "z":null"#, #""s": "\\", "t":true"#,
    #""sources": 3, "origins": ["x"]"#,
  ]
  return Document(
    id: string(12), text: Array(string(200).utf8), source: Bool.random(using: &random) ? string(6) : nil,
    members: Array(members[Int.random(in: 0..<members.count, using: &random)].utf8), origin: "f.jsonl:\(number + 1)")
}
