import CKernels

/// How a text is cut into pre-tokens, the stretches that merges never cross.
///
/// Each kind is a published pattern, matched by a hand-written state machine over UTF-8 bytes (`pretokens.h`): one pass, no backtracking beyond
/// the white-space run at hand, linear in the text. Bytes that are not UTF-8 are symbols of one byte, so that every input is cut.
package enum Pretokenizer: String, Codable, Sendable, CaseIterable {
  /// GPT-2.
  case gpt2
  /// GPT-3.5 and GPT-4 (tiktoken's `cl100k_base`).
  case cl100k
  /// Llama 3; numbers in threes, as in cl100k.
  case llama3
  /// Qwen 2 and later: Llama 3 with single digits.
  case qwen2

  /// The pattern, in the syntax that Hugging Face's `Split` accepts.
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

  /// The kind that a `Split` pattern stands for; nil for a pattern that is none of ours.
  package init?(pattern: String) {
    let original = pattern.replacing(#"\p{N}{1,3}+|"#, with: #"\p{N}{1,3}|"#)
    guard let kind = Self.allCases.first(where: { $0.pattern == pattern || $0.pattern == original }) else { return nil }
    self = kind
  }

  /// How the kernels cut.
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

  /// The pre-tokens of a text, in order, without gaps.
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
