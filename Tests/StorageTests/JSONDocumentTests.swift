import Primitives
import Storage
import TestSupport
import Testing

@Suite struct JSONDocumentTests {
  private func parse(_ text: String) throws -> JSONNode { try JSONDocument(Array(text.utf8), place: "x").root }

  @Test func everyTypeIsRead() throws {
    let root = try parse(
      #"{"s": "a\u00e9\n", "i": -7, "u": 18446744073709551615, "d": 2.5e3, "t": true, "n": null, "a": [1, [2], {}], "e": ""}"#)
    #expect(root.isObject && root.count == 8)
    #expect(root["s"]?.string == "aé\n")
    #expect(root["s"]?.bytes == Array("aé\n".utf8))
    #expect(root["i"]?.int == -7)
    #expect(root["i"]?.double == -7)
    #expect(root["u"]?.int == nil)
    #expect(root["u"]?.double == 0x1p64)
    #expect(root["d"]?.double == 2_500)
    #expect(root["d"]?.int == nil)
    #expect(root["t"]?.bool == true)
    #expect(root["n"]?.isNull == true)
    #expect(root["a"]?.array?.count == 3)
    #expect(root["a"]?.array?[1].array?[0].int == 2)
    #expect(root["a"]?.array?[2].object?.isEmpty == true)
    #expect(root["e"]?.string == "")
    #expect(root["none"] == nil)
    #expect(root.array == nil && root.string == nil)
    #expect(root.object?.map(\.key) == ["s", "i", "u", "d", "t", "n", "a", "e"])
    #expect(try parse(#"{"k": 1, "k": 2}"#).object?.map(\.value.int) == [1, 2])
    #expect(try parse(" 3 ").int == 3)
  }

  @Test func nodeKeepsItsDocumentAlive() throws {
    func inner() throws -> JSONNode? { try parse(#"{"a": {"b": "deep"}}"#)["a"] }
    #expect(try inner()?["b"]?.string == "deep")
  }

  @Test func invalidJSONIsReported() {
    for text in ["", "{", "{\"a\":}", "[1,]", "{\"a\" 1}", "nul", "{} x", "\"\\x\"", "[\"\u{1}\"]", String(repeating: "[", count: 5_000)] {
      #expect(errorMessage { _ = try parse(text) }.hasPrefix("x: is not valid JSON"), "\(text)")
    }
    #expect(errorMessage { _ = try JSONDocument([0x22, 0xFF, 0x22], place: "x") } == "x: is not valid UTF-8")
  }

  @Test func largeVocabularyIsReadInOrder() throws {
    let text = "{" + (0..<20_000).map { "\"token\($0)\": \($0)" }.joined(separator: ",") + "}"
    var sum = 0
    var ordered = true
    try parse(text).forEachMember { key, value in
      ordered = ordered && String(decoding: key, as: UTF8.self) == "token\(sum)" && value.int == sum
      sum += 1
    }
    #expect(sum == 20_000 && ordered)
  }
}
