import Primitives
import Testing
import Tokenization

/// Files that are not what they should be: one line that names the member.
@Suite struct BadTokenizerTests {
  private static let text = #"{"Sequence": {"id": "A", "type_id": 0}}"#
  private static let begin = #"{"SpecialToken": {"id": "<|endoftext|>", "type_id": 0}}, "#

  private func file(
    model: String? = nil, vocabulary: String = "", merges: String? = nil, added: String? = nil, normalizer: String = "null",
    pretokenizer: String? = nil, more: String = ""
  ) -> String {
    TokenizerText.file(
      model: model ?? #""type": "BPE", "#, vocabulary: vocabulary, merges: merges ?? #"["a", "b"], ["ab", "Ġ"]"#,
      added: added ?? #"{"id": 258, "content": "<|endoftext|>", "special": true}"#, normalizer: normalizer,
      pretokenizer: pretokenizer ?? #"{"type": "ByteLevel", "add_prefix_space": false}"#, more: more)
  }

  private func template(_ single: String, tokens: String) -> String { file(more: TokenizerText.template(single, tokens: tokens)) }

  private func sequence(_ first: String) -> String {
    #"{"type": "Sequence", "pretokenizers": [\#(first), {"type": "ByteLevel", "add_prefix_space": false, "use_regex": false}]}"#
  }

  private func read(_ text: String) throws -> Tokenizer { try Tokenizer(json: Array(text.utf8), path: "t.json") }

  @Test func badFilesAreOneLineThatNamesTheMember() throws {
    let good = TokenizerText.file()
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
      (#"{"model": {"type": "BPE", "vocab": {"a": 0}}, "pre_tokenizer": {"type": "ByteLevel"}}"#, "model.merges is missing"),
      (TokenizerText.file(model: #""type": "WordPiece", "#), "model.type is WordPiece"),
      (TokenizerText.file(model: #""byte_fallback": true, "#), "model.byte_fallback is set together with ByteLevel"),
      (TokenizerText.file(model: #""dropout": 0.1, "#), "model.dropout"),
      (TokenizerText.file(model: #""end_of_word_suffix": "</w>", "#), "model.end_of_word_suffix"),
      (TokenizerText.file(model: #""ignore_merges": 7, "#), "model.ignore_merges"),
      (TokenizerText.file(vocabulary: #", "zz": 256"#), "256 twice"),
      (TokenizerText.file(vocabulary: #", "ab": 259"#), "twice"),
      (TokenizerText.file(vocabulary: #", "zz": -1"#), "is not an id"),
      (TokenizerText.file(vocabulary: #", "zz": 1.5"#), "is not an id"),
      (TokenizerText.file(vocabulary: #", "zz": 99999999999"#), "is not an id"),
      (TokenizerText.file(vocabulary: #", "zz": 16777216"#), "is not an id"),
      (TokenizerText.file(vocabulary: #", "z z": 259"#), "outside the byte alphabet"),
      (TokenizerText.file(vocabulary: #", "": 259"#), "empty token"),
      (TokenizerText.file(merges: #"["a", "q"]"#), "model.merges[0] produces a token"),
      (TokenizerText.file(merges: #"["a", "b"], ["ab", "zzz"]"#), "model.merges[1] refers to a token"),
      (TokenizerText.file(merges: #"["a"]"#), "model.merges[0] is not a pair"),
      (TokenizerText.file(merges: #""ab""#), "model.merges[0] is not a pair"),
      (TokenizerText.file(merges: "17"), "model.merges[0] is not a pair"),
      (TokenizerText.file(added: #"{"id": 3, "content": "<|endoftext|>", "special": true}"#), "added_tokens"),
      (TokenizerText.file(added: #"{"id": 258, "content": "x", "special": true}"#), "added_tokens"),
      (TokenizerText.file(added: #"{"content": "x"}"#), "added_tokens[0].id"),
      (TokenizerText.file(added: #"{"id": 258}"#), "added_tokens[0].content"),
      (TokenizerText.file(added: #"{"id": 4596, "content": "<gap>"}"#), "\"<gap>\" id 4596, Hugging Face tokenizers numbers it 258"),
      (
        TokenizerText.file(added: #"{"id": 259, "content": "<a>"}, {"id": 258, "content": "<b>"}"#),
        "\"<a>\" id 259, Hugging Face tokenizers numbers it 258"
      ),
      (TokenizerText.file(added: #"{"id": 258, "content": "<a>"}, {"id": 258, "content": "<b>"}"#), "258 twice"),
      (TokenizerText.file(added: #"{"id": 258, "content": "<a>"}, {"id": 259, "content": "<a>"}"#), "\"<a>\" twice"),
      (TokenizerText.file(normalizer: #"{"type": "Precompiled"}"#), "normalizer is Precompiled"),
      (TokenizerText.file(pretokenizer: "null"), "model.unk_token is missing"),
      (TokenizerText.file(pretokenizer: #"{"type": "Whitespace"}"#), "pre_tokenizer is Whitespace"),
      (
        TokenizerText.file(
          pretokenizer: #"""
            {"type": "Sequence", "pretokenizers": [
             {"type": "Split", "pattern": {"Regex": "(?<=a)b"}, "behavior": "Isolated", "invert": false},
             {"type": "ByteLevel", "add_prefix_space": false, "use_regex": false}]}
            """#), "pre_tokenizer.pretokenizers[0].pattern.Regex has a lookbehind at character 0"
      ),
    ]
    let more: [(text: String, says: String)] = [
      (file(merges: #"["a", "b"], ["ab", "Ġ"], ["a", "b"]"#), "model.merges[2] repeats an earlier merge"),
      (file(merges: #"["a", "b"], "a b" "#), "model.merges[1] repeats an earlier merge"),
      (file(merges: #"["a", "b", "c"]"#), "model.merges[0]"), (file(merges: #"["a", 5]"#), "model.merges[0]"),
      (file(merges: #"null"#), "model.merges[0] is not a pair"), (file(merges: #""a b c""#), "model.merges[0] is not a pair"),
      (file(merges: #"["", "a"]"#), "model.merges[0] refers to a token"),
      (file(merges: #"["<|endoftext|>", "a"]"#), "model.merges[0] refers"),
      (good.replacing("\"merges\": [", with: "\"merges\": {}, \"x\": ["), "model.merges is not a list"),
      (good.replacing("\"merges\": [", with: "\"merges\": \"a b\", \"x\": ["), "model.merges is not a list"),
      (good.replacing("\"merges\": [", with: "\"merges\": null, \"x\": ["), "model.merges is missing"),
      (file(vocabulary: #", "zz": "259""#), "model.vocab[\"zz\"] is not an id"),
      (file(vocabulary: #", "zz": null"#), "model.vocab[\"zz\"]"),
      (file(vocabulary: #", "zz": true"#), "model.vocab[\"zz\"]"), (file(vocabulary: #", "zz": [259]"#), "model.vocab[\"zz\"]"),
      (file(vocabulary: #", "zz": 1e300"#), "model.vocab[\"zz\"]"),
      (file(vocabulary: #", "zz": 18446744073709551615"#), "model.vocab[\"zz\"]"),
      (file(vocabulary: #", "zz": 258"#), "258"), (file(model: #""type": 5, "#), "model.type is not a string"),
      (file(model: #""type": "Unigram", "#), "model.type is Unigram"), (file(model: #""dropout": "x", "#), "model.dropout"),
      (file(model: #""byte_fallback": "yes", "#), "model.byte_fallback"),
      (file(model: #""continuing_subword_prefix": "@@", "#), "model.continuing_subword_prefix"),
      (file(added: "5"), "added_tokens[0] is not an object"), (file(added: #"{"id": "x", "content": "<a>"}"#), "added_tokens[0].id"),
      (file(added: #"{"id": -1, "content": "<a>"}"#), "added_tokens[0].id"),
      (file(added: #"{"id": 16777216, "content": "<a>"}"#), "added_tokens[0].id"),
      (file(added: #"{"id": 258, "content": ""}"#), "added_tokens[0].content"),
      (file(added: #"{"id": 258, "content": 7}"#), "added_tokens[0].content"),
      (file(added: #"{"id": 258, "content": "<a>", "special": 1}"#), "added_tokens[0].special"),
      (file(added: #"{"id": 258, "content": "<a>", "special": true, "rstrip": 0}"#), "added_tokens[0].rstrip"),
      (file(added: #"{"id": 258, "content": "ab", "special": true}"#), "added_tokens gives \"ab\" id 258"),
      (good.replacing("\"added_tokens\": [", with: "\"added_tokens\": {}, \"x\": ["), "added_tokens is not a list"),
      (file(normalizer: "7"), "normalizer is without a type"),
      (
        file(normalizer: #"{"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "StripAccents"}]}"#),
        "normalizer.normalizers[1] is StripAccents"
      ),
      (file(normalizer: #"{"type": "Sequence", "normalizers": 3}"#), "normalizer.normalizers is not a list"),
      (file(normalizer: #"{"type": "Prepend"}"#), "normalizer.prepend is not a string"),
      (file(normalizer: #"{"type": "Replace", "pattern": {"String": "a"}}"#), "normalizer.content is not a string"),
      (file(normalizer: #"{"type": "Replace", "pattern": {}, "content": ""}"#), "normalizer.pattern has neither"),
      (file(normalizer: #"{"type": "Replace", "pattern": {"Regex": "a*"}, "content": ""}"#), "normalizer.pattern matches the empty string"),
      (file(normalizer: #"{"type": "Strip", "strip_left": 1}"#), "normalizer.strip_left"),
      (file(pretokenizer: "[]"), "pre_tokenizer is without a type"),
      (file(pretokenizer: #""ByteLevel""#), "pre_tokenizer is without a type"),
      (file(pretokenizer: #"{"type": "Metaspace"}"#), "pre_tokenizer.replacement is not ▁"),
      (
        file(pretokenizer: #"{"type": "Metaspace", "replacement": "▁", "prepend_scheme": "last"}"#),
        "pre_tokenizer.prepend_scheme is last"
      ),
      (file(pretokenizer: #"{"type": "Metaspace", "replacement": "▁"}"#), "model.unk_token is missing"),
      (file(pretokenizer: #"{"type": "Sequence", "pretokenizers": {}}"#), "pre_tokenizer.pretokenizers is not a list"),
      (file(pretokenizer: #"{"type": "Sequence", "pretokenizers": []}"#), "model.unk_token is missing"),
      (file(pretokenizer: #"{"type": "ByteLevel", "add_prefix_space": "no"}"#), "pre_tokenizer.add_prefix_space"),
      (file(pretokenizer: sequence(#"{"type": "Digits", "individual_digits": 1}"#)), "pre_tokenizer.pretokenizers[0].individual_digits"),
      (
        file(pretokenizer: sequence(#"{"type": "Split", "pattern": {}, "behavior": "Isolated"}"#)),
        "pre_tokenizer.pretokenizers[0].pattern has neither"
      ),
      (
        file(pretokenizer: sequence(#"{"type": "Split", "pattern": {"Regex": " "}, "behavior": "Removed"}"#)),
        "pre_tokenizer.pretokenizers[0].behavior is Removed, which would lose text"
      ),
      (
        file(pretokenizer: sequence(#"{"type": "Split", "pattern": {"Regex": "ab"}, "behavior": "MergedWithNext"}"#)),
        "pre_tokenizer.pretokenizers[0].behavior is MergedWithNext, which is not supported for this pattern"
      ),
      (
        file(pretokenizer: #"{"type": "Sequence", "pretokenizers": [{"type": "ByteLevel"}, {"type": "Digits"}]}"#),
        "pre_tokenizer.pretokenizers[0] is ByteLevel before the last step"
      ),
      (file(more: #""decoder": {"type": "Metaspace"}, "#), "decoder is Metaspace"),
      (
        file(more: #""decoder": {"type": "Sequence", "decoders": [{"type": "ByteLevel"}, {"type": "Strip"}]}, "#),
        "decoder.decoders[1] is Strip"
      ),
      (file(more: #""post_processor": {"type": "Other"}, "#), "post_processor is Other"),
      (file(more: #""post_processor": [], "#), "post_processor is without a type"),
      (file(more: #""post_processor": {"type": "Sequence"}, "#), "post_processor.processors is not a list"),
      (file(more: #""post_processor": {"type": "RobertaProcessing", "cls": ["a", 5]}, "#), "post_processor.sep"),
      (file(more: #""post_processor": {"type": "TemplateProcessing"}, "#), "post_processor.single is not a list"),
      (template("", tokens: ""), "post_processor.processors[1].single contains the text 0 times"),
      (template(Self.text + ", " + Self.text, tokens: ""), "post_processor.processors[1].single contains the text 2 times"),
      (template(#"{"Sequence": {"id": "B"}}"#, tokens: ""), "single[0] is a text other than A"),
      (template("5", tokens: ""), "single[0] is neither"),
      (template(Self.begin + Self.text, tokens: ""), "single[0] refers to \"<|endoftext|>\""),
      (template(Self.begin + Self.text, tokens: #""<|endoftext|>": {"ids": [258.5]}"#), "single[0] refers"),
      (template(Self.begin + Self.text, tokens: #""<|endoftext|>": {"ids": [999]}"#), "post_processor adds id 999"),
    ]
    for (text, says) in table + more {
      do {
        _ = try read(text)
        Issue.record("read although: \(says)")
      } catch let error as WeirError {
        #expect(error.place == "t.json" && error.description.contains(says), "\(error)")
        #expect(!error.description.contains("\n"))
      }
    }
  }
}
