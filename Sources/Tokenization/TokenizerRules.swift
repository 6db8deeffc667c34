import Storage

/// Everything that decides the tokens of a text besides the vocabulary, the merges and the added tokens.
struct TokenizerRules: Sendable {
  enum Splitting: Sendable {
    case published(Pretokenizer)
    /// Each pattern splits what the one before it leaves; a text is one pre-token without any.
    case patterns([Pattern])
    /// One pre-token per text, or per blank.
    case whole, blanks
  }

  /// Which texts get a blank at the start unless they have one: none, all, or only the first part of a document.
  enum Prefix: Sendable {
    case none, always, first
  }

  /// The blanks at the start of a text that decoding removes.
  enum LeadingBlanks: Sendable, Equatable {
    case upTo(Int)
    /// All of the first token.
    case firstToken
  }

  /// The vocabulary of characters, as SentencePiece makes them, instead of bytes.
  struct Characters: Sendable {
    /// Whether the bytes of an unknown character become tokens (`byte_fallback`).
    var fallsBack = false
    /// The id of an unknown character; nil if there is none.
    var unknown: UInt32?
    /// Whether unknown characters in a row become one token.
    var fuses = false
    /// Whether blanks in the vocabulary are written as U+2581 (▁).
    var marksBlanks = false
  }

  var splitting: Splitting
  var prefix = Prefix.none
  var normalizer = Normalizer()
  /// Whether U+2581 in a text becomes a blank when it is pre-tokenized (`Metaspace`).
  var readsMarks = false
  var ignoresMerges = false
  /// Nil for byte-level BPE.
  var characters: Characters?
  var leadingBlanks = LeadingBlanks.upTo(0)
  /// The members `normalizer`, `pre_tokenizer`, `decoder` of the file, if they are not what `TokenizerWriter` writes for the rules above.
  var members: [String: JSONValue] = [:]

  /// The name of the pre-tokenizer.
  var name: String {
    switch splitting {
    case .published(let kind): kind.rawValue
    case .patterns(let patterns): patterns.isEmpty ? "none" : patterns.count == 1 ? "a pattern" : "\(patterns.count) patterns"
    case .whole: "none"
    case .blanks: "blanks"
    }
  }

  /// Whether a part of a document gets a blank at the start.
  func hasPrefix(isFirst: Bool) -> Bool {
    switch prefix {
    case .none: false
    case .always: true
    case .first: isFirst
    }
  }

  /// The first line of what the fingerprint is computed of.
  var signature: String {
    let form = normalizer.isEmpty ? "none" : "nfc"
    guard !members.isEmpty else { return "weir.tokenizer.1 \(name) \(prefix == .always) \(ignoresMerges) \(form)" }
    let json = (try? JSONFile.encode(JSONValue.object(members))).map { String(decoding: $0, as: UTF8.self) } ?? ""
    let letters = characters.map { "\($0.fallsBack) \($0.unknown.map(String.init) ?? "none") \($0.fuses)" } ?? "bytes"
    return "weir.tokenizer.2 \(ignoresMerges) \(letters) \(json)"
  }

  /// The splitter of these rules.
  /// - Throws: `PatternError` where a pattern is too complex.
  func splitter(of layout: VocabularyLayout, merges: [Tokenizer.Merge]) throws -> Splitter {
    switch splitting {
    case .published(let kind): return kind.splitter
    case .patterns(let patterns):
      return patterns.isEmpty ? Splitter(wordsUnless: Array(repeating: true, count: 256)) : try Splitter(patterns)
    case .blanks: return .everyBlank
    case .whole:
      if characters?.fallsBack == true { return Splitter(merges, of: layout) }
      // Without a token that is a blank, blanks are unknown characters, which may become one token with their neighbors.
      var joins = [Bool](repeating: layout.map.find([0x20]) == nil, count: 256)
      for merge in merges where layout.withKey(merge.right, { $0[0] }) == 0x20 {
        layout.withKey(merge.left) { joins[Int($0[$0.count - 1])] = $0[$0.count - 1] != 0x20 || joins[0x20] }
      }
      return Splitter(wordsUnless: joins)
    }
  }
}
