import Documents
import Foundation
import Primitives
import Storage
import TestSupport
import Testing

@Suite struct FileContentTests {
  private func read(_ bytes: [UInt8], name: String = "a.jsonl", blockSize: Int = 1 << 20) throws -> Parsed {
    try withTemporaryFolder { folder in
      let file = try AtomicFile(folder + "/" + name)
      try file.write(bytes)
      _ = try file.commit()
      return try readAll([folder], blockSize: blockSize)
    }
  }

  private func texts(_ json: String, blockSize: Int = 1 << 20) throws -> [String] {
    try read(Array(json.utf8), blockSize: blockSize).documents.map { String(decoding: $0.text, as: UTF8.self) }
  }

  @Test func otherContentIsNamedAndRefused() throws {
    let tar = [UInt8](repeating: 0x61, count: 257) + Array("ustar".utf8)
    let cases: [(String, [UInt8], String)] = [
      ("a.jsonl.xz", [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0, 1], "is compressed with xz; convert it: xz -dc"),
      ("a.jsonl.bz2", Array("BZh9".utf8), "is compressed with bzip2"), ("a.tar", tar, "is a tar archive"),
      ("a.txt", tar, "is a tar archive"),
      ("a.jsonl", [0xFF, 0xFE, 0x7B, 0], "is UTF-16 text"), ("a.txt", [0xFE, 0xFF, 0, 0x61], "is UTF-16 text"),
      ("a.json", [0x7B, 0, 0x22, 0], "is UTF-16 text"), ("a.txt", [0xFF, 0xFE, 0, 0, 0x61], "is UTF-32 text"),
      ("a.txt", Array("hello".utf8).flatMap { [$0, 0] }, "is UTF-16 text, not documents; convert it: iconv -f UTF-16LE"),
      ("a.md", Array("hello".utf8).flatMap { [0, 0, 0, $0] }, "is UTF-32 text, not documents; convert it: iconv -f UTF-32BE"),
      ("a.txt", [UInt8](repeating: 0, count: 100), "contains binary data"), ("a.csv", Array("id,text".utf8), "is a table (.csv)"),
      ("a.parquet", Array("text".utf8), "does not begin like Parquet"), ("a", [0x61, 0, 0x62], "contains binary data"),
      ("b.zip", Array("PK\u{3}\u{4}".utf8), "is a zip archive"),
      ("c.pdf", Array("%PDF-1.7".utf8), "is a PDF"),
    ]
    for (name, bytes, message) in cases {
      #expect(errorMessage { _ = try read(bytes, name: name) }.contains(message), "\(name)")
    }
  }

  @Test func aTextMayContainAZero() throws {
    let text = Array("a text with a stray \0 in it".utf8)
    for name in ["a.txt", "a.TXT"] { #expect(try read(text, name: name).documents.map(\.text) == [text]) }
  }

  @Test func aTarInGzipIsNoDocument() throws {
    try withTemporaryFolder { folder in
      try Files.write(Array("a text".utf8), to: folder + "/x")
      let process = Process()
      process.executableURL = URL(fileURLWithPath: "/bin/tar")
      process.arguments = ["czf", folder + "/b.tar.gz", "-C", folder, "x"]
      try process.run()
      process.waitUntilExit()
      #expect(errorMessage { _ = try readAll([folder]) }.contains("b.tar.gz: is a tar archive, not documents"))
      try Files.remove(folder + "/b.tar.gz")
      let source = try DocumentSource(paths: [folder])
      while try source.next() != nil {}
      #expect(source.warnings.first?.contains("read as plain text") == true)
    }
  }

  @Test func elementsOfArraysAreRead() throws {
    let array =
      "  [ {\"text\": \"a, ]\"},\n {\"id\": 1,\n\t\"text\": \"b\\\"\" , \"m\": [1,  {\"x\": 2}]}\n, {\"text\":\"c\"}] \n"
    for size in [1, 7, 1 << 20] { #expect(try texts(array, blockSize: size) == ["a, ]", "b\"", "c"]) }
    let parsed = try read(Array(array.utf8))
    #expect(parsed.documents[1].members == Array(#""m": [1, {"x": 2}]"#.utf8))
    #expect(parsed.documents.map(\.origin).allSatisfy { $0.contains("a.jsonl:") } && parsed.documents[2].origin.hasSuffix(":3"))
    #expect(try texts("[]") == [])
    #expect(try texts("\u{FEFF}[{\"text\": \"a\"}]") == ["a"])
    #expect(try texts("{\n  \"text\": \"a\"\n}\n{\n  \"text\": \"b\"\n}\n") == ["a", "b"])
    #expect(try texts(#"[{"text": "a"}]"# + "\n" + #"[{"text": "b"}]"#) == ["a", "b"])
    #expect(try read(Array(#"[{"text": "a"}, 3, "x"]"#.utf8)).tally.rejects.map(\.reason) == ["not an object", "not an object"])
    for truncated in [#"[{"text": "a"}, {"#, #"[{"text": "a"}"#, #"[{"text": "a"#] {
      #expect(errorMessage { _ = try texts(truncated) }.contains("ends within a JSON array"))
    }
    // Arrays on lines of their own are no documents.
    #expect(try read(Array("[1]\n[2]\n".utf8)).tally.rejects.count == 2)
  }

  @Test func foldersThatLinksLeadToAreReadOnce() throws {
    try withTemporaryFolder { folder in
      try Files.write(Array("{\"text\": \"a\"}\n".utf8), to: folder + "/a.jsonl")
      for name in ["x", "y"] { try FileManager.default.createSymbolicLink(atPath: folder + "/" + name, withDestinationPath: ".") }
      #expect(try Files.walk(folder) == ["a.jsonl"])
    }
  }

  @Test func aPipeInAFolderIsRefused() throws {
    try withTemporaryFolder { folder in
      #expect(mkfifo(folder + "/p", 0o600) == 0)
      #expect(errorMessage { _ = try readAll([folder]) }.contains("p: is not a regular file"))
    }
  }

  @Test func namesAreBytes() throws {
    try withTemporaryFolder { folder in
      for (number, name) in [[0x61, 0xFF, 0xE9], [0xF4, 0x8F, 0xBF, 0x80], Array("é".utf8), [0xC3]].enumerated() {
        let path = Array(folder.utf8) + [0x2F] + name + Array(".jsonl".utf8) + [0]
        let descriptor = path.withUnsafeBufferPointer {
          $0.withMemoryRebound(to: CChar.self) { open($0.baseAddress!, O_WRONLY | O_CREAT, 0o600) }
        }
        let line = Array("{\"text\": \"\(number)\"}\n".utf8)
        #expect(descriptor >= 0 && write(descriptor, line, line.count) == line.count)
        close(descriptor)
      }
      #expect(try readAll([folder]).documents.count == 4)
      #expect(Set(try Files.entries(of: folder)).count == 4)
      for path in try Files.walk(folder) { #expect(try readAll([folder + "/" + path]).documents.count == 1) }
    }
  }

  @Test func artifactsAreNoDocuments() throws {
    try withTemporaryFolder { folder in
      try Files.write(Array(#"{"format": "weir.token-dataset.1"}"#.utf8), to: folder + "/manifest.json")
      #expect(errorMessage { _ = try readAll([folder]) }.contains("is a token dataset, not a folder of documents"))
    }
  }
}
