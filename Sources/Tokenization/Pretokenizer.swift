/// A published pre-tokenizer: splits text into pre-tokens, which merges never cross.
///
/// Each kind is a published pattern, most of them matched by a hand-written state machine over UTF-8 bytes (`pretokens.h`): one pass, no
/// backtracking beyond the current whitespace run, linear in the text. Bytes that are not UTF-8 count as symbols of one byte, so every input is
/// valid.
package enum Pretokenizer: String, Codable, Sendable, CaseIterable {
  /// GPT-2, GPT-NeoX.
  case gpt2
  /// GPT-3.5 and GPT-4 (tiktoken's `cl100k_base`).
  case cl100k
  /// Llama 3; digits in groups of three, as in cl100k.
  case llama3
  /// Qwen 2 and later: Llama 3 with single digits.
  case qwen2
  /// StarCoder: GPT-2 with single digits.
  case starcoder
  /// GPT-4o and Llama 4 (tiktoken's `o200k_base`).
  case o200k
  /// Mistral's Tekken: o200k with single digits and without contractions.
  case tekken
  /// DeepSeek 3.
  case deepseek

  /// The patterns, in the syntax of Hugging Face's `Split`; each splits what the one before it leaves.
  package var patterns: [String] {
    switch self {
    case .starcoder: [#"\p{N}"#, Self.gpt2.pattern]
    case .deepseek: [#"\p{N}{1,3}"#, "[一-龥぀-ゟ゠-ヿ]+", pattern]
    default: [pattern]
    }
  }

  /// The last of the patterns.
  package var pattern: String {
    switch self {
    case .gpt2, .starcoder:
      #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#
    case .cl100k:
      // `{1,3}+` of the original is possessive in PCRE, but a repeated repetition in Oniguruma; without `+` both agree.
      #"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s"#
    case .llama3:
      #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    case .qwen2:
      #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    case .o200k:
      [
        #"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"#,
        #"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"#,
        #"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"#,
      ].joined(separator: "|")
    case .tekken:
      [
        #"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"#,
        #"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"#,
        #"\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"#,
      ].joined(separator: "|")
    case .deepseek:
      ##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|"##
        + "[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+"
    }
  }

  /// The pre-tokenizer of `Split` patterns; nil for unknown patterns.
  package init?(patterns: [String]) {
    // As Unicode scalars: with canonical equivalence, other patterns would be equal.
    func scalars(_ patterns: [String]) -> [[Unicode.Scalar]] { patterns.map { Array($0.unicodeScalars) } }
    let original = patterns.map { $0.replacing(#"\p{N}{1,3}+|"#, with: #"\p{N}{1,3}|"#) }
    let found = Self.allCases.first { $0 != .starcoder && [scalars(patterns), scalars(original)].contains(scalars($0.patterns)) }
    guard let found else { return nil }
    self = found
  }

  /// The splitter of this kind, made at first use.
  var splitter: Splitter {
    switch self {
    case .gpt2: Published.gpt2
    case .cl100k: Published.cl100k
    case .llama3: Published.llama3
    case .qwen2: Published.qwen2
    case .starcoder: Published.starcoder
    case .o200k: Published.o200k
    case .tekken: Published.tekken
    case .deepseek: Published.deepseek
    }
  }

  private enum Published {
    static let gpt2 = Splitter(.gpt2)
    static let cl100k = Splitter(.cl100k)
    static let llama3 = Splitter(.llama3)
    static let qwen2 = Splitter(.qwen2)
    static let starcoder = Splitter(.starcoder)
    static let o200k = Splitter(.o200k)
    static let tekken = Splitter(.tekken)
    static let deepseek = Splitter(.deepseek)
  }

  /// The pre-tokens of a text, in order and without gaps.
  /// - Complexity: O(bytes).
  package func split(_ bytes: [UInt8]) -> [Range<Int>] { splitter.split(bytes) }
}
