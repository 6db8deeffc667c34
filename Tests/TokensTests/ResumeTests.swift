import Documents
import Foundation
import Pipeline
import Primitives
import Storage
import TestSupport
import Testing
import Tokens

@Suite struct ResumeTests {
  /// Files of every kind with lines that are long, broken and blank.
  private func files(_ folder: String, _ random: inout SequentialRandom) throws -> [String] {
    func lines(_ range: Range<Int>) -> [UInt8] {
      range.flatMap { number -> [UInt8] in
        switch Int.random(in: 0..<9, using: &random) {
        case 0: Array("\r\n".utf8)
        case 1: Array("broken\n".utf8)
        case 2: Array("{\"text\": \"\(String(repeating: "é", count: Int.random(in: 200...9_000, using: &random)))\"}\n".utf8)
        default: Array("{\"text\": \"text \(number)\"}\r\n".utf8)
        }
      }
    }
    try Files.write([0xEF, 0xBB, 0xBF] + lines(0..<300), to: folder + "/a.jsonl")
    try Files.write([], to: folder + "/b.jsonl")
    try Files.write(Array(repeating: 0x78, count: 500), to: folder + "/c.txt")
    let sink = try DocumentSink(path: folder + "/d.jsonl.zst")
    let content = lines(300..<600)
    try sink.write(content, records: content.count { $0 == 0x0A })
    try sink.finish()
    try Files.write(Array(lines(600..<610).dropLast()), to: folder + "/e")
    return ["a.jsonl", "b.jsonl", "c.txt", "d.jsonl.zst", "e"].map { folder + "/" + $0 }
  }

  /// What became of some lines.
  private struct Parsed {
    var documents: [Document] = []
    var tally: Tally
  }

  private func documents(_ source: DocumentSource, _ begins: ((DocumentSource.Position, Int) -> Void)? = nil) throws -> Parsed {
    let stage = ParseDocuments()
    var all = Parsed(tally: Tally(stage: stage.name ?? "", keepsRejects: true))
    while true {
      let position = source.position
      guard let block = try source.next() else { break }
      begins?(position, all.documents.count)
      all.documents += try stage.apply(block, tally: &all.tally)
    }
    try source.finish()
    return all
  }

  @Test(arguments: [UInt64](0..<4)) func aSourceGoesOnAtEveryBlock(_ seed: UInt64) throws {
    try withTemporaryFolder { folder in
      var random = SequentialRandom(seed: seed)
      let files = try files(folder, &random)
      let limit = seed % 2 == 0 ? 1 << 30 : 1_000
      var begins: [(DocumentSource.Position, Int)] = []
      // Small pieces make many blocks; whole ones take the way of a file.
      let slowly = seed < 2
      func opened(_ path: String, _: String) throws -> any ByteSource { slowly ? try Trickle(path) : try ByteReader(path) }
      let source = try DocumentSource(paths: files, blockSize: [1, 90, 700, 5_000][Int(seed)], limit: limit, open: opened)
      let whole = try documents(source) { begins.append(($0, $1)) }
      #expect(begins.count > (slowly ? 100 : files.count) && whole.documents.count > 400)
      for (position, count) in begins.shuffled(using: &random).prefix(40) {
        let size = Int.random(in: 1...2_000, using: &random)
        let again = try DocumentSource(paths: files, blockSize: size, limit: limit, open: opened)
        try again.start(at: position)
        let rest = try documents(again)
        let equal = rest.documents == Array(whole.documents[count...])
        #expect(equal, "\(position), blocks of \(size)")
        if !slowly { #expect(again.bytesRead == again.totalBytes) }
      }
      #expect(
        errorMessage { try DocumentSource(paths: [files[3]]).startAndRead(DocumentSource.Position(file: 0, byte: 1 << 20, line: 9)) }
          .contains(
            "ends before"))
    }
  }

  @Test func aFileThatChangedIsAnotherOne() throws {
    try withTemporaryFolder { folder in
      try Files.write([1], to: folder + "/a")
      func identity() throws -> JSONValue? { try DocumentSource(paths: [folder]).identity() }
      let first = try identity()
      #expect(try first != nil && first == identity())
      try Files.write([2], to: folder + "/a")
      #expect(try first != identity())
      #expect(try DocumentSource(paths: ["-"]).identity() == nil)
    }
  }

  /// A run over made-up documents in blocks of `size`, given up behind `end` of them.
  private func write(_ path: String, job: JSONValue?, size: Int, until end: Int = .max) throws -> (resumed: Int, manifest: Manifest?) {
    let all = (0..<97).map { number in
      TokenDocument(id: "\(number)", origin: "f:\(number)", bytes: number, tokens: (0..<UInt32(number * 7 % 23)).map { $0 })
    }
    let writer = try TokenDatasetWriter(
      path, tokenizer: "t", tokenizerFile: Array("{}".utf8), vocabulary: 30, endOfDocument: 29, shardTokens: 60, job: job)
    var account = writer.resumption?.accounts.first ?? Account(stage: "read")
    var number = writer.resumption?.position.byte ?? 0
    // What comes before the block is neither read nor counted again.
    #expect(account.input == number)
    while number < all.count {
      let batch = all[number..<min(number + size, all.count)]
      writer.beginBlock(DocumentSource.Position(file: 0, byte: number, line: number + 1), accounts: [account])
      guard number + batch.count <= end else {
        try writer.append(Array(batch.prefix(max(0, end - number))))
        writer.discard()
        return (writer.resumption?.shards ?? 0, nil)
      }
      try writer.append(Array(batch))
      account.input += batch.count
      number += batch.count
    }
    let manifest = try writer.commit(tool: "test")
    #expect(writer.account.isBalanced && writer.account.input == all.count)
    return (writer.resumption?.shards ?? 0, manifest)
  }

  @Test(arguments: [UInt64](0..<4)) func runsGivenUpAnywhereMakeTheSameDataset(_ seed: UInt64) throws {
    try withTemporaryFolder { folder in
      var random = SequentialRandom(seed: seed)
      let expected = try write(folder + "/whole", job: nil, size: 10).manifest
      var resumed = 0
      for _ in 0..<5 {
        let end = Int.random(in: 0..<97, using: &random)
        resumed = max(resumed, try write(folder + "/set", job: "job", size: Int.random(in: 1...30, using: &random), until: end).resumed)
      }
      let last = try write(folder + "/set", job: "job", size: Int.random(in: 1...30, using: &random))
      #expect(last.manifest == expected && last.resumed >= resumed)
      #expect(try Files.entries(of: folder) == ["set", "whole"])
      // Another job, and one that nobody goes on with, begin afresh; so does one whose shards were changed.
      _ = try write(folder + "/set", job: "job", size: 9, until: 90)
      #expect(Files.exists(folder + "/set.journal"))
      #expect(try write(folder + "/set", job: "other", size: 9, until: 90).resumed == 0)
      #expect(try write(folder + "/set", job: "other", size: 9, until: 90).resumed > 3)
      try Files.write([0], to: folder + "/set.partial/shard-00002.bin")
      #expect(try write(folder + "/set", job: "other", size: 9, until: 20).resumed == 2)
      #expect(try write(folder + "/set", job: nil, size: 9) == (0, expected))
      #expect(!Files.exists(folder + "/set.journal"))
    }
  }
}

/// A file in pieces of a few hundred bytes.
private final class Trickle: ByteSource {
  private let reader: ByteReader
  var path: String { reader.path }
  init(_ path: String) throws { reader = try ByteReader(path) }
  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    try reader.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer.prefix(300)))
  }
}

extension DocumentSource {
  fileprivate func startAndRead(_ position: Position) throws {
    try start(at: position)
    _ = try next()
  }
}
