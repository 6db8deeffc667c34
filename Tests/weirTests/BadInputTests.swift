import Foundation
import Testing

/// Malformed documents, damaged files, and inputs and outputs that cannot be opened.
@Suite struct BadInputTests {
  static let good = #"{"id":"a","text":"hello"}"#

  /// Runs `body` in a folder with the given files, and checks that the failed run added nothing to it.
  private func unchanged(_ files: [String: String] = [:], _ body: (Binary) throws -> Binary.Result) throws -> Binary.Result {
    try inFolder { binary in
      for (name, text) in files { try binary.write(name, text) }
      let before = try binary.snapshot()
      let result = try body(binary)
      let after = try binary.snapshot()
      #expect(before == after)
      return result
    }
  }

  @Test(arguments: [
    (#"{"id":"b","text":"hel"#, "broken JSON"), (#"{"id":"b","txt":"x"}"#, "no text"), (#"{"id":"b","text":5}"#, "text is not a string"),
    ("[1,2]", "not an object"), ("nonsense", "broken JSON"), (#"{"id":"b","text":"\ud800"}"#, ""),
  ])
  func aBadLineIsQuarantined(_ line: String, _ reason: String) throws {
    try inFolder { binary in
      try binary.write("bad.jsonl", "\(Self.good)\n\(line)\n\(Self.good)\n")
      let result = try binary.weir("read", "bad.jsonl", "-o", "out.jsonl", "--json")
      expectFailure(result, code: 2, naming: ["bad.jsonl:2", reason, "1 of 3", "--max-bad"])
      #expect(result.errors.contains("3 in, 2 out, 1 quarantined"))

      let allowed = try binary.weir("read", "bad.jsonl", "-o", "out.jsonl", "--max-bad", "1", "--rejects", "rejects.jsonl")
      #expect(allowed.code == 0)
      #expect(allowed.complaints.isEmpty)
      let rejects = String(decoding: binary.read("rejects.jsonl") ?? [], as: UTF8.self).split(separator: "\n")
      #expect(rejects.count == 1)
      #expect(rejects.first?.contains(#""origin":"bad.jsonl:2""#) ?? false)
      #expect(reason.isEmpty || rejects.first?.contains(reason) ?? false)
      let out = String(decoding: binary.read("out.jsonl") ?? [], as: UTF8.self)
      #expect(out.split(separator: "\n").count == 2)
    }
  }

  @Test(arguments: [1_000, 3_000_000]) func aLineAboveTheLimitIsQuarantined(_ length: Int) throws {
    try inFolder { binary in
      let long = #"{"id":"long","text":"\#(String(repeating: "x", count: length))"}"#
      try binary.write("docs.jsonl", "\(Self.good)\n\(long)\n\(Self.good)\n")
      let limit = length - 100
      let result = try binary.weir("read", "docs.jsonl", "-o", "out.jsonl", "--max-document", "\(limit)", "--rejects", "rejects.jsonl")
      expectFailure(result, code: 2, naming: ["docs.jsonl:2", "longer than \(limit) bytes (--max-document) 1", "1 of 3"])
      #expect(result.errors.contains("3 in, 2 out, 1 quarantined"))
      #expect(String(decoding: binary.read("out.jsonl") ?? [], as: UTF8.self).split(separator: "\n").count == 2)
      #expect(String(decoding: binary.read("rejects.jsonl") ?? [], as: UTF8.self).contains(#""origin":"docs.jsonl:2""#))
      #expect(try binary.weir("read", "docs.jsonl", "-o", "out.jsonl", "--max-document", "\(length + 100)").code == 0)
    }
  }

  @Test(arguments: [
    (#"{"id":"n","text":"a\u0000b"}"#, 0), (#"{"id":"c","text":"x"}"# + "\r", 0), (#"{"id":"e","text":"x","n":1e400}"#, 0),
    (#"{"id":"d","text":"x","n":1,"n":2}"#, 0), (#"{"id":"d","text":"x","text":"y"}"#, 1), (#"{"id":"l","text":"\udc00"}"#, 1),
    ("{\"id\":\"n\",\"text\":\"a\0b\"}", 1),
    (#"{"id":"p","text":"x","m":"# + String(repeating: "[", count: 2_000) + String(repeating: "]", count: 2_000) + "}", 1),
  ]) func oddLinesCostOnlyThemselves(_ line: String, _ quarantined: Int) throws {
    try inFolder { binary in
      try binary.write("odd.jsonl", "\u{FEFF}\(Self.good)\n\(line)\n\(Self.good)\n")
      let result = try binary.weir("read", "odd.jsonl", "-o", "out.jsonl", "--max-bad", "1")
      #expect(result.code == 0 && result.complaints.isEmpty, "\(result.errors)")
      let lines = String(decoding: binary.read("out.jsonl") ?? [], as: UTF8.self).split(separator: "\n")
      #expect(lines.count == 3 - quarantined, "\(result.errors)")
    }
  }

  @Test func invalidUTF8IsQuarantined() throws {
    try inFolder { binary in
      let bad = Array(#"{"id":"b","text":""#.utf8) + [0xFF, 0xFE, 0xC0] + Array("\"}\n".utf8)
      try binary.write("bad.jsonl", Array("\(Self.good)\n".utf8) + bad)
      expectFailure(try binary.weir("read", "bad.jsonl", "-o", "out.jsonl"), code: 2, naming: ["bad.jsonl:2", "invalid UTF-8"])
      #expect(try binary.weir("read", "bad.jsonl", "-o", "out.jsonl", "--max-bad", "0.5").code == 0)
    }
  }

  @Test func whatIsQuarantinedIsSaidEvenWhenQuiet() throws {
    try inFolder { binary in
      try binary.write("bad.jsonl", "\(Self.good)\nx\n")
      let result = try binary.weir("read", "bad.jsonl", "--quiet", "-o", "out.jsonl")
      expectFailure(result, code: 2, naming: ["bad.jsonl:2"])
      #expect(result.errors.split(separator: "\n").count == 1)
    }
  }

  @Test func aPipeHandsTheLimitOn() throws {
    try inFolder { binary in
      try binary.write("bad.jsonl", "\(Self.good)\nx\n")
      let result = try binary.shell("weir read bad.jsonl | weir dedup --exact -o out.jsonl; echo ${PIPESTATUS[@]}")
      #expect(result.text == "2 0\n")
    }
  }

  @Test(arguments: ["zst", "gz"]) func aTruncatedFile(_ kind: String) throws {
    try inFolder { binary in
      try binary.write("docs.jsonl", Samples.file(200))
      let pack = kind == "gz" ? "gzip -c docs.jsonl > whole" : "weir read docs.jsonl > whole"
      #expect(try binary.shell("\(pack); head -c $(( $(stat -c %s whole) / 2 )) whole > cut.jsonl.\(kind)").code == 0)
      let before = try binary.snapshot()
      for arguments in [["read", "cut.jsonl.\(kind)", "-o", "out.jsonl.zst"], ["dedup", "cut.jsonl.\(kind)", "-o", "out.jsonl"]] {
        expectFailure(try binary.run(arguments), naming: ["cut.jsonl.\(kind)"])
      }
      #expect(try binary.snapshot() == before)
    }
  }

  @Test func aDamagedCompressedFile() throws {
    try inFolder { binary in
      try binary.write("docs.jsonl", Samples.file(200))
      #expect(try binary.shell("weir read docs.jsonl > docs.jsonl.zst").code == 0)
      let whole = try #require(binary.read("docs.jsonl.zst"))
      for place in [0, 1, 5, whole.count / 3, whole.count / 2, whole.count - 20, whole.count - 1] {
        var bytes = whole
        bytes[place] ^= 0x55
        try binary.write("bad.jsonl.zst", bytes)
        let result = try binary.weir("read", "bad.jsonl.zst", "-o", "out.jsonl")
        #expect(result.complaints.count == 1 && !result.errors.contains("crashed"), "byte \(place) of \(whole.count): \(result.errors)")
        #expect([1, 2].contains(result.code))
        if result.code == 1 { #expect(binary.read("out.jsonl") == nil) }
        try? FileManager.default.removeItem(at: binary.folder.appendingPathComponent("out.jsonl"))
      }
    }
  }

  @Test(arguments: ["read", "filter", "dedup"]) func noDocuments(_ command: String) throws {
    expectFailure(
      try unchanged(["empty.jsonl": ""]) { try $0.weir(command, "empty.jsonl", "-o", "out.jsonl") },
      naming: ["empty.jsonl", "no documents"])
    expectFailure(
      try unchanged { try $0.weir(command, "-o", "out.jsonl", input: []) }, naming: ["standard input", "no documents"])
  }

  @Test func noFile() throws {
    expectFailure(try unchanged { try $0.weir("read", "nothere.jsonl", "-o", "out.jsonl") }, naming: ["nothere.jsonl", "no such file"])
    expectFailure(try unchanged { try $0.weir("embed", "nothere") }, naming: ["nothere"])
    expectFailure(try unchanged { try $0.weir("peek", "nothere") }, naming: ["nothere"])
    expectFailure(try unchanged { try $0.weir("verify", "nothere") }, naming: ["nothere"])
    expectFailure(try unchanged { try $0.weir("report", "nothere") }, naming: ["nothere"])
    expectFailure(try unchanged { try $0.weir("run", "nothere.yaml") }, naming: ["nothere.yaml"])
    expectFailure(try unchanged { try $0.weir("generate", "nothere") }, naming: ["nothere"])
    expectFailure(try unchanged { try $0.weir("plan", "fit", "nothere", "-o", "out") }, naming: ["nothere"])
  }

  @Test func aFolderWithoutDocuments() throws {
    expectFailure(
      try unchanged { binary in
        try FileManager.default.createDirectory(at: binary.folder.appendingPathComponent("void"), withIntermediateDirectories: true)
        let result = try binary.weir("read", "void", "-o", "out.jsonl")
        try FileManager.default.removeItem(at: binary.folder.appendingPathComponent("void"))
        return result
      }, naming: ["void"])
  }

  @Test func aFileForAFolderAndAFolderForAFile() throws {
    let files = ["docs.jsonl": Samples.file(3), "folder/x.txt": "text"]
    for arguments in [
      ["embed", "docs.jsonl"], ["feed", "docs.jsonl"], ["train", "docs.jsonl", "-o", "run", "--tokens", "100"],
      ["cluster", "fit", "docs.jsonl", "-o", "tree"], ["eval", "docs.jsonl", "--data", "docs.jsonl"], ["tokenizer", "info", "docs.jsonl"],
      ["read", "docs.jsonl", "-o", "docs.jsonl/out.jsonl"],
      ["tokenizer", "train", "docs.jsonl", "-o", "docs.jsonl", "--vocabulary", "300"],
      ["report", "docs.jsonl"],
    ] {
      expectFailure(try unchanged(files) { try $0.run(arguments) }, naming: ["docs.jsonl"])
    }
    for arguments in [
      ["read", "docs.jsonl", "-o", "folder"], ["embed", "folder"], ["run", "folder"], ["read", "docs.jsonl", "--rejects", "folder"],
      ["dedup", "docs.jsonl", "-o", "folder"],
    ] {
      expectFailure(try unchanged(files) { try $0.run(arguments) }, naming: ["folder"])
    }
  }

  @Test func anOutputThatCannotBe() throws {
    let files = ["docs.jsonl": Samples.file(3)]
    for place in ["/proc/nonexistent/out.jsonl", "docs.jsonl/below/out.jsonl"] {
      expectFailure(try unchanged(files) { try $0.weir("read", "docs.jsonl", "-o", place) }, naming: [place])
      expectFailure(try unchanged(files) { try $0.weir("read", "docs.jsonl", "--rejects", place) }, naming: [place])
    }
  }

  @Test func aFullDisk() throws {
    let files = ["docs.jsonl": Samples.file(30), "dup.jsonl": Samples.file(3) + Samples.file(3)]
    for line in [
      "read docs.jsonl > /dev/full", "read docs.jsonl --plain > /dev/full", "dedup docs.jsonl > /dev/full",
      "verify docs.jsonl --json > /dev/full",
      "peek docs.jsonl > /dev/full",
    ] {
      expectFailure(try unchanged(files) { try $0.shell("weir \(line)") }, naming: ["standard output", "no space left"])
    }
    expectFailure(try unchanged(files) { try $0.weir("read", "docs.jsonl", "-o", "/dev/full") }, naming: ["/dev/full", "no space left"])
    // If the rejects cannot be written, nothing else is written either.
    expectFailure(
      try unchanged(files) { try $0.weir("dedup", "dup.jsonl", "--exact", "--rejects", "/dev/full", "-o", "out.jsonl") },
      naming: ["/dev/full", "no space left"])
    #expect(FileManager.default.fileExists(atPath: "/dev/full"))
  }

  @Test func aReaderThatLeaves() throws {
    try inFolder { binary in
      // Far more than the capacity of a pipe.
      try binary.write("docs.jsonl", Samples.file(1500))
      for line in ["read docs.jsonl", "read docs.jsonl --plain", "dedup docs.jsonl --exact --plain", "peek docs.jsonl --lines 1500"] {
        let result = try binary.shell("weir \(line) | head -c 10 > /dev/null; echo ${PIPESTATUS[0]}")
        #expect(result.text == "0\n", "\(line): \(result.errors)")
        #expect(result.complaints.isEmpty, "\(line): \(result.errors)")
      }
    }
  }
}
