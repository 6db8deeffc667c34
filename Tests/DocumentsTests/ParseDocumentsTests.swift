import Documents
import Foundation
import Pipeline
import Primitives
import Testing

@Suite struct ParseDocumentsTests {
  @Test func aLineIsTakenApart() throws {
    let parsed = try parse(
      #"{"id": "a", "text": "b\nc\u00e9\ud83d\ude00", "source": "s", "added" :  1.0 , "metadata": {"text": "x", "q": "\"}"} }"# + "\n")
    #expect(
      parsed.documents == [
        Document(
          id: "a", text: Array("b\ncé😀".utf8), source: "s",
          members: Array(#""added" :  1.0, "metadata": {"text": "x", "q": "\"}"}"#.utf8), origin: "in.jsonl:1")
      ])
  }

  @Test(arguments: [UInt64](0..<6)) func serializedDocumentsComeBack(_ seed: UInt64) throws {
    var random = SequentialRandom(seed: seed)
    let documents = (0..<200).map { randomDocument($0, &random) }
    let lines = SerializeDocuments.lines(documents)
    let parsed = try parse(lines)
    // Not the arrays themselves in the expectation: a failure would print them.
    let different = zip(parsed.documents, documents).first { $0 != $1 }.map { "\($0.id) differs from \($1.id)" }
    #expect((different ?? "").isEmpty)
    #expect(parsed.documents.count == documents.count)
    let (again, single) = (
      SerializeDocuments.lines(parsed.documents) == lines, documents.flatMap { SerializeDocuments.line($0) + [0x0A] } == lines
    )
    #expect(again && single)
    let account = parsed.tally.account
    #expect(account.isBalanced && account.input == 200)
    // An independent reader agrees on the text.
    for (line, document) in zip(lines.split(separator: 0x0A), documents).prefix(50) {
      let object = try JSONSerialization.jsonObject(with: Data(line)) as? [String: Any]
      #expect((object?["text"] as? String).map { Array($0.utf8) } == document.text)
    }
  }

  /// A text that stands in its line as it would be written is handed through, any other is escaped anew; the bytes tell no difference.
  @Test(arguments: [UInt64](0..<8)) func howATextWasEscapedDoesNotShow(_ seed: UInt64) throws {
    var random = SequentialRandom(seed: seed)
    let ours = [#"\n"#, #"\t"#, #"\""#, #"\\"#, #"\r"#, #"\b"#, #"\f"#], others = [#"\/"#, #"\u0041"#, #"\u00e9"#, #"\u000a"#, #"\u0001"#]
    let plain = ["a", "bc", "é", "😀", "/", "u0041", "nnn", String(repeating: "x", count: 61)]
    var lines = ""
    for number in 0..<400 {
      lines += #"{"id":"\#(number)", "text":""#
      for _ in 0..<Int.random(in: 0..<60, using: &random) {
        let kind = Int.random(in: 0..<50, using: &random)
        let all = kind < 12 ? ours : kind == 12 && number % 2 == 0 ? others : plain
        lines += String(repeating: all[Int.random(in: 0..<all.count, using: &random)], count: Int.random(in: 1...5, using: &random))
      }
      lines += #"" , "more":"\\" }"# + "\n"
    }
    let documents = try parse(lines).documents
    #expect(documents.count == 400)
    let anew = documents.map { Document(id: $0.id, text: $0.text, members: $0.members, origin: $0.origin) }
    #expect(documents == anew)
    let (written, again) = (SerializeDocuments.lines(documents), SerializeDocuments.lines(anew))
    #expect(written.elementsEqual(again))
    var changed = documents
    for index in changed.indices { changed[index].text.append(0x22) }
    #expect(try parse(SerializeDocuments.lines(changed)).documents == changed)
    for (line, document) in zip(lines.split(separator: "\n"), documents) {
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      #expect((object?["text"] as? String).map { Array($0.utf8) } == document.text)
    }
  }

  @Test func everyBadLineSaysWhy() throws {
    let cases: [(String, String)] = [
      ("{", "broken JSON"), ("nonsense", "broken JSON"), (#"{"text": "a"} x"#, "broken JSON"), (#"{"text": "a"}{}"#, "broken JSON"),
      (#"{"text": "a",}"#, "broken JSON"), (#"{"text": 'a'}"#, "broken JSON"), (#"{"text": "a"#, "broken JSON"),
      ("[1]", "not an object"), ("\"text\"", "not an object"), ("3", "not an object"), ("null", "not an object"),
      ("{}", "no text"), (#"{"id": "x"}"#, "no text"), (#"{"a": {"text": "x"}}"#, "no text"),
      (#"{"text": 3}"#, "text is not a string"), (#"{"text": null}"#, "text is not a string"),
      (#"{"text": ["a"]}"#, "text is not a string"), (#"{"text": "a", "id": {}}"#, "id is neither a string nor a number"),
      (#"{"text": "a", "text": "b"}"#, "a member twice"), (#"{"text": "a", "te\u0078t": "b"}"#, "a member twice"),
      (#"{"text": 1, "text": "b"}"#, "a member twice"), (#"{"id": "a", "id": "b", "text": ""}"#, "a member twice"),
      (#"{"text": "", "source": "a", "source": 3}"#, "a member twice"),
      (#"{"text": "", "origin": 3, "original_origin": 4}"#, "a member that would be renamed to original_…, and one with that name"),
      (#"{"text": "a", "n": nano}"#, "broken JSON"), (#"{"text": "a", "n": NaN1}"#, "broken JSON"),
      (#"{"text": NaN}"#, "text is not a string"),
      (#"{"text": "\ud800"}"#, "*"), (#"{"text": "\udc00"}"#, "*"), (#"{"text": "\ud800\u0041"}"#, "*"),
      (#"{"text": "", "id": "\udfff"}"#, "*"), (#"{"text": "\x"}"#, "broken JSON"),
    ]
    for (line, reason) in cases {
      let parsed = try parse(line + "\n" + #"{"text": "good"}"# + "\n")
      #expect(parsed.documents.map(\.text) == [Array("good".utf8)], "\(line)")
      #expect(parsed.documents.first?.origin == "in.jsonl:2")
      let reject = try #require(parsed.tally.rejects.first)
      #expect(reason == "*" || reject.reason == reason, "\(line): \(reject.reason)")
      #expect(reject.origin == "in.jsonl:1" && reject.record == Array(line.utf8) && reject.stage == "read")
      #expect(parsed.tally.account.isBalanced)
      #expect(parsed.tally.account.quarantinedTotal == 1)
    }
  }

  @Test func bytesThatAreNoUTF8AreQuarantined() throws {
    let bad: [[UInt8]] = [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE2, 0x82], [0x80]]
    for bytes in bad {
      let parsed = try parse(Array(#"{"text": "a"#.utf8) + bytes + Array("\"}\n".utf8))
      #expect(parsed.documents.isEmpty)
      #expect(parsed.tally.rejects.map(\.reason) == ["invalid UTF-8"], "\(bytes)")
      var tally = Tally(stage: "read", keepsRejects: true)
      let text = LineBlock(path: "a.txt", firstLine: 1, content: Array("x".utf8) + bytes, kind: .text)
      #expect(try ParseDocuments().apply(text, tally: &tally).isEmpty)
      #expect(tally.rejects.map(\.reason) == ["invalid UTF-8"] && tally.account.isBalanced)
    }
  }

  @Test func blankLinesAndCarriageReturnsDoNotCount() throws {
    let parsed = try parse("\r\n\n  \t\n{\"text\": \"a\"}\r\n\n{\"text\": \"b\"}")
    #expect(parsed.documents.map(\.origin) == ["in.jsonl:4", "in.jsonl:6"])
    #expect(parsed.documents.map(\.text) == [[0x61], [0x62]])
    #expect(parsed.tally.account.input == 2)
    #expect(try parse("").documents.isEmpty)
    #expect(try parse("\n\n").tally.account.input == 0)
  }

  @Test func anIdIsMadeOfTheContent() throws {
    let parsed = try parse(
      "{\"text\": \"a\"}\n{\"text\": \"a\", \"id\": null}\n{\"text\": \"b\"}\n{\"text\": \"b\", \"id\": 7}\n{\"id\": \"\", \"text\": \"\"}\n"
    )
    let ids = parsed.documents.map(\.id)
    #expect(ids[0] == ids[1] && ids[0] != ids[2] && ids[0].count == 32)
    #expect(ids[3] == "7" && ids[4] == "")
    #expect(parsed.documents.allSatisfy { $0.members.isEmpty })
  }

  @Test func hugeIdsAndNumbersStay() throws {
    let id = String(repeating: "é", count: 100_000)
    let parsed = try parse(
      "{\"id\": \"\(id)\", \"text\": \"\"}\n{\"id\": 123456789012345678901234567890.5e10, \"text\": \"\", \"n\": 1e400000}\n")
    #expect(parsed.documents.map(\.id) == [id, "123456789012345678901234567890.5e10"])
    #expect(parsed.documents.last?.members == Array("\"n\": 1e400000".utf8))
    let large = #""a": 18446744073709551616, "b": [-1e400, {"c": 0.1E+999}], "d": "1e400", "e": 7"#
    #expect(try parse("{\"text\": \"\", \(large)}\n").documents.first?.members == Array(large.utf8))
    #expect(try parse("{\"text\": \"\", \"x\": NaN, \(large)}\n").documents.first?.members == Array("\"x\": null, \(large)".utf8))
    for wrong in ["01e400", "1e", "-", "1.e400", "1e400x", "18446744073709551616.", "--1e400"] {
      #expect(try parse("{\"text\": \"\", \"x\": \(wrong)}\n").tally.rejects.map(\.reason) == ["broken JSON"], "\(wrong)")
    }
    let exact = try parse("{\"id\": 18446744073709551615, \"text\": \"\", \"n\": 0.10}\n")
    #expect(exact.documents.first?.id == "18446744073709551615")
    #expect(exact.documents.first?.members == Array("\"n\": 0.10".utf8))
  }

  @Test func otherFieldsCanBeNamed() throws {
    let stage = ParseDocuments(textField: "content", idField: "url")
    let parsed = try parse(
      "{\"id\": 1, \"url\": \"u\", \"content\": \"c\"}\n{\"text\": \"t\", \"content\": \"c\"}\n{\"text\": \"t\"}\n", stage: stage)
    #expect(
      parsed.documents.map { String(decoding: $0.members, as: UTF8.self) }
        == [#""url": "u", "original_id": 1"#, #""original_text": "t""#])
    #expect(parsed.documents.first?.id == "u" && parsed.documents.map(\.text) == [[0x63], [0x63]])
    #expect(parsed.tally.rejects.map(\.reason) == ["no content"])
    // Read again, the id is what it is read from.
    let again = try parse(SerializeDocuments.lines(parsed.documents), stage: ParseDocuments(idField: "url"))
    #expect(again.documents.first == parsed.documents.first)
  }

  @Test func aCorpussOwnOriginIsKeptUnderAnotherName() throws {
    let ours = #"{"id": "a", "text": "b", "source": "s", "origin": "x y.jsonl:12", "n": 1}"#
    #expect(try parse(ours).documents.first?.origin == "x y.jsonl:12")
    for theirs in [#"{"url": "x"}"#, #""wikipedia""#, "3", #"["a:1"]"#, #""https://example.org:8080""#, #""page:0""#, #"":7""#, "true"] {
      let parsed = try parse(#"{"id": "a", "text": "b", "origin": \#(theirs), "n": 1}"#)
      #expect(parsed.documents.first?.origin == "in.jsonl:1")
      #expect(parsed.documents.first.map { String(decoding: $0.members, as: UTF8.self) } == #""n": 1, "original_origin": \#(theirs)"#)
      let again = try parse(SerializeDocuments.lines(parsed.documents), path: "-")
      #expect(again.documents == parsed.documents)
    }
    // weir writes it behind id, text and source.
    #expect(try parse(#"{"text": "b", "origin": "host:80"}"#).documents.first?.origin == "in.jsonl:1")
  }

  @Test func numbersThatAreNotFiniteBecomeNull() throws {
    let line = #"{"text": "NaN, Infinity", "a": NaN, "b": [-Infinity, nan, {"c":inf}], "d": -inf, "e": "\" NaN", "Infinity": 1 }"#
    let parsed = try parse(line + "\n" + #"{"text": "x"}"#)
    #expect(parsed.documents.count == 2 && parsed.tally.account.extra == ["NaN read as null": 5])
    #expect(
      parsed.documents.first.map { String(decoding: $0.members, as: UTF8.self) }
        == #""a": null, "b": [null, null, {"c":null}], "d": null, "e": "\" NaN", "Infinity": 1"#)
    #expect(parsed.documents.first?.text == Array("NaN, Infinity".utf8))
  }

  @Test func anOriginIsKeptAlongAPipe() throws {
    let first = try parse("{\"text\": \"a\"}\n")
    let second = try parse(SerializeDocuments.lines(first.documents), path: "-")
    #expect(second.documents == first.documents)
    #expect(second.documents.first?.origin == "in.jsonl:1")
    for none in ["", ", \"origin\": \"\"", ", \"origin\": null"] {
      #expect(try parse("{\"text\": \"a\"\(none)}\n").documents.first?.origin == "in.jsonl:1")
    }
  }

  @Test func deepNestingIsAReasonNotACrash() throws {
    let deep = "{\"text\": \"a\", \"m\": " + String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000) + "}\n"
    #expect(try parse(deep).tally.rejects.map(\.reason) == ["broken JSON"])
  }

  @Test(arguments: [UInt64](0..<4)) func noDamageTraps(_ seed: UInt64) throws {
    var random = SequentialRandom(seed: seed, stream: 7)
    let lines = SerializeDocuments.lines((0..<20).map { randomDocument($0, &random) })
    for _ in 0..<400 {
      var damaged = lines
      for _ in 0..<Int.random(in: 1...8, using: &random) {
        let place = Int.random(in: 0..<damaged.count, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: damaged[place] = UInt8.random(in: 0...255, using: &random)
        case 1: damaged.remove(at: place)
        default: damaged.insert(contentsOf: Array("\"\\{}[],:\n".utf8).shuffled(using: &random).prefix(2), at: place)
        }
      }
      let parsed = try parse(damaged)
      #expect(parsed.tally.account.isBalanced)
      // What was accepted is valid JSON again, and reads as the same.
      let again = try parse(SerializeDocuments.lines(parsed.documents))
      #expect(again.documents == parsed.documents)
    }
  }
}
