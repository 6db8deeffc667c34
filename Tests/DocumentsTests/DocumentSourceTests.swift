import Documents
import Foundation
import Pipeline
import Primitives
import Storage
import TestSupport
import Testing
import Tokens

@Suite struct DocumentSourceTests {
  private func lines(_ range: Range<Int>, long: Int? = nil) -> String {
    range.map { number in
      let text = number == long ? String(repeating: "x", count: 5_000) : "text \(number)"
      return "{\"id\": \"\(number)\", \"text\": \"\(text)\"}\n"
    }.joined()
  }

  @Test func blocksOfEverySizeGiveTheSame() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a.jsonl"
      for ending in ["", "\n", "{\"text\": \"no newline\"}"] {
        try Files.write(Array((lines(0..<300, long: 150) + ending).utf8), to: path)
        let expected = try readAll([path])
        #expect(expected.documents.count == 300 + (ending.count > 1 ? 1 : 0))
        for size in [1, 10, 100, 4_000, 70_000] {
          let parsed = try readAll([path], blockSize: size)
          #expect(parsed.documents == expected.documents)
          #expect(parsed.tally.account.input == expected.tally.account.input)
        }
        #expect(expected.documents[299].origin == "\(path):300")
      }
    }
  }

  @Test func everyCompressionIsRead() throws {
    try withTemporaryFolder { folder in
      let bytes = Array(lines(0..<50).utf8)
      try Files.write(bytes, to: folder + "/a.jsonl")
      let sink = try DocumentSink(path: folder + "/b.jsonl.zst")
      try sink.write(bytes, records: 50)
      #expect(try sink.finish()?.name == "b.jsonl.zst")
      let process = Process()
      process.executableURL = URL(fileURLWithPath: "/bin/gzip")
      process.arguments = ["-k", folder + "/a.jsonl"]
      try process.run()
      process.waitUntilExit()
      let expected = try readAll([folder + "/a.jsonl"]).documents.map(\.text)
      for name in ["b.jsonl.zst", "a.jsonl.gz"] {
        #expect(try readAll([folder + "/" + name]).documents.map(\.text) == expected)
        let file = try Files.read(folder + "/" + name)
        try Files.write(Array(file.dropLast(60)), to: folder + "/cut")
        #expect(errorMessage { _ = try readAll([folder + "/cut"]) }.contains("ends within a"))
      }
    }
  }

  @Test func foldersAreReadInOrder() throws {
    try withTemporaryFolder { folder in
      try Files.createFolder(folder + "/sub")
      try Files.write(Array(lines(0..<2).utf8), to: folder + "/z.jsonl")
      try Files.write(Array("plain text\nof two lines".utf8), to: folder + "/sub/p.txt")
      try Files.write(Array(lines(2..<3).utf8), to: folder + "/a.weird")
      try Files.write(Array("no brace".utf8), to: folder + "/b.weird")
      try Files.write([0xEF, 0xBB, 0xBF] + Array(lines(3..<4).utf8), to: folder + "/c.json")
      try Files.write([0xEF, 0xBB, 0xBF] + Array("with a mark".utf8), to: folder + "/d.txt")
      try Files.write([1], to: folder + "/.hidden")
      let parsed = try readAll([folder])
      #expect(parsed.tally.rejects.isEmpty)
      #expect(
        parsed.documents.map(\.id) == ["2", folder + "/b.weird", "3", folder + "/d.txt", folder + "/sub/p.txt", "0", "1"])
      #expect(String(decoding: parsed.documents[4].text, as: UTF8.self) == "plain text\nof two lines")
      #expect(String(decoding: parsed.documents[3].text, as: UTF8.self) == "with a mark")
    }
  }

  @Test func aTextIsOneDocumentHoweverLong() throws {
    try withTemporaryFolder { folder in
      let text = Array(String(repeating: "line\n", count: 60_000).utf8)
      try Files.write(text, to: folder + "/a.txt")
      let parsed = try readAll([folder + "/a.txt"], blockSize: 1_000)
      #expect(parsed.documents.map(\.text) == [text])
      #expect(parsed.documents.first?.id == folder + "/a.txt")
    }
  }

  @Test func whatIsLongerThanTheLimitIsQuarantined() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a.jsonl"
      try Files.write(Array(lines(0..<300, long: 150).utf8), to: path)
      // The block's size and the pieces that a file is read in do not decide.
      for size in [1, 100, 4_000, 1 << 20] {
        let parsed = try readAll([path], blockSize: size, limit: 1_000)
        #expect(parsed.documents.map(\.id) == (0..<300).filter { $0 != 150 }.map(String.init))
        #expect(parsed.documents.last?.origin == "\(path):300")
        let account = parsed.tally.account
        #expect(account.isBalanced && account.input == 300)
        #expect(account.quarantined == ["longer than 1000 bytes (--max-document)": 1])
        #expect(parsed.tally.rejects.map(\.origin) == ["\(path):151"])
      }
      let length = lines(150..<151, long: 150).utf8.count - 1
      #expect(try readAll([path], limit: length).documents.count == 300)
      #expect(try readAll([path], blockSize: 10, limit: length - 1).documents.count == 299)
      try Files.write(Array(repeating: 0x78, count: 5_000), to: folder + "/b.txt")
      #expect(try readAll([folder + "/b.txt"], limit: 5_000).documents.count == 1)
      #expect(try readAll([folder + "/b.txt"], limit: 4_999).tally.account.quarantinedTotal == 1)
    }
  }

  @Test func whatIsMissingIsSaid() throws {
    try withTemporaryFolder { folder in
      #expect(
        errorMessage { _ = try DocumentSource(paths: [folder + "/none"]) } == "\(folder)/none: no such file or folder; check the path")
      #expect(errorMessage { _ = try DocumentSource(paths: [folder]) }.contains("folder without files"))
      #expect(errorMessage { _ = try DocumentSource(paths: ["-", "-"]) }.contains("named twice"))
      try Files.write([], to: folder + "/empty.jsonl")
      let source = try DocumentSource(paths: [folder])
      #expect(try source.next() == nil)
      try source.finish()
      #expect(source.warnings == ["\(folder)/empty.jsonl: empty file"])
      #expect(source.totalBytes == 0)
      #expect(errorMessage { _ = try DocumentFile.readAll([folder]) }.contains("no documents"))
      try Files.write(Array("{\n".utf8), to: folder + "/bad.jsonl")
      #expect(errorMessage { _ = try DocumentFile.readAll([folder]) }.hasPrefix("\(folder)/bad.jsonl:1: broken JSON"))
    }
  }

  @Test func progressReachesTheTotal() throws {
    try withTemporaryFolder { folder in
      try Files.write(Array(lines(0..<500).utf8), to: folder + "/a.jsonl")
      try Files.write(Array(lines(0..<5).utf8), to: folder + "/b.jsonl")
      let source = try DocumentSource(paths: [folder], blockSize: 100)
      #expect(errorMessage { try source.finish() }.contains("was not read to its end"))
      while try source.next() != nil {}
      #expect(source.bytesRead == source.totalBytes)
      #expect(source.lines == 505)
    }
  }

  @Test func aSinkThatIsGivenUpLeavesNothing() throws {
    try withTemporaryFolder { folder in
      let sink = try DocumentSink(path: folder + "/a.jsonl")
      try sink.write(Array(lines(0..<3).utf8), records: 3)
      sink.discard()
      #expect(try Files.entries(of: folder).isEmpty)
    }
  }

  @Test func aStreamOfTokensIsNoDocuments() throws {
    try withTemporaryFolder { folder in
      let writer = try TokenStreamWriter(
        path: folder + "/t.zst", header: TokenStreamHeader(tokenizer: "t", vocabulary: 3, endOfDocument: 0))
      try writer.finish()
      #expect(errorMessage { _ = try readAll([folder + "/t.zst"]) }.contains("contains token documents, not documents"))
      try Files.write(Array(lines(0..<3).utf8), to: folder + "/a.jsonl")
      #expect(errorMessage { _ = try TokenStreamReader(path: folder + "/a.jsonl") }.contains("weir tokenize"))
    }
  }

  @Test func aStreamWithoutItsProofIsRefused() throws {
    try withTemporaryFolder { folder in
      let bytes = Array(lines(0..<20).utf8)
      for records in [20, 19] {
        let writer = try StreamWriter(folder + "/s", kind: .documents, coding: .stream(level: 1))
        try writer.write(bytes, records: records)
        try writer.finish()
        let problem = errorMessage { _ = try readAll([folder + "/s"]) }
        #expect(records == 20 ? problem.isEmpty : problem.contains("the end marker says 19 records, but 20 arrived"))
      }
      let file = try Files.read(folder + "/s")
      for count in 29..<file.count {
        try Files.write(Array(file[..<count]), to: folder + "/cut")
        #expect(errorMessage { _ = try readAll([folder + "/cut"]) }.contains("before its end marker"), "\(count)")
      }
    }
  }
}
