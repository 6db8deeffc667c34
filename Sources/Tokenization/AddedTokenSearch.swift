import CKernels

/// Finds added tokens in a text as Hugging Face's `AddedVocabulary`: left to right, the longest at each position.
struct AddedTokenSearch: Sendable {
  private struct Form: Sendable {
    let content: [UInt8]
    let token: Tokenizer.AddedToken

    /// Compares the last byte first: runs of blanks of many lengths differ there.
    func isAt(_ at: Int, in text: ArraySlice<UInt8>) -> Bool {
      let end = at + content.count
      return end <= text.endIndex && text[end - 1] == content[content.count - 1] && text[at..<end].elementsEqual(content)
    }
  }

  /// By the first byte, the longest first.
  private var forms: [[Form]] = Array(repeating: [], count: 256)
  /// For `weir_find_pairs`, if there are few: first bytes, and second ones.
  private var pairs: [UInt8]?
  /// For `weir_find_pair`: the groups, of eight by first byte, that have tokens with this first or second byte.
  private var first = [UInt8](repeating: 0, count: 256)
  private var second = [UInt8](repeating: 0, count: 257)
  private let hasOrdinary: Bool

  /// - Parameter tokens: the tokens, with what stands for them in a text.
  init?(_ tokens: [(token: Tokenizer.AddedToken, content: [UInt8])]) {
    hasOrdinary = tokens.contains { !$0.token.isSpecial }
    var groups: [UInt8: Int] = [:]
    // A normalizer may leave nothing of a token, which then is nowhere.
    for (token, content) in tokens where !content.isEmpty {
      forms[Int(content[0])].append(Form(content: content, token: token))
      let number = groups[content[0]] ?? groups.count
      groups[content[0]] = number
      let group = UInt8(1) << (number % 8)
      first[Int(content[0])] |= group
      if content.count > 1 { second[Int(content[1])] |= group } else { for next in second.indices { second[next] |= group } }
    }
    if groups.isEmpty { return nil }
    let starts = Set(tokens.map { $0.content.prefix(2) }.filter { !$0.isEmpty })
    if starts.count <= 8, starts.allSatisfy({ $0.count == 2 }) {
      let all = (starts + Array(repeating: starts.first ?? [], count: 8)).prefix(8)
      pairs = all.map { $0[0] } + all.map { $0[1] }
    }
    for byte in forms.indices { forms[byte].sort { $0.content.count > $1.content.count } }
  }

  /// The matches in order, each with the white space that it takes with it, where more tokens may be found: then ranges overlap.
  /// - Parameters:
  ///   - range: the part of the text that is searched as if it were all.
  ///   - allowsSpecials: whether special tokens count. If not, their text still hides tokens inside it.
  func matches(in text: [UInt8], range: Range<Int>, allowsSpecials: Bool) -> [(range: Range<Int>, id: UInt32)] {
    guard allowsSpecials || hasOrdinary else { return [] }
    let text = text[range]
    var matches: [(range: Range<Int>, id: UInt32)] = []
    var done = range.lowerBound
    var at = next(in: text, from: range.lowerBound)
    while at < range.upperBound {
      var after = at + 1
      if let form = forms[Int(text[at])].first(where: { $0.isAt(at, in: text) }) {
        after = at + form.content.count
        if let found = self.range(of: form.token, at..<after, in: text, after: done, allowsSpecials: allowsSpecials) {
          matches.append((found, form.token.id))
          done = found.upperBound
        }
      }
      at = next(in: text, from: after)
    }
    return matches
  }

  /// The next place where a token may be.
  private func next(in text: ArraySlice<UInt8>, from start: Int) -> Int {
    let offset = start - text.startIndex
    return text.startIndex
      + text.withUnsafeBufferPointer { text in
        pairs.map { weir_find_pairs(text.baseAddress, text.count, offset, $0) }
          ?? weir_find_pair(text.baseAddress, text.count, offset, first, second)
      }
  }

  /// The range that a token takes up; nil where it does not count.
  private func range(
    of token: Tokenizer.AddedToken, _ found: Range<Int>, in text: ArraySlice<UInt8>, after done: Int, allowsSpecials: Bool
  ) -> Range<Int>? {
    if token.isSpecial, !allowsSpecials { return nil }
    var (start, end) = (found.lowerBound, found.upperBound)
    if token.options.contains(.singleWord) {
      if let (before, _) = text[..<start].lastScalar, Self.isWord(before) { return nil }
      if let (after, _) = text[end...].firstScalar, Self.isWord(after) { return nil }
    }
    if token.options.contains(.leftStrip) {
      while start > done, let (scalar, width) = text[..<start].lastScalar, scalar.properties.isWhitespace { start -= width }
      // White space that the token before it took, in which this one lies.
      start = max(start, done)
    }
    if token.options.contains(.rightStrip) {
      while let (scalar, width) = text[end...].firstScalar, scalar.properties.isWhitespace { end += width }
    }
    return start < end ? start..<end : nil
  }

  /// `\w` of Rust's regex crate.
  private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
    let properties = scalar.properties
    if properties.isAlphabetic || properties.isJoinControl { return true }
    switch properties.generalCategory {
    case .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .connectorPunctuation: return true
    default: return false
    }
  }
}
