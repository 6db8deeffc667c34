import Foundation
import Testing

/// The table of unusual inputs in `docs/FORMATS.md`.
@Suite struct OddInputTests {
  private static func nested(_ depth: Int) -> String {
    #"{"text":"x","m":"# + String(repeating: "[", count: depth - 1) + String(repeating: "]", count: depth - 1) + "}"
  }

  /// Reads a line between two good ones and checks the reason for its quarantine; without a reason, the line passes.
  @Test(arguments: [
    (#"{"text":"a\u0000b"}"#, ""), ("{\"text\":\"a\0b\"}", "broken JSON"), ("{\"text\":\"a\"}\0", "broken JSON"),
    ("{\"text\":\"a\\r\\nb\"}\r", ""), ("\u{FEFF}{\"text\":\"a\"}", "broken JSON"), ("{\"text\":\"\u{FEFF}a\"}", ""),
    (#"{"text":"\ud800"}"#, "broken JSON"), (#"{"text":"\udc00 \ud83d\ude00"}"#, "broken JSON"),
    (#"{"text":"x","m":"\ud800"}"#, "broken JSON"),
    (#"{"text":"x","text":"y"}"#, "a member twice"), (#"{"id":1,"text":"x","id":2}"#, "a member twice"),
    (#"{"text":"x","m":1, "m":2}"#, ""),
    (#"{"text":"x","m":1e400}"#, ""), (#"{"text":"x","m":-1e400}"#, ""), (#"{"text":"x","m":1e-400}"#, ""),
    (#"{"text":"x","m":18446744073709551615}"#, ""), (#"{"text":"x","m":18446744073709551616}"#, ""),
    (#"{"text":"x","m":-9223372036854775808}"#, ""), (#"{"text":"x","m":-9223372036854775809}"#, ""),
    (#"{"text":"x","m":0.10000000000000000000000000000001}"#, ""),
    (nested(1_024), ""), (nested(1_025), "broken JSON"), (nested(100_000), "broken JSON"),
  ])
  func aLine(_ line: String, _ reason: String) throws {
    try inFolder { binary in
      try binary.write("odd.jsonl", "{\"text\":\"first\"}\n\(line)\n{\"text\":\"last\"}\n")
      let result = try binary.weir("read", "odd.jsonl", "-o", "out.jsonl", "--max-bad", "1", "--rejects", "rejects.jsonl")
      #expect(result.code == 0 && result.complaints.isEmpty, "\(result.errors)")
      let lines = String(decoding: binary.read("out.jsonl") ?? [], as: UTF8.self).split(separator: "\n")
      #expect(lines.count == (reason.isEmpty ? 3 : 2), "\(result.errors)")
      let rejects = String(decoding: binary.read("rejects.jsonl") ?? [], as: UTF8.self)
      #expect(reason.isEmpty ? rejects.isEmpty : rejects.contains("\"odd.jsonl:2\",\"reason\":\"\(reason)\""), "\(rejects)")
      // The members of accepted documents are unchanged.
      if reason.isEmpty, let member = line.firstRange(of: "\"m\":") {
        #expect(lines.contains { $0.hasSuffix(line[member.lowerBound...]) }, "\(lines)")
      }
    }
  }

  @Test func aTextFileIsKeptAsItIs() throws {
    try inFolder { binary in
      try binary.write("a.txt", Array("one\r\ntwo\0three\r\n".utf8))
      let result = try binary.weir("read", "a.txt", "--plain")
      #expect(result.text == #"{"id": "a.txt", "text": "one\r\ntwo\u0000three\r\n", "origin": "a.txt:1"}"# + "\n", "\(result.errors)")
    }
  }

  @Test func aLongLineWithinTheLimitIsRead() throws {
    try inFolder { binary in
      let text = String(repeating: "0123456789é\\n", count: 400_000)
      try binary.write("long.jsonl", "{\"text\":\"first\"}\n{\"text\":\"\(text)\"}\n{\"text\":\"last\"}")
      let result = try binary.weir("read", "long.jsonl", "-o", "out.jsonl")
      #expect(result.code == 0, "\(result.errors)")
      #expect(
        String(decoding: binary.read("out.jsonl") ?? [], as: UTF8.self).contains(", \"text\": \"\(text)\", \"origin\": \"long.jsonl:2\"}"))
    }
  }

  /// Memory stays far below the decompressed size, where a program to measure it is installed.
  @Test func aFileThatUnfoldsWithoutEndStaysSmall() throws {
    try inFolder { binary in
      let result = try binary.shell(
        """
        (echo '{"text":"good"}'; printf '{"text":"'; head -c 100000000 /dev/zero | tr '\\0' x) | zstd -q > bomb.jsonl.zst
        $([ -x /usr/bin/time ] && echo /usr/bin/time -f 'peak:%M') "\(Binary.path)" read bomb.jsonl.zst --max-document 1M --max-bad 1 --plain
        """)
      #expect(result.code == 0, "\(result.errors)")
      #expect(result.text.contains("\"text\": \"good\""), "\(result.text)")
      #expect(result.errors.contains("2 in, 1 out, 1 quarantined"), "\(result.errors)")
      let peak = result.errors.split(separator: "\n").first { $0.hasPrefix("peak:") }.flatMap { Int($0.dropFirst(5)) }
      if let peak { #expect(peak < 90_000, "\(peak) kB") }
    }
  }

  /// A zstd frame with one raw block whose header declares a window of 2^exponent bytes.
  private func frame(window exponent: Int) -> [UInt8] {
    let content = Array("{\"text\":\"x\"}\n".utf8)
    return [0x28, 0xB5, 0x2F, 0xFD, 0, UInt8((exponent - 10) << 3), UInt8(1 | content.count << 3), 0, 0] + content
  }

  @Test func aWindowAboveTheLimitIsAnError() throws {
    try inFolder { binary in
      try binary.write("in.jsonl.zst", frame(window: 31))
      #expect(try binary.weir("read", "in.jsonl.zst", "--plain").text.contains("\"text\": \"x\""))
      try binary.write("in.jsonl.zst", frame(window: 32))
      expectFailure(try binary.weir("read", "in.jsonl.zst", "-o", "out.jsonl"), naming: ["in.jsonl.zst@0", "nothing was committed"])
      #expect(binary.read("out.jsonl") == nil)
    }
  }

  @Test func fieldsCanBeNamed() throws {
    try inFolder { binary in
      try binary.write(
        "docs.jsonl",
        """
        {"content":"c1","url":"u1","metadata":{"content":"inner"}}
        {"content":"c2","url":7}
        {"content":"c3"}
        {"metadata":{"content":"only within"}}
        {"content":"c4","url":["x"]}
        {"content":"c5","text":"t"}

        """)
      let result = try binary.weir(
        "read", "docs.jsonl", "--text-field", "content", "--id-field", "url", "--plain", "--max-bad", "1", "--rejects", "rejects.jsonl")
      #expect(result.code == 0, "\(result.errors)")
      let lines = result.text.split(separator: "\n")
      #expect(lines.count == 4, "\(result.text)")
      #expect(
        lines.first == #"{"id": "u1", "text": "c1", "origin": "docs.jsonl:1", "url":"u1", "metadata":{"content":"inner"}}"#,
        "\(result.text)")
      #expect(lines.dropFirst().first?.hasPrefix(#"{"id": "7", "text": "c2""#) ?? false)
      // A missing id is the XXH3-128 of the text.
      #expect(lines[2].split(separator: "\"")[2...].first == ": " && lines[2].contains(#""text": "c3""#), "\(result.text)")
      #expect(lines.last?.hasSuffix(#""original_text": "t"}"#) ?? false, "\(result.text)")
      let rejects = String(decoding: binary.read("rejects.jsonl") ?? [], as: UTF8.self)
      for reason in ["no content", "url is neither a string nor a number"] {
        #expect(rejects.contains(reason), "\(rejects)")
      }
      // A dot in a member name has no special meaning.
      try binary.write("dots.jsonl", #"{"a.b":"x","a":{"b":"y"}}"#)
      #expect(try binary.weir("read", "dots.jsonl", "--text-field", "a.b", "--plain").text.contains(#""text": "x""#))
      #expect(try binary.weir("read", "docs.jsonl", "--text-field", "metadata.content", "-o", "x.jsonl").code == 2)
    }
  }

  @Test func foldersAndPatternsKeepTheirOrder() throws {
    try inFolder { binary in
      for name in ["b", "a", "c"] {
        try binary.write(
          "in/\(name).jsonl", (0..<40).map { "{\"text\":\"\(name) \($0) \(String(repeating: "long ", count: 8_000))\"}\n" }.joined())
      }
      try binary.write("in/.hidden.jsonl", "{\"text\":\"hidden\"}\n")
      let expected = ["a", "b", "c"].flatMap { name in (1...40).map { "in/\(name).jsonl:\($0)" } }
      for line in ["in", "'in/*.jsonl'", "in/a.jsonl 'in/[bc].jsonl'", "'in/?.jsonl' --threads 1", "in --threads 7"] {
        let result = try binary.shell("weir read \(line) --plain")
        let origins = result.text.split(separator: "\n").compactMap { $0.split(separator: "\"").last { $0.hasPrefix("in/") } }
        #expect(origins.map(String.init) == expected, "\(line): \(result.errors)")
      }
      expectFailure(try binary.weir("read", "in/*.txt", "-o", "x.jsonl"), naming: ["in/*.txt", "no such file"])
    }
  }

  @Test func streamsThatFollowOneAnother() throws {
    try inFolder { binary in
      try binary.write("docs.jsonl", Samples.file(30))
      #expect(try binary.shell("weir read docs.jsonl > one; weir tokenizer train docs.jsonl -o tok --vocabulary 300 --quiet").code == 0)
      let both = try binary.shell("cat one one | weir read --plain | wc -l")
      #expect(both.text == "60\n", "\(both.errors)")
      expectFailure(try binary.shell("(cat one; head -c 60 one) | weir read -o x.jsonl"), naming: ["standard input", "end marker"])
      expectFailure(try binary.shell("(cat one; cat docs.jsonl) | weir read -o x.jsonl"), naming: ["standard input", "not zstd"])
      let tokens = try binary.shell("weir tokenize docs.jsonl --tokenizer tok > t; cat t t | weir shard set")
      #expect(tokens.code == 1 && tokens.errors.contains("concatenation of streams"), "\(tokens.errors)")
      #expect(!binary.names.contains("set") && !binary.names.contains("x.jsonl"))
    }
  }
}
