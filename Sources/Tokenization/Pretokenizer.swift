import CKernels

/// A pre-tokenizer: splits text into pre-tokens, which merges never cross.
///
/// Each kind is a published pattern, matched by a hand-written state machine over UTF-8 bytes (`pretokens.h`): one pass, no backtracking beyond
/// the current whitespace run, linear in the text. Bytes that are not UTF-8 count as symbols of one byte, so every input is valid.
package enum Pretokenizer: String, Codable, Sendable, CaseIterable {
  /// GPT-2.
  case gpt2
  /// GPT-3.5 and GPT-4 (tiktoken's `cl100k_base`).
  case cl100k
  /// Llama 3; digits in groups of three, as in cl100k.
  case llama3
  /// Qwen 2 and later: Llama 3 with single digits.
  case qwen2

  /// The pattern, in the syntax of Hugging Face's `Split`.
  package var pattern: String {
    switch self {
    case .gpt2:
      #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#
    case .cl100k:
      // `{1,3}+` of the original is possessive in PCRE, but a repeated repetition in Oniguruma; without `+` both agree.
      #"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s"#
    case .llama3:
      #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    case .qwen2:
      #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    }
  }

  /// The pre-tokenizer of a `Split` pattern; nil for an unknown pattern.
  package init?(pattern: String) {
    let original = pattern.replacing(#"\p{N}{1,3}+|"#, with: #"\p{N}{1,3}|"#)
    guard let kind = Self.allCases.first(where: { $0.pattern == pattern || $0.pattern == original }) else { return nil }
    self = kind
  }

  /// The kernel's number of this pattern.
  var kernel: weir_pattern {
    let family =
      switch self {
      case .gpt2: WEIR_PATTERN_GPT2
      case .cl100k: WEIR_PATTERN_CL100K
      case .llama3, .qwen2: WEIR_PATTERN_LLAMA3
      }
    return weir_pattern(
      classes: CharacterClass.table, limit: UInt32(CharacterClass.limit), family: Int32(family), digits: self == .qwen2 ? 1 : 3)
  }

  /// The pre-tokens of a text, in order and without gaps.
  /// - Complexity: O(bytes).
  package func split(_ bytes: [UInt8]) -> [Range<Int>] {
    var ranges: [Range<Int>] = []
    bytes.withUnsafeBufferPointer { buffer in forEach(in: buffer) { ranges.append($0) } }
    return ranges
  }

  /// Calls `body` with each pre-token in order.
  @inline(__always)
  func forEach(in text: UnsafeBufferPointer<UInt8>, _ body: (Range<Int>) -> Void) {
    guard let base = text.baseAddress else { return }
    let room = 1_024
    withUnsafePointer(to: kernel) { pattern in
      var cutter = weir_cutter()
      weir_cutter_start(&cutter, pattern, base, text.count)
      withUnsafeTemporaryAllocation(of: Int.self, capacity: room) { ends in
        var start = 0
        while true {
          let found = weir_pretokens(&cutter, ends.baseAddress, room)
          if found == 0 { return }
          for index in 0..<found {
            body(start..<ends[index])
            start = ends[index]
          }
        }
      }
    }
  }
}
