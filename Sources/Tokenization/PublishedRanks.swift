/// The special tokens of published rank files, which do not contain them.
enum PublishedRanks {
  /// - Parameters:
  ///   - ranks: the number of ranks with bytes.
  ///   - largest: the largest rank.
  /// - Returns: nil for an unknown file.
  static func specials(ranks: Int, largest: Int, pretokenizer: Pretokenizer) -> [Tokenizer.AddedToken]? {
    let end = Tokenizer.endOfDocumentName
    let list: [(id: Int, content: String)]
    switch (pretokenizer, ranks, largest) {
    // GPT-2 (r50k_base), the code models of GPT-3 (p50k_base), Whisper's two files.
    case (.gpt2, 50_256, 50_255), (.gpt2, 50_280, 50_280): list = [(50_256, end)]
    case (.gpt2, 50_256, 50_256): list = [(50_257, end)]
    case (.cl100k, 100_256, 100_255):
      let middle = [(100_258, "<|fim_prefix|>"), (100_259, "<|fim_middle|>"), (100_260, "<|fim_suffix|>")]
      list = [(100_257, end)] + middle + [(100_276, "<|endofprompt|>")]
    case (.o200k, 199_998, 199_997): list = [(199_999, end), (200_018, "<|endofprompt|>")]
    case (.qwen2, 151_643, 151_642): list = [(151_643, end), (151_644, "<|im_start|>"), (151_645, "<|im_end|>")]
    case (.llama3, 128_000, 127_999): list = llama3
    default: return nil
    }
    return list.map { Tokenizer.AddedToken(id: UInt32($0.id), content: $0.content) }
  }

  /// Llama 3.1's 256 special tokens; Llama 3 has the same ids, some of them as reserved ones.
  private static let llama3: [(id: Int, content: String)] = {
    let named = [
      0: "<|begin_of_text|>", 1: "<|end_of_text|>", 4: "<|finetune_right_pad_id|>", 6: "<|start_header_id|>", 7: "<|end_header_id|>",
      8: "<|eom_id|>", 9: "<|eot_id|>", 10: "<|python_tag|>",
    ]
    var reserved = 0
    return (0..<256).map { offset in
      if let name = named[offset] { return (128_000 + offset, name) }
      reserved += 1
      return (128_000 + offset, "<|reserved_special_token_\(reserved - 1)|>")
    }
  }()
}
