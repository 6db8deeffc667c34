import CJSON
import Foundation
import Pipeline
import Storage

/// Turns lines into documents. A line that is not a document is quarantined with its reason and place; blank lines are skipped and not
/// counted.
///
/// The corpus's own members named `id`, `text` or `origin`, where they are not what is read under these names, become `original_id`,
/// `original_text` and `original_origin`. NaN and infinities, which JSON lacks but many programs write, become null.
package struct ParseDocuments: Stage {
  /// The name of the stage's account.
  package static let stage = "read"
  /// In the account, the number of NaNs and infinities that were read as null.
  static let nonFinite = "NaN read as null"

  private let textField: String
  private let idField: String
  // A parser grows with the longest line it has parsed; after a very long one it is freed.
  private let parsers = WorkerPool(limit: 1 << 22) { try LineParser() }

  /// - Parameters:
  ///   - textField: the member that holds the text.
  ///   - idField: the member that holds the id; one with a name other than `id` also stays among the members.
  package init(textField: String = "text", idField: String = "id") {
    self.textField = textField
    self.idField = idField
  }

  package var name: String? { Self.stage }

  /// Parses a block, at about 1 GB/s.
  package func apply(_ block: LineBlock, tally: inout Tally) throws -> [Document] {
    var documents: [Document]
    switch block.kind {
    case .leftOut(let length):
      Self.leaveOut(length, block, line: block.firstLine, &tally)
      return []
    case .text: documents = parseText(block, &tally)
    case .lines: documents = try parseLines(block, &tally)
    }
    if block.isTable { for index in documents.indices { documents[index].removeNulls() } }
    tally.keep(documents)
    return documents
  }

  private func parseLines(_ block: LineBlock, _ tally: inout Tally) throws -> [Document] {
    let lineParser = try parsers.take()
    defer { parsers.giveBack(lineParser, after: block.count) }
    let parser = lineParser.pointer
    var documents: [Document] = []
    var text = textField
    var id = idField
    text.withUTF8 { text in
      id.withUTF8 { id in
        block.bytes.withUnsafeBufferPointer { bytes in
          guard let base = bytes.baseAddress else { return }
          var start = 0
          var line = block.firstLine
          while start < block.count {
            let newline = memchr(base + start, 0x0A, block.count - start)
            let end = newline.map { UnsafeRawPointer($0) - UnsafeRawPointer(base) } ?? block.count
            let content = UnsafeBufferPointer(rebasing: bytes[start..<end])
            if content.count > block.limit {
              Self.leaveOut(content.count, block, line: line, &tally)
            } else if !content.allSatisfy(Self.isBlank) {
              var parts = weir_json_line()
              let status = text.withMemoryRebound(to: CChar.self) { text in
                id.withMemoryRebound(to: CChar.self) { id in
                  weir_json_parse_line(
                    parser, content.baseAddress, content.count, text.baseAddress, text.count, id.baseAddress, id.count, &parts)
                }
              }
              if Int(status) == WEIR_JSON_OK {
                documents.append(Self.document(parts, path: block.path, line: line))
                if parts.non_finite > 0 { tally.account.extra[Self.nonFinite, default: 0] += Double(parts.non_finite) }
              } else {
                tally.quarantine(reason(Int(status)), origin: "\(block.path):\(line)", bytes: content.count, record: Array(content))
              }
            }
            line += 1
            start = end + 1
          }
        }
      }
    }
    return documents
  }

  /// Quarantines a line or a text above the limit. Its bytes are not among the rejects, even where they were read.
  private static func leaveOut(_ length: Int, _ block: LineBlock, line: Int, _ tally: inout Tally) {
    tally.quarantine("longer than \(block.limit) bytes (--max-document)", origin: "\(block.path):\(line)", bytes: length, record: [])
  }

  private func parseText(_ block: LineBlock, _ tally: inout Tally) -> [Document] {
    let origin = "\(block.path):1"
    let text = Array(block.bytes[..<block.count])
    guard text.withUnsafeBufferPointer({ weir_json_utf8($0.baseAddress, $0.count) }) else {
      tally.quarantine(Self.invalidUTF8, origin: origin, bytes: block.count, record: text)
      return []
    }
    return [Document(id: block.path, text: text, origin: origin)]
  }

  private static let invalidUTF8 = "invalid UTF-8"

  private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0D || byte == 0x09 }

  private func reason(_ status: Int) -> String {
    switch status {
    case WEIR_JSON_UTF8: Self.invalidUTF8
    case WEIR_JSON_NO_OBJECT: "not an object"
    case WEIR_JSON_NO_TEXT: "no \(textField)"
    case WEIR_JSON_TEXT_TYPE: "\(textField) is not a string"
    case WEIR_JSON_ID_TYPE: "\(idField) is neither a string nor a number"
    case WEIR_JSON_DUPLICATE: "a member twice"
    case WEIR_JSON_COLLISION: "a member that would be renamed to original_…, and one with that name"
    case WEIR_JSON_MEMORY: "too large to parse"
    default: "broken JSON"
    }
  }

  private static func document(_ parts: weir_json_line, path: String, line: Int) -> Document {
    let text = UnsafeRawBufferPointer(start: parts.text.bytes, count: parts.text.count)
    // An empty origin says nothing; the place of the line does.
    let origin = parts.origin.count == 0 ? nil : string(parts.origin)
    return Document(
      id: string(parts.id) ?? Checksum128(text).hex, text: Array(text),
      escapedText: parts.escaped.bytes == nil || parts.escaped.count > escapedLimit ? nil : array(parts.escaped),
      source: string(parts.source), members: array(parts.members), origin: origin ?? "\(path):\(line)")
  }

  /// The longest escaped text that is kept with its document; for longer ones memory matters more.
  private static let escapedLimit = 1 << 20

  private static func array(_ bytes: weir_json_bytes) -> [UInt8] { Array(UnsafeBufferPointer(start: bytes.bytes, count: bytes.count)) }

  private static func string(_ bytes: weir_json_bytes) -> String? {
    guard let start = bytes.bytes else { return nil }
    return String(decoding: UnsafeBufferPointer(start: start, count: bytes.count), as: UTF8.self)
  }
}

/// A parser of lines, for one thread at a time.
private final class LineParser: @unchecked Sendable {
  let pointer: OpaquePointer

  init() throws {
    guard let parser = weir_json_parser_create() else { throw outOfMemory("JSON parser") }
    pointer = parser
  }

  deinit { weir_json_parser_destroy(pointer) }
}
