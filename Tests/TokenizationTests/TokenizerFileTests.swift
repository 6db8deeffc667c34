import Foundation
import Primitives
import Storage
import Testing
import Tokenization

@Suite struct TokenizerFileTests {
  /// A folder that is removed afterwards.
  private func withFolder<R>(_ body: (String) throws -> R) throws -> R {
    let folder = FileManager.default.temporaryDirectory.path + "/" + UUID().uuidString
    try Files.createFolder(folder)
    defer { try? Files.remove(folder) }
    return try body(folder)
  }

  private func trained(_ kind: Pretokenizer = .llama3) throws -> Tokenizer {
    try TrainerTests.train(TrainerTests.texts(seed: 5, count: 60), vocabulary: 330, kind: kind)
  }

  @Test(arguments: Pretokenizer.allCases)
  func foldersRoundTrip(kind: Pretokenizer) throws {
    try withFolder { folder in
      let tokenizer = try trained(kind)
      let path = folder + "/tok"
      let manifest = try tokenizer.write(to: path, tool: "test", inputs: ["documents": "0"], configuration: ["vocabulary": 330])
      #expect(try manifest.verifyFiles(in: path).isEmpty)
      #expect(manifest.counts["vocabulary"] == tokenizer.vocabularySize)
      for read in [try Tokenizer(folder: path), try Tokenizer(folder: path + "/tokenizer.json")] {
        #expect(read.fingerprint == tokenizer.fingerprint)
        #expect(read.merges == tokenizer.merges)
        #expect(read.pretokenizer == kind)
        #expect(read.addedTokens == tokenizer.addedTokens)
        #expect(read.json() == tokenizer.json())
      }
    }
  }

  @Test func fingerprintsTellTokenizersApart() throws {
    let kinds = try Pretokenizer.allCases.map { try trained($0).fingerprint }
    #expect(Set(kinds).count == kinds.count)
    #expect(try trained().fingerprint == trained().fingerprint)
  }

  /// The members of a vocabulary of single bytes.
  private static let bytes: String = {
    let order = (0..<256).map { Reference.printable(UInt8($0)) }.sorted()
    let members = order.enumerated().map { index, value -> String in
      let character = String(Character(Unicode.Scalar(UInt32(value)) ?? " "))
      return (character == "\"" || character == "\\" ? "\"\\\(character)\"" : "\"\(character)\"") + ": \(index)"
    }
    return members.joined(separator: ", ")
  }()

  /// A small GPT-2-like file; the parts can be replaced.
  private func file(
    model: String = #""type": "BPE", "#, vocabulary: String = "", merges: String = #"["a", "b"], ["ab", "Ġ"]"#,
    added: String = #"{"id": 258, "content": "<|endoftext|>", "special": true}"#, normalizer: String = "null",
    pretokenizer: String = #"{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true}"#
  ) -> String {
    let vocab = Self.bytes + #", "ab": 256, "abĠ": 257"# + vocabulary
    return """
      {"version": "1.0", "added_tokens": [\(added)], "normalizer": \(normalizer), "pre_tokenizer": \(pretokenizer),
       "model": {\(model)"vocab": {\(vocab)}, "merges": [\(merges)]}}
      """
  }

  private func read(_ text: String) throws -> Tokenizer { try Tokenizer(json: Array(text.utf8), path: "t.json") }

  @Test func readsPairsAndOlderStrings() throws {
    let pairs = try read(file())
    let strings = try read(file(merges: #""a b", "ab Ġ""#))
    #expect(pairs.fingerprint == strings.fingerprint)
    #expect(pairs.encode("abab") == [256, 256])
    #expect(pairs.endOfDocument == 258)
    #expect(try read(file(model: "")).fingerprint == pairs.fingerprint)
    #expect(pairs.pretokenizer == .gpt2)
  }

  @Test func readsWhatFamiliesAskFor() throws {
    func split(_ kind: Pretokenizer, _ behaviour: String = #""behavior": "Isolated", "invert": false"#) throws -> String {
      let pattern = String(decoding: try JSONFile.encode(kind.pattern), as: UTF8.self)
      return """
        {"type": "Sequence", "pretokenizers": [{"type": "Split", "pattern": {"Regex": \(pattern)}, \(behaviour)},
         {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false}]}
        """
    }
    #expect(try read(file(pretokenizer: split(.llama3))).pretokenizer == .llama3)
    #expect(try read(file(pretokenizer: split(.cl100k, #""behavior": "Removed", "invert": true"#))).pretokenizer == .cl100k)
    let qwen = try read(file(normalizer: #"{"type": "NFC"}"#, pretokenizer: split(.qwen2)))
    #expect(qwen.normalization == .nfc)
    #expect(qwen.decode(qwen.encode("e\u{301}")) == Array("\u{E9}".utf8))
    #expect(try read(String(decoding: qwen.json(), as: UTF8.self)).fingerprint == qwen.fingerprint)
    let whole = try read(file(model: #""type": "BPE", "ignore_merges": true, "#, merges: ""))
    #expect(whole.encode("ab") == [256])
    let blank = try read(file(pretokenizer: #"{"type": "ByteLevel", "add_prefix_space": true}"#))
    #expect(blank.decode(blank.encode("ab")) == Array(" ab".utf8))
    #expect(blank.encode(" ab") == blank.encode("ab"))
  }

  @Test func addedTokensThatAreNotSpecialAreAlwaysFound() throws {
    let tokenizer = try read(
      file(added: #"{"id": 258, "content": "<x y>", "special": false}, {"id": 300, "content": "<x", "special": false}"#))
    #expect(tokenizer.encode("a<x y>b<x") == [try #require(tokenizer.token(of: [97])), 258, try #require(tokenizer.token(of: [98])), 300])
    #expect(tokenizer.vocabularySize == 301)
    #expect(tokenizer.firstInvalid(in: [258, 270]) == 1)
    #expect(try read(String(decoding: tokenizer.json(), as: UTF8.self)).fingerprint == tokenizer.fingerprint)
  }

  @Test func badFilesAreOneLineThatNamesTheMember() throws {
    let good = file()
    let table: [(text: String, says: String)] = [
      ("", "t.json"),
      (String(good.prefix(good.count / 2)), "JSON"),
      ("[1]", "not a JSON object"),
      ("{}", "model is missing"),
      (#"{"model": 3}"#, "model is not an object"),
      (#"{"model": {"type": "BPE", "merges": []}}"#, "model.vocab is missing"),
      (#"{"model": {"type": "BPE", "vocab": [], "merges": []}}"#, "model.vocab is not an object"),
      (#"{"model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}, "pre_tokenizer": {"type": "ByteLevel"}}"#, "no token for the byte"),
      (#"{"model": {"type": "BPE", "vocab": {}, "merges": []}, "pre_tokenizer": {"type": "ByteLevel"}}"#, "model.vocab is empty"),
      (#"{"model": {"type": "BPE", "vocab": {"a": 0}}}"#, "model.merges is missing"),
      (file(model: #""type": "WordPiece", "#), "model.type is WordPiece"),
      (file(model: #""byte_fallback": true, "#), "model.byte_fallback"),
      (file(model: #""dropout": 0.1, "#), "model.dropout"),
      (file(model: #""end_of_word_suffix": "</w>", "#), "model.end_of_word_suffix"),
      (file(model: #""ignore_merges": 7, "#), "model.ignore_merges"),
      (file(vocabulary: #", "zz": 256"#), "256 twice"),
      (file(vocabulary: #", "ab": 259"#), "twice"),
      (file(vocabulary: #", "zz": -1"#), "is not an id"),
      (file(vocabulary: #", "zz": 1.5"#), "is not an id"),
      (file(vocabulary: #", "zz": 99999999999"#), "is not an id"),
      (file(vocabulary: #", "zz": 16777216"#), "is not an id"),
      (file(vocabulary: #", "z z": 259"#), "outside the byte alphabet"),
      (file(vocabulary: #", "": 259"#), "empty token"),
      (file(merges: #"["a", "q"]"#), "model.merges[0] makes a token"),
      (file(merges: #"["a", "b"], ["ab", "zzz"]"#), "model.merges[1] names a token"),
      (file(merges: #"["a"]"#), "model.merges[0] is not a pair"),
      (file(merges: #""ab""#), "model.merges[0] is not a pair"),
      (file(merges: "17"), "model.merges[0] is not a pair"),
      (file(added: #"{"id": 3, "content": "<|endoftext|>", "special": true}"#), "added_tokens"),
      (file(added: #"{"id": 258, "content": "x", "special": true}"#), "added_tokens"),
      (file(added: #"{"content": "x"}"#), "added_tokens[0].id"),
      (file(added: #"{"id": 258}"#), "added_tokens[0].content"),
      (file(added: #"{"id": 258, "content": "<a>", "lstrip": true}"#), "added_tokens[0].lstrip"),
      (file(added: #"{"id": 258, "content": "<a>"}, {"id": 258, "content": "<b>"}"#), "258 twice"),
      (file(added: #"{"id": 258, "content": "<a>"}, {"id": 259, "content": "<a>"}"#), "\"<a>\" twice"),
      (file(normalizer: #"{"type": "Lowercase"}"#), "normalizer is Lowercase"),
      (file(pretokenizer: "null"), "pre_tokenizer is missing"),
      (file(pretokenizer: #"{"type": "Whitespace"}"#), "pre_tokenizer is Whitespace"),
      (file(pretokenizer: #"{"type": "ByteLevel", "use_regex": false}"#), "pre_tokenizer.use_regex"),
      (
        file(
          pretokenizer: #"""
            {"type": "Sequence", "pretokenizers": [
             {"type": "Split", "pattern": {"Regex": "[a-z]+"}, "behavior": "Isolated", "invert": false},
             {"type": "ByteLevel", "add_prefix_space": false, "use_regex": false}]}
            """#), "pre_tokenizer.pattern.Regex is none"
      ),
    ]
    for (text, says) in table {
      do {
        _ = try read(text)
        Issue.record("read although: \(says)")
      } catch let error as WeirError {
        #expect(error.place == "t.json" && error.description.contains(says), "\(error)")
        #expect(!error.description.contains("\n"))
      }
    }
  }

  @Test func anyTruncationIsAnError() throws {
    let text = Array(file().utf8)
    for count in stride(from: 0, to: text.count - 1, by: 397) {
      #expect(throws: WeirError.self) { _ = try Tokenizer(json: Array(text[..<count]), path: "t.json") }
    }
    #expect(throws: WeirError.self) { _ = try Tokenizer(folder: "/nowhere/at/all") }
  }
}
