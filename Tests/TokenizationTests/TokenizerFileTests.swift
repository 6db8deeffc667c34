import Foundation
import Primitives
import Storage
import TestSupport
import Testing
import Tokenization

@Suite struct TokenizerFileTests {
  private func trained(_ kind: Pretokenizer = .llama3) throws -> Tokenizer {
    try TrainerTests.train(TrainerTests.texts(seed: 5, count: 60), vocabulary: 330, kind: kind)
  }

  @Test(arguments: Pretokenizer.allCases)
  func foldersRoundTrip(kind: Pretokenizer) throws {
    try withTemporaryFolder { folder in
      let tokenizer = try trained(kind)
      let path = folder + "/tok"
      let manifest = try tokenizer.write(to: path, tool: "test", inputs: ["documents": "0"], configuration: ["vocabulary": 330])
      #expect(try manifest.verifyFiles(in: path).isEmpty)
      #expect(manifest.counts["vocabulary"] == tokenizer.vocabularySize)
      for read in [try Tokenizer(folder: path), try Tokenizer(folder: path + "/tokenizer.json")] {
        #expect(read.fingerprint == tokenizer.fingerprint)
        #expect(read.merges == tokenizer.merges)
        #expect(read.publishedPretokenizer == kind)
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

  private func read(_ text: String) throws -> Tokenizer { try Tokenizer(json: Array(text.utf8), path: "t.json") }

  @Test func readsPairsAndOlderStrings() throws {
    let pairs = try read(TokenizerText.file())
    let strings = try read(TokenizerText.file(merges: #""a b", "ab Ġ""#))
    #expect(pairs.fingerprint == strings.fingerprint)
    #expect(pairs.encode("abab") == [256, 256])
    #expect(pairs.endOfDocument == 258)
    #expect(try read(TokenizerText.file(model: "")).fingerprint == pairs.fingerprint)
    #expect(pairs.publishedPretokenizer == .gpt2)
  }

  @Test func readsWhatFamiliesAskFor() throws {
    func split(_ kind: Pretokenizer, _ behaviour: String = #""behavior": "Isolated", "invert": false"#) throws -> String {
      let pattern = String(decoding: try JSONFile.encode(kind.pattern), as: UTF8.self)
      return """
        {"type": "Sequence", "pretokenizers": [{"type": "Split", "pattern": {"Regex": \(pattern)}, \(behaviour)},
         {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false}]}
        """
    }
    #expect(try read(TokenizerText.file(pretokenizer: split(.llama3))).publishedPretokenizer == .llama3)
    #expect(
      try read(TokenizerText.file(pretokenizer: split(.cl100k, #""behavior": "Removed", "invert": true"#))).publishedPretokenizer == .cl100k
    )
    let qwen = try read(TokenizerText.file(normalizer: #"{"type": "NFC"}"#, pretokenizer: split(.qwen2)))
    #expect(qwen.normalizes)
    #expect(qwen.decode(qwen.encode("e\u{301}")) == Array("\u{E9}".utf8))
    #expect(try read(String(decoding: qwen.json(), as: UTF8.self)).fingerprint == qwen.fingerprint)
    let whole = try read(TokenizerText.file(model: #""type": "BPE", "ignore_merges": true, "#, merges: ""))
    #expect(whole.encode("ab") == [256])
    let blank = try read(TokenizerText.file(pretokenizer: #"{"type": "ByteLevel", "add_prefix_space": true}"#))
    #expect(blank.decode(blank.encode("ab")) == Array(" ab".utf8))
    #expect(blank.encode(" ab") == blank.encode("ab"))
  }

  @Test func addedTokensThatAreNotSpecialAreAlwaysFound() throws {
    let tokenizer = try read(
      TokenizerText.file(added: #"{"id": 258, "content": "<x y>", "special": false}, {"id": 259, "content": "<x", "special": false}"#))
    #expect(tokenizer.encode("a<x y>b<x") == [try #require(tokenizer.token(of: [97])), 258, try #require(tokenizer.token(of: [98])), 259])
    #expect(tokenizer.vocabularySize == 260)
    #expect(tokenizer.firstInvalid(in: [258, 270]) == 1)
    #expect(try read(String(decoding: tokenizer.json(), as: UTF8.self)).fingerprint == tokenizer.fingerprint)
  }

  @Test func theTemplateStandsRoundTextsWhereItIsWanted() throws {
    let begin = #"{"SpecialToken": {"id": "<|begin|>", "type_id": 0}}, "#,
      end = #", {"SpecialToken": {"id": "<|endoftext|>", "type_id": 0}}"#
    let tokens = #""<|begin|>": {"id": "<|begin|>", "ids": [259], "tokens": ["<|begin|>"]}, "<|endoftext|>": {"ids": [258]}"#
    let added = #"{"id": 258, "content": "<|endoftext|>", "special": true}, {"id": 259, "content": "<|begin|>", "special": true}"#
    let text = #"{"Sequence": {"id": "A", "type_id": 0}}"#
    let plain = try read(TokenizerText.file(added: added))
    let llama = try read(self.text(begin + text, added: added, tokens: tokens))
    #expect(llama.template == Template(prefix: [259]))
    // What a text alone becomes does not change, nor does the fingerprint.
    #expect(llama.fingerprint == plain.fingerprint && llama.encode("abab") == plain.encode("abab"))
    let both = try read(self.text(begin + begin + text + end, added: added, tokens: tokens))
    #expect(both.template == Template(prefix: [259, 259], suffix: [258]))
    for tokenizer in [plain, llama, both] {
      #expect(try read(String(decoding: tokenizer.json(), as: UTF8.self)).template == tokenizer.template)
    }
    let roberta = try read(
      TokenizerText.file(
        added: added, more: #""post_processor": {"type": "RobertaProcessing", "sep": ["<|endoftext|>", 258], "cls": ["<|begin|>", 259]}, "#)
    )
    #expect(roberta.template == Template(prefix: [259], suffix: [258]))
    #expect(Array(roberta.template.stripped([259, 5, 258])) == [5] && Array(roberta.template.stripped([5])) == [5])
    #expect(roberta.template.stripped([259]).isEmpty && Array(llama.template.stripped([259, 259])) == [259])
  }

  private func text(_ single: String, added: String, tokens: String) -> String {
    TokenizerText.file(added: added, more: TokenizerText.template(single, tokens: tokens))
  }

  @Test func whatSpecialTokensAskForIsKept() throws {
    let tokenizer = try read(TokenizerText.file(added: #"{"id": 258, "content": "<mask>", "special": true, "lstrip": true}"#))
    #expect(tokenizer.addedTokens.map(\.options) == [.leftStrip])
    #expect(try read(String(decoding: tokenizer.json(), as: UTF8.self)).addedTokens == tokenizer.addedTokens)
  }

  @Test func anyTruncationIsAnError() throws {
    let text = Array(TokenizerText.file().utf8)
    for count in stride(from: 0, to: text.count - 1, by: 397) {
      #expect(throws: WeirError.self) { _ = try Tokenizer(json: Array(text[..<count]), path: "t.json") }
    }
    #expect(throws: WeirError.self) { _ = try Tokenizer(folder: "/nowhere/at/all") }
  }
}
