import Primitives
import Storage
import TestSupport
import Testing
import Tokenization

/// Tokenizers of families: vocabularies of characters, normalizers, added tokens. The expected tokens are those of Hugging Face tokenizers 0.23.
@Suite struct FamilyTests {
  private static let vocabulary = [
    "<unk>", "<s>", "</s>", "▁", "a", "b", "c", "é", "中", "▁a", "▁ab", "ab", "▁▁", "abc", "b▁", "<0x0A>",
  ]

  /// A file like Llama 2's, with all bytes and a few merges.
  static func file(
    normalizer: String = #"{"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"}, \#(FamilyTests.replace)]}"#,
    pretokenizer: String = "null", decoder: String? = nil,
    model: String = #""byte_fallback": true, "unk_token": "<unk>", "fuse_unk": true, "#,
    merges: String = #"["▁", "a"], ["a", "b"], ["▁a", "b"], ["▁", "▁"], ["ab", "c"]"#, added: String = "", bytes: Bool = true
  ) -> String {
    var names = vocabulary.filter { bytes || !$0.hasPrefix("<0x") }
    if bytes {
      for byte in 0..<256 where byte != 10 {
        let digits = String(byte, radix: 16, uppercase: true)
        names.append("<0x\(byte < 16 ? "0" : "")\(digits)>")
      }
    }
    let members = names.enumerated().map { "\"\($1)\": \($0)" }.joined(separator: ", ")
    let specials = ["<unk>", "<s>", "</s>"].enumerated().map { #"{"id": \#($0), "content": "\#($1)", "special": true}"# }.joined(
      separator: ", ")
    let steps =
      #"{"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, "#
      + #"{"type": "ByteFallback"}, {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]}"#
    return #"""
      {"added_tokens": [\#(specials)\#(added)], "normalizer": \#(normalizer), "pre_tokenizer": \#(pretokenizer), "decoder": \#(decoder ?? steps),
       "model": {"type": "BPE", \#(model)"vocab": {\#(members)}, "merges": [\#(merges)]}}
      """#
  }

  private static let replace = #"{"type": "Replace", "pattern": {"String": " "}, "content": "▁"}"#

  private func read(_ text: String) throws -> Tokenizer { try Tokenizer(json: Array(text.utf8), path: "t.json") }

  private func names(_ tokenizer: Tokenizer, _ text: String, specials: Bool = false) -> [String] {
    tokenizer.encode(text, allowsSpecials: specials).map { String(decoding: tokenizer.bytes(of: $0), as: UTF8.self) }
  }

  @Test func charactersWithBytesForUnknownOnes() throws {
    let llama = try read(Self.file())
    #expect(names(llama, "ab a  b") == [" ab", " a", "  ", "b"])
    #expect(names(llama, "abc") == [" ab", "c"])
    #expect(names(llama, "▁é中") == ["  ", "é", "中"])
    #expect(llama.encode("\n").count == 2 && llama.decode(llama.encode("\n")) == [10])
    // A character that is not in the vocabulary becomes its bytes, also where it begins like one that is.
    for text in ["d", "è", "丮", "中丮é", "😀", " a", "  ab c", "a\u{301}", "x▁y"] {
      let ids = llama.encode(text)
      #expect(llama.decode(ids) == Array(text.replacing("▁", with: " ").utf8), "\(text)")
      #expect(ids.allSatisfy { Int($0) < llama.vocabularySize })
    }
    #expect(llama.encode("丮").count == 4)
    #expect(try read(String(decoding: llama.json(), as: UTF8.self)).fingerprint == llama.fingerprint)
  }

  @Test func unknownCharactersBecomeOneTokenOrSeveral() throws {
    let several = try read(Self.file(model: #""unk_token": "<unk>", "#, bytes: false))
    #expect(several.encode("a丮xb") == [9, 0, 0, 5])
    let fused = try read(Self.file(model: #""unk_token": "<unk>", "fuse_unk": true, "#, bytes: false))
    #expect(fused.encode("a丮xb d") == [9, 0, 5, 3, 0])
    #expect(fused.encode(String(repeating: "d", count: 300) + "a") == [3, 0, 4])
    #expect(several.encode(String(repeating: "丮", count: 100)) == [3] + Array(repeating: 0, count: 100))
    #expect(throws: WeirError.self) { _ = try read(Self.file(model: "", bytes: false)) }
  }

  @Test func blanksAreWrittenInSeveralWays() throws {
    func metaspace(_ scheme: String, split: Bool = true) -> String {
      #"{"type": "Metaspace", "replacement": "▁", "prepend_scheme": "\#(scheme)", "split": \#(split)}"#
    }
    let always = try read(Self.file(normalizer: "null", pretokenizer: metaspace("always")))
    #expect(names(always, "ab  a") == [" ab", " ", " a"] && names(always, " ab") == [" ab"])
    let first = try read(Self.file(normalizer: "null", pretokenizer: metaspace("first", split: false)))
    #expect(names(first, "ab  a</s>ab", specials: true) == [" ab", " ", " a", "</s>", "ab"])
    #expect(
      names(try read(Self.file(normalizer: "null", pretokenizer: metaspace("always", split: false))), "a</s>ab", specials: true) == [
        " a", "</s>", " ab",
      ])
    let never = try read(Self.file(normalizer: "null", pretokenizer: metaspace("never")))
    #expect(names(never, "ab ab") == ["ab", " ab"])
    // As in Gemma: no text has a blank where this splits.
    let gemma = try read(
      Self.file(
        normalizer: Self.replace,
        pretokenizer: #"{"type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious", "invert": false}"#))
    #expect(names(gemma, "ab  a") == ["ab", " ", " a"])
    // Decoding by Metaspace removes all blanks of the first token.
    let decoder = #"{"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always"}"#
    let other = try read(Self.file(normalizer: "null", pretokenizer: metaspace("always", split: false), decoder: decoder))
    #expect(other.decode(other.encode("   b")) == Array(" b".utf8) && other.decode(other.encode("a  b")) == Array("a  b".utf8))
    // Without ByteFallback among the decoders, bytes stay as they are written.
    #expect(names(other, "d") == [" ", "<0x64>"])
    for tokenizer in [always, first, never, gemma, other] {
      #expect(try read(String(decoding: tokenizer.json(), as: UTF8.self)).fingerprint == tokenizer.fingerprint)
    }
  }

  @Test func mergesThatGoOnAcrossBlanksAreMade() throws {
    let across = try read(Self.file(merges: #"["b", "▁"], ["▁", "a"]"#))
    #expect(names(across, "ab a") == [" a", "b ", "a"])
  }

  @Test func aWholeTextThatIsATokenIsThatToken() throws {
    let ignoring = try read(
      Self.file(normalizer: Self.replace, model: #""byte_fallback": true, "unk_token": "<unk>", "ignore_merges": true, "#, merges: ""))
    #expect(names(ignoring, "abc") == ["abc"] && names(ignoring, "abca") == ["a", "b", "c", "a"])
  }

  @Test func normalizersComeInOrder() throws {
    func byteLevel(_ normalizer: String) throws -> Tokenizer { try read(TokenizerText.file(normalizer: normalizer)) }
    func text(_ normalizer: String, _ text: String) throws -> String {
      let tokenizer = try byteLevel(normalizer)
      #expect(try read(String(decoding: tokenizer.json(), as: UTF8.self)).fingerprint == tokenizer.fingerprint)
      return String(decoding: tokenizer.decode(tokenizer.encode(text)), as: UTF8.self)
    }
    let table = [
      (#"{"type": "NFD"}"#, "é각", "e\u{301}\u{1100}\u{1161}\u{11A8}"), (#"{"type": "NFC"}"#, "e\u{301}\u{1100}\u{1161}", "é가"),
      (#"{"type": "NFKC"}"#, "ﬁ①Ａe\u{301}", "fi1Aé"), (#"{"type": "NFKD"}"#, "ﬁé", "fie\u{301}"),
      (#"{"type": "Lowercase"}"#, "AÉİΣ中", "aéi\u{307}σ中"),
      (#"{"type": "Strip", "strip_left": true, "strip_right": false}"#, "\u{3000} a ", "a "),
      (#"{"type": "Strip", "strip_left": true, "strip_right": true}"#, " \n", ""), (#"{"type": "Prepend", "prepend": "xy"}"#, "a", "xya"),
      (#"{"type": "Replace", "pattern": {"String": "ab"}, "content": "c"}"#, "abxab", "cxc"),
      (#"{"type": "Replace", "pattern": {"Regex": "\\s+"}, "content": " "}"#, "a \n b", "a b"),
      (
        #"{"type": "Sequence", "normalizers": [{"type": "NFKC"}, {"type": "Sequence", "normalizers": [{"type": "Lowercase"}]}]}"#, "ＡB",
        "ab"
      ),
      // U+32FF, U+A7F2 and the marks U+1DF6 and U+1ABF came after Unicode 9, which Hugging Face's tables know.
      (#"{"type": "NFKC"}"#, "\u{32FF}\u{A7F2}", "\u{32FF}\u{A7F2}"), (#"{"type": "NFC"}"#, "a\u{1DF6}\u{301}", "a\u{1DF6}\u{301}"),
      (#"{"type": "NFD"}"#, "a\u{315}\u{1ABF}\u{334}", "a\u{315}\u{1ABF}\u{334}"),
    ]
    for (normalizer, input, output) in table {
      #expect(Array(try text(normalizer, input).utf8) == Array(output.utf8), "\(normalizer) \(input)")
    }
  }

  @Test func addedTokensAreFoundInTwoTries() throws {
    func tokenizer(_ tokens: [(String, String)], normalizer: String = "null") throws -> Tokenizer {
      let added = tokens.enumerated().map { #"{"id": \#(258 + $0), "content": "\#($1.0)", \#($1.1)}"# }.joined(separator: ", ")
      let made = try read(TokenizerText.file(added: added, normalizer: normalizer))
      #expect(try read(String(decoding: made.json(), as: UTF8.self)).fingerprint == made.fingerprint)
      return made
    }
    func ids(_ tokenizer: Tokenizer, _ text: String, specials: Bool = true) -> [UInt32] {
      tokenizer.encode(text, allowsSpecials: specials).filter { $0 >= 258 }
    }
    // Tokens that are not normalized come first, however long the others are.
    let both = try tokenizer([("abc", #""normalized": true"#), ("bc", #""normalized": false"#)])
    #expect(ids(both, "abc") == [259] && ids(both, "abcx abc") == [259, 259])
    #expect(ids(try tokenizer([("abc", #""normalized": true"#), ("bc", #""normalized": true"#)]), "abc") == [258])
    // A normalized token is found in its normalized form; another one only as it is written.
    let lower = try tokenizer([("ABC", #""normalized": true"#), ("DEF", #""normalized": false"#)], normalizer: #"{"type": "Lowercase"}"#)
    #expect(ids(lower, "abc ABC aBc def DEF") == [258, 258, 258, 259])
    let word = try tokenizer([("xy", #""single_word": true"#)])
    #expect(
      ids(word, "xy") == [258] && ids(word, "xxy") == [] && ids(word, "xy_") == [] && ids(word, "-xy.") == [258] && ids(word, "éxy") == [])
    let strip = try tokenizer([("<l>", #""lstrip": true"#), ("<r>", #""rstrip": true"#), ("<b>", #""lstrip": true, "rstrip": true"#)])
    func text(_ text: String) -> String { String(decoding: strip.decode(strip.encode(text, allowsSpecials: true)), as: UTF8.self) }
    #expect(text("a  <l>  b") == "a<l>  b" && text("a  <r> \n b") == "a  <r>b" && text("a <b> b") == "a<b>b" && text("<r> <l>") == "<r><l>")
    // White space that a token takes is searched all the same; a token of which nothing is left is none.
    let overlapping = try tokenizer([
      ("<r>", #""rstrip": true"#), ("\\n", #""lstrip": true, "rstrip": true"#), ("\\t", #""special": false"#),
    ])
    #expect(ids(overlapping, "<r>\t\tb") == [258, 260, 260] && ids(overlapping, "a \n\n b\n") == [259, 259])
    // A byte of the vocabulary that is added as well stays that byte.
    let byte = try #require(try read(TokenizerText.file()).token(of: [0xE9]))
    let bytes = try read(TokenizerText.file(added: #"{"id": \#(byte), "content": "é", "special": false}"#))
    #expect(bytes.decode(bytes.encode("é")) == [0xE9] && bytes.decode(bytes.encode("频")) == Array("频".utf8))
    #expect(try read(String(decoding: bytes.json(), as: UTF8.self)).fingerprint == bytes.fingerprint)
    // The text of a special token hides others, also where it is text.
    let hidden = try tokenizer([("<|x|>", #""special": true"#), ("|x", #""special": false"#)])
    #expect(ids(hidden, "<|x|> |x") == [258, 259] && ids(hidden, "<|x|> |x", specials: false) == [259])
    // Many first bytes.
    let many = try tokenizer(
      (0..<12).map { (String(repeating: String(Character(Unicode.Scalar(UInt8(0x30 + $0)))), count: 2), "\"special\": false") } + [
        ("Ω", #""special": false"#)
      ])
    #expect(ids(many, "00x11 9922~Ω:: ~") == [258, 259, 267, 260, 270, 268])
  }

  /// As many tokens as there are kinds of search, runs of blanks among them, beside a search that tries all at each place.
  @Test(arguments: 1...12) func addedTokensAreTheLongest(count: Int) throws {
    let contents = (0..<count).map {
      $0 % 3 == 0 ? String(repeating: " ", count: 2 + $0) : "\(Character(Unicode.Scalar(UInt8(0x61 + $0))))y|\($0)"
    }
    let added = contents.enumerated().map {
      #"{"id": \#(258 + $0), "content": "\#($1)", "special": false, "normalized": \#(count % 2 == 0)}"#
    }
    let tokenizer = try read(TokenizerText.file(added: added.joined(separator: ", ")))
    let sorted = contents.enumerated().sorted { $0.element.count > $1.element.count }
    var random = SequentialRandom(seed: UInt64(count), stream: 5)
    func below(_ limit: Int) -> Int { Int.random(in: 0..<limit, using: &random) }
    for length in [0, 1, 2, 31, 32, 33, 34, 64, 65, 66, 300] {
      var text = ""
      while text.count < length {
        switch below(4) {
        case 0: text += contents[below(count)]
        case 1: text += String(repeating: " ", count: below(14))
        case 2: text += String(contents[below(count)].dropLast())
        default: text += String(repeating: "x", count: below(40))
        }
      }
      var (expected, rest): ([UInt32], Substring) = ([], text[...])
      while !rest.isEmpty {
        let found = sorted.first { rest.hasPrefix($0.element) }
        if let found { expected.append(UInt32(258 + found.offset)) }
        rest = rest.dropFirst(found?.element.count ?? 1)
      }
      #expect(tokenizer.encode(text).filter { $0 >= 258 } == expected, "\(text)")
    }
  }

  @Test func whatWouldDifferIsRefused() throws {
    func message(_ text: String) -> String {
      do { _ = try read(text) } catch { return "\(error)" }
      return ""
    }
    let first = #"{"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": false}"#
    for normalizer in [
      #"{"type": "Strip", "strip_left": true, "strip_right": false}"#,
      #"{"type": "Replace", "pattern": {"Regex": "\\s+"}, "content": " "}"#,
    ] {
      #expect(message(Self.file(normalizer: normalizer, pretokenizer: first)).contains("pre_tokenizer.prepend_scheme is first after"))
    }
    #expect(message(Self.file(normalizer: #"{"type": "NFKC"}"#, pretokenizer: first)).isEmpty)
    #expect(message(Self.file(merges: "").replacing("\"▁\": 3", with: "\"-\": 3")).contains("model.vocab has no token ▁"))
  }

  @Test func otherFilesAreNamed() throws {
    let model: [UInt8] =
      [0x0A, 0x0E, 0x0A, 0x05] + Array("<unk>".utf8) + [0x15, 0, 0, 0, 0, 0x18, 0x02] + Array(repeating: 0x0A, count: 8)
    func message(_ body: () throws -> Void) -> String {
      do { try body() } catch { return "\(error)" }
      return ""
    }
    #expect(message { _ = try Tokenizer(json: model, path: "tokenizer.model") }.contains("tokenizer.model: is a SentencePiece model"))
    try withTemporaryFolder { folder in
      try Files.write(model, to: folder + "/tokenizer.model")
      #expect(message { _ = try Tokenizer(importing: folder + "/tokenizer.model", pretokenizer: nil) }.contains("is a SentencePiece model"))
      #expect(message { _ = try Tokenizer(folder: folder) }.contains("has tokenizer.model, but no tokenizer.json"))
    }
    #expect(message { _ = try read(TokenizerText.file(model: #""type": "Unigram", "#)) }.contains("model.type is Unigram"))
  }
}
