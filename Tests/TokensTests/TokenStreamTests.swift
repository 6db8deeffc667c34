import Documents
import Foundation
import Primitives
import Storage
import TestSupport
import Testing
import Tokens

@Suite struct TokenStreamTests {
  private let header = TokenStreamHeader(
    tokenizer: "0123456789abcdef", vocabulary: 70_000, endOfDocument: 69_999, tokenizerFile: Array("{}".utf8))

  private func documents(_ count: Int, seed: UInt64) -> [TokenDocument] {
    var random = SequentialRandom(seed: seed)
    return (0..<count).map { number in
      TokenDocument(
        id: "é\(number)", source: number % 3 == 0 ? nil : number % 3 == 1 ? "" : "s", origin: "f:\(number)",
        members: number % 2 == 0 ? [] : Array("\"m\": 1".utf8), bytes: number * 3,
        tokens: (0..<Int.random(in: 0..<40, using: &random)).map { _ in UInt32.random(in: 0..<70_000, using: &random) })
    }
  }

  private func write(_ documents: [TokenDocument], _ path: String) throws {
    let writer = try TokenStreamWriter(path: path, header: header)
    var start = 0
    while start < documents.count {
      try writer.append(Array(documents[start..<min(documents.count, start + 7)]))
      start += 7
    }
    try writer.finish()
  }

  private func read(_ path: String, tokens: Int = 1 << 18) throws -> [TokenDocument] {
    let reader = try TokenStreamReader(path: path)
    guard reader.header == header else { throw WeirError(path, "another header") }
    var documents: [TokenDocument] = []
    while let batch = try reader.next(tokens: tokens) { documents += batch }
    try reader.finish()
    return documents
  }

  @Test(arguments: [UInt64](0..<4)) func whatIsWrittenIsRead(_ seed: UInt64) throws {
    try withTemporaryFolder { folder in
      for count in [0, 1, 100] {
        let documents = documents(count, seed: seed)
        try write(documents, folder + "/t")
        #expect(try read(folder + "/t") == documents)
        #expect(try read(folder + "/t", tokens: 1) == documents)
      }
    }
  }

  @Test func aLongDocumentCrossesTheBuffer() throws {
    try withTemporaryFolder { folder in
      let document = TokenDocument(id: "long", bytes: 1, tokens: (0..<300_000).map { UInt32($0 % 70_000) })
      try write([document, document], folder + "/t")
      #expect(try read(folder + "/t") == [document, document])
    }
  }

  @Test func everyCutAndEveryFlipIsFound() throws {
    try withTemporaryFolder { folder in
      let documents = documents(3, seed: 3)
      try write(documents, folder + "/t")
      let file = try Files.read(folder + "/t")
      for count in 0..<file.count {
        try Data(file[..<count]).write(to: URL(fileURLWithPath: folder + "/b"))
        #expect(!errorMessage { _ = try read(folder + "/b") }.isEmpty, "\(count)")
      }
      for bit in 0..<8 * file.count {
        var damaged = file
        damaged[bit / 8] ^= 1 << UInt8(bit % 8)
        try Data(damaged).write(to: URL(fileURLWithPath: folder + "/b"))
        let found = try? read(folder + "/b")
        #expect(found == nil || found == documents, "bit \(bit)")
      }
    }
  }

  /// Content that the writer would not write, inside of a sound stream.
  private func readRaw(_ content: [UInt8], in folder: String) throws {
    let writer = try StreamWriter(folder + "/raw", kind: .tokens, coding: .stream(level: 1))
    try writer.write(content, records: 1)
    try writer.finish()
    let reader = try TokenStreamReader(path: folder + "/raw")
    while try reader.next() != nil {}
    try reader.finish()
  }

  private func number(_ value: UInt32) -> [UInt8] { withUnsafeBytes(of: value.littleEndian) { Array($0) } }

  private func record(
    id: UInt32 = 1, source: UInt32 = .max, origin: UInt32 = 0, members: UInt32 = 0, bytes: [UInt8]? = nil, tokens: UInt32 = 1
  ) -> [UInt8] {
    number(id) + number(source) + number(origin) + number(members) + (bytes ?? number(1) + number(0)) + number(tokens)
  }

  @Test func impossibleLengthsAreNotBelieved() throws {
    let start = Array("WEIRTOKN".utf8) + number(1) + number(1) + [0x74] + number(10) + number(9) + number(0)
    try withTemporaryFolder { folder in
      #expect(errorMessage { try readRaw(start + record() + [0x61] + number(3), in: folder) } == "")
      let bad: [([UInt8], String)] = [
        (record() + [0x61] + number(10), "the token 10 in a vocabulary of 10"),
        (record() + [0xFF] + number(3), "the id is not UTF-8"),
        (record(id: .max), "bytes or tokens of id"), (record(source: .max - 1), "a source of"),
        (record(origin: 1 << 30), "of origin"), (record(members: .max), "of members"), (record(tokens: .max), "of tokens"),
        (record(bytes: number(.max) + number(.max)), "a text of"),
        (record(tokens: 1 << 30) + [0x61], "ends within the tokens"), (record(members: 1 << 29) + [0x61], "ends within the members"),
        (record(id: 1 << 23), "ends within the id"), ([1, 2], "ends within the id"),
      ]
      for (content, reason) in bad { #expect(errorMessage { try readRaw(start + content, in: folder) }.contains(reason), "\(reason)") }
      #expect(errorMessage { try readRaw(Array("WEIRTOKX".utf8), in: folder) }.contains("does not start with WEIRTOKN"))
      #expect(errorMessage { try readRaw(Array("WEIRTOKN".utf8) + number(2), in: folder) }.contains("version 2"))
      let end = Array("WEIRTOKN".utf8) + number(1) + number(0) + number(10) + number(10) + number(0)
      #expect(errorMessage { try readRaw(end, in: folder) }.contains("invalid vocabulary"))
    }
  }

  @Test func thePlainFormIsJSONLines() throws {
    try withTemporaryFolder { folder in
      let writer = try TokenStreamWriter(path: folder + "/t.jsonl", header: header, plain: true)
      try writer.append([TokenDocument(id: "a\"", bytes: 1, tokens: [1, 2]), TokenDocument(id: "b", bytes: 0, tokens: [])])
      try writer.finish()
      let text = String(decoding: try Files.read(folder + "/t.jsonl"), as: UTF8.self)
      #expect(text == "{\"id\": \"a\\\"\", \"tokens\": [1, 2]}\n{\"id\": \"b\", \"tokens\": []}\n")
    }
  }
}
