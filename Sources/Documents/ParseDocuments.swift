import CJSON
import Foundation
import Pipeline
import Primitives
import Storage
import Synchronization

/// Lines to documents. A line that is none is quarantined with its reason and place; blank lines are skipped and not counted.
package struct ParseDocuments: Stage {
  private let textField: String
  private let idField: String
  private let parsers = LineParsers()

  /// Creates the stage.
  /// - Parameters:
  ///   - textField: the member that holds the text.
  ///   - idField: the member that the id is taken from; one other than `id` also stays where it is.
  package init(textField: String = "text", idField: String = "id") {
    self.textField = textField
    self.idField = idField
  }

  /// One account.
  package var names: [String] { ["read"] }

  /// Parses a block, about 1 GB/s.
  package func apply(_ block: LineBlock, ledger: inout Ledger, offset: Int) throws -> [Document] {
    var account = Account(stage: "read")
    defer { ledger.accounts[offset].merge(account) }
    if case .leftOut(let length) = block.kind {
      Self.leaveOut(length, block, line: block.firstLine, &account, &ledger)
      return []
    }
    if block.kind == .text { return parseText(block, account: &account, ledger: &ledger) }
    let lineParser = try parsers.take(block.path)
    // A parser grows with the longest line it saw: what a very long one needed is let go.
    defer { if block.count <= 1 << 22 { parsers.giveBack(lineParser) } }
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
              Self.leaveOut(content.count, block, line: line, &account, &ledger)
            } else if !content.allSatisfy(Self.isBlank) {
              account.input += 1
              var parts = weir_json_line()
              let status = text.withMemoryRebound(to: CChar.self) { text in
                id.withMemoryRebound(to: CChar.self) { id in
                  weir_json_parse_line(
                    parser, content.baseAddress, content.count, text.baseAddress, text.count, id.baseAddress, id.count, &parts)
                }
              }
              if Int(status) == WEIR_JSON_OK {
                documents.append(Self.document(parts, path: block.path, line: line))
                account.bytesIn += parts.text.count
              } else {
                account.bytesIn += content.count
                let reason = reason(Int(status))
                account.quarantine(reason, at: "\(block.path):\(line)")
                if ledger.keepsRejects {
                  ledger.rejects.append(
                    Reject(origin: "\(block.path):\(line)", stage: "read", reason: reason, record: Array(content)))
                }
              }
            }
            line += 1
            start = end + 1
          }
        }
      }
    }
    account.output = documents.count
    account.bytesOut = documents.reduce(0) { $0 + $1.text.count }
    return documents
  }

  /// Quarantines a line or a text above the limit. Its bytes are not among the rejects, whether they were at hand or not.
  private static func leaveOut(_ length: Int, _ block: LineBlock, line: Int, _ account: inout Account, _ ledger: inout Ledger) {
    let reason = "longer than \(block.limit) bytes (--max-document)"
    let origin = "\(block.path):\(line)"
    account.input += 1
    account.bytesIn += length
    account.quarantine(reason, at: origin)
    if ledger.keepsRejects { ledger.rejects.append(Reject(origin: origin, stage: "read", reason: reason, record: [])) }
  }

  private func parseText(_ block: LineBlock, account: inout Account, ledger: inout Ledger) -> [Document] {
    account.input = 1
    account.bytesIn = block.count
    let valid = block.bytes.withUnsafeBufferPointer { weir_json_utf8($0.baseAddress, block.count) }
    guard valid else {
      account.quarantine(Self.invalidUTF8, at: "\(block.path):1")
      if ledger.keepsRejects {
        ledger.rejects.append(
          Reject(origin: "\(block.path):1", stage: "read", reason: Self.invalidUTF8, record: Array(block.bytes[..<block.count])))
      }
      return []
    }
    account.output = 1
    account.bytesOut = block.count
    return [Document(id: block.path, text: Array(block.bytes[..<block.count]), origin: "\(block.path):1")]
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
    case WEIR_JSON_COLLISION: "text besides \(textField)"
    case WEIR_JSON_ORIGIN_TYPE: "origin is not a string"
    case WEIR_JSON_MEMORY: "too large to parse"
    default: "broken JSON"
    }
  }

  private static func document(_ parts: weir_json_line, path: String, line: Int) -> Document {
    let text = UnsafeRawBufferPointer(start: parts.text.bytes, count: parts.text.count)
    // An empty origin tells nothing, and none is written.
    let origin = parts.origin.count == 0 ? nil : string(parts.origin)
    return Document(
      id: string(parts.id) ?? Checksum128(text).hex, text: Array(text),
      escapedText: parts.escaped.bytes == nil || parts.escaped.count > escapedLimit ? nil : array(parts.escaped),
      source: string(parts.source), members: array(parts.members), origin: origin ?? "\(path):\(line)")
  }

  /// Bytes of an escaped text that are kept beside it at most: of a very long one memory matters more.
  private static let escapedLimit = 1 << 20

  private static func array(_ bytes: weir_json_bytes) -> [UInt8] { Array(UnsafeBufferPointer(start: bytes.bytes, count: bytes.count)) }

  private static func string(_ bytes: weir_json_bytes) -> String? {
    guard let start = bytes.bytes else { return nil }
    return String(decoding: UnsafeBufferPointer(start: start, count: bytes.count), as: UTF8.self)
  }
}

/// A parser of lines, of one thread at a time.
private final class LineParser: @unchecked Sendable {
  let pointer: OpaquePointer

  init(_ path: String) throws {
    guard let parser = weir_json_parser_create() else { throw WeirError(path, "not enough memory") }
    pointer = parser
  }

  deinit { weir_json_parser_destroy(pointer) }
}

/// Parsers that no block uses at the moment.
private final class LineParsers: Sendable {
  private let idle = Mutex<[LineParser]>([])

  func take(_ path: String) throws -> LineParser { try idle.withLock { $0.popLast() } ?? LineParser(path) }
  func giveBack(_ parser: LineParser) { idle.withLock { $0.append(parser) } }
}
