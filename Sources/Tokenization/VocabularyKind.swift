/// Kinds of tokens.
package enum VocabularyKind: String, Codable, Sendable, CaseIterable {
  /// Special and other added tokens.
  case added
  /// One byte.
  case bytes
  /// Letters after a space, as at the beginning of a word.
  case words = "words after a blank"
  /// Letters alone.
  case letters
  /// Digits and other numbers, also after a space.
  case numbers
  /// Whitespace alone.
  case space = "white space"
  /// Incomplete UTF-8 characters.
  case fragments = "parts of characters"
  /// Anything else: punctuation and mixtures of the above.
  case others

  package struct Row: Codable, Sendable, Equatable {
    package var kind: VocabularyKind
    /// Number of tokens.
    package var tokens: Int
    /// Mean length in bytes.
    package var meanBytes: Double
    /// How many of them occur in the documents.
    package var used: Int
    /// Fraction of the documents' tokens; 0 without documents.
    package var share: Double

    private enum CodingKeys: String, CodingKey {
      case kind, tokens, used, share
      case meanBytes = "mean_bytes"
    }
  }

  /// The kind of an ordinary token.
  init(_ token: ArraySlice<UInt8>) {
    guard token.count > 1 else {
      self = .bytes
      return
    }
    guard let text = String(validating: token, as: UTF8.self) else {
      self = .fragments
      return
    }
    let scalars = text.unicodeScalars
    if scalars.allSatisfy(\.properties.isWhitespace) {
      self = .space
      return
    }
    let body = scalars.first == " " ? scalars.dropFirst() : scalars[...]
    if body.allSatisfy({ $0.properties.isAlphabetic || $0.properties.generalCategory == .nonspacingMark }) {
      self = scalars.first == " " ? .words : .letters
    } else {
      self = body.allSatisfy { $0.properties.numericType != nil } ? .numbers : .others
    }
  }

  /// The table, without empty kinds.
  /// - Parameter uses: [vocabulary] occurrences of each token in the documents.
  static func rows(_ tokenizer: Tokenizer, uses: [Int]) -> [Row] {
    let added = Set(tokenizer.addedTokens.map(\.id))
    var sums: [VocabularyKind: (tokens: Int, bytes: Int, used: Int, uses: Int)] = [:]
    for id in 0..<UInt32(tokenizer.vocabularySize) {
      let token = tokenizer.bytes(of: id)
      if token.isEmpty { continue }
      let kind = added.contains(id) ? .added : VocabularyKind(token)
      var sum = sums[kind] ?? (0, 0, 0, 0)
      sum.tokens += 1
      sum.bytes += token.count
      sum.used += uses[Int(id)] > 0 ? 1 : 0
      sum.uses += uses[Int(id)]
      sums[kind] = sum
    }
    let total = uses.reduce(0, +)
    return allCases.compactMap { kind in
      sums[kind].map { sum in
        Row(
          kind: kind, tokens: sum.tokens, meanBytes: Double(sum.bytes) / Double(sum.tokens), used: sum.used,
          share: total == 0 ? 0 : Double(sum.uses) / Double(total))
      }
    }
  }
}
