import Foundation

/// The text of a small tokenizer.json, whose parts can be replaced.
enum TokenizerText {
  /// The members of a vocabulary of single bytes.
  static let bytes: String = {
    let order = (0..<256).map { Reference.printable(UInt8($0)) }.sorted()
    let members = order.enumerated().map { index, value -> String in
      let character = String(Character(Unicode.Scalar(UInt32(value)) ?? " "))
      return (character == "\"" || character == "\\" ? "\"\\\(character)\"" : "\"\(character)\"") + ": \(index)"
    }
    return members.joined(separator: ", ")
  }()

  /// A small GPT-2-like file; the parts can be replaced.
  static func file(
    model: String = #""type": "BPE", "#, vocabulary: String = "", merges: String = #"["a", "b"], ["ab", "Ġ"]"#,
    added: String = #"{"id": 258, "content": "<|endoftext|>", "special": true}"#, normalizer: String = "null",
    pretokenizer: String = #"{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true}"#,
    more: String = ""
  ) -> String {
    let vocab = bytes + #", "ab": 256, "abĠ": 257"# + vocabulary
    return """
      {"version": "1.0", \(more)"added_tokens": [\(added)], "normalizer": \(normalizer), "pre_tokenizer": \(pretokenizer),
       "model": {\(model)"vocab": {\(vocab)}, "merges": [\(merges)]}}
      """
  }

  /// The tokens that a post_processor adds, before and after the text.
  static func template(_ single: String, tokens: String) -> String {
    """
    "post_processor": {"type": "Sequence", "processors": [{"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": false, "use_regex": true},
      {"type": "TemplateProcessing", "single": [\(single)], "pair": [], "special_tokens": {\(tokens)}}]},
    """
  }
}
