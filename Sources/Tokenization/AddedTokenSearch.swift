import CKernels

/// Finds added tokens in a text as Hugging Face's `AddedVocabulary`: left to right, the longest at each position.
struct AddedTokenSearch: Sendable {
  /// A token without its text, which is not copied for a match.
  private struct Form: Sendable {
    let id: UInt32
    let isSpecial: Bool
    let options: Tokenizer.AddedToken.Options

    /// Whether all matches of its text count, as they are.
    var isPlain: Bool { !isSpecial && options.isDisjoint(with: [.singleWord, .leftStrip, .rightStrip]) }
  }

  /// The tokens by the first byte of what stands for them, the longest first.
  private let forms: [Form]
  /// What stands for each, one after the other, and where each ends.
  private var contents: [UInt8] = []
  private var ends: [Int] = []
  /// The first of the tokens with each first byte, and their number at the end.
  private var starts: [Int] = []
  /// For `weir_find_pairs`, if there are few: first bytes, and second ones.
  private var pairs: [UInt8] = []
  private var pairCount: Int32 = 0
  /// For `weir_find_pair`: the groups, of eight by first byte, that have tokens with this first or second byte.
  private var first = [UInt8](repeating: 0, count: 256)
  private var second = [UInt8](repeating: 0, count: 257)
  private let hasOrdinary: Bool

  /// - Parameter tokens: the tokens, with what stands for them in a text.
  init?(_ tokens: [(token: Tokenizer.AddedToken, content: [UInt8])]) {
    hasOrdinary = tokens.contains { !$0.token.isSpecial }
    // A normalizer may leave nothing of a token, which then is nowhere.
    let sorted = tokens.filter { !$0.content.isEmpty }.enumerated().sorted {
      let (left, right) = ($0.element.content, $1.element.content)
      return (left[0], right.count, $0.offset) < (right[0], left.count, $1.offset)
    }.map(\.element)
    if sorted.isEmpty { return nil }
    forms = sorted.map { Form(id: $0.token.id, isSpecial: $0.token.isSpecial, options: $0.token.options) }
    var groups: [UInt8: Int] = [:]
    for (index, (_, content)) in sorted.enumerated() {
      while starts.count <= Int(content[0]) { starts.append(index) }
      contents += content
      ends.append(contents.count)
      let number = groups[content[0]] ?? groups.count
      groups[content[0]] = number
      let group = UInt8(1) << (number % 8)
      first[Int(content[0])] |= group
      if content.count > 1 { second[Int(content[1])] |= group } else { for next in second.indices { second[next] |= group } }
    }
    while starts.count <= 256 { starts.append(sorted.count) }
    let firstTwo = Set(sorted.map { $0.content.prefix(2) })
    if firstTwo.count <= Int(WEIR_FEW_PAIRS), firstTwo.allSatisfy({ $0.count == 2 }), let any = firstTwo.first {
      let all = firstTwo + Array(repeating: any, count: Int(WEIR_FEW_PAIRS) - firstTwo.count)
      pairs = all.map { $0[0] } + all.map { $0[1] }
      pairCount = Int32(firstTwo.count)
    }
  }

  /// The matches in order, each with the white space that it takes with it, where more tokens may be found: then ranges overlap.
  /// - Parameters:
  ///   - range: the part of the text that is searched as if it were all.
  ///   - allowsSpecials: whether special tokens count. If not, their text still hides tokens inside it.
  func matches(in text: [UInt8], range: Range<Int>, allowsSpecials: Bool) -> [(range: Range<Int>, id: UInt32)] {
    guard allowsSpecials || hasOrdinary else { return [] }
    var matches: [(range: Range<Int>, id: UInt32)] = []
    var done = range.lowerBound
    text.withUnsafeBufferPointer { bytes in
      let bytes = UnsafeBufferPointer(rebasing: bytes[..<range.upperBound])
      var at = next(in: bytes, from: range.lowerBound)
      while at < range.upperBound {
        var after = at + 1
        if let (index, length) = token(at, in: bytes) {
          after = at + length
          let form = forms[index]
          let found =
            form.isPlain
            ? at..<after : self.range(of: form, at..<after, in: text[range], after: done, allowsSpecials: allowsSpecials)
          if let found {
            matches.append((found, form.id))
            done = found.upperBound
          }
        }
        at = next(in: bytes, from: after)
      }
    }
    return matches
  }

  /// The number of special tokens in a text.
  func specialCount(in text: [UInt8]) -> Int {
    let special = Set(forms.filter(\.isSpecial).map(\.id))
    return special.isEmpty ? 0 : matches(in: text, range: 0..<text.count, allowsSpecials: true).count { special.contains($0.id) }
  }

  /// The longest token at a position, and the length of what stands for it.
  private func token(_ at: Int, in text: UnsafeBufferPointer<UInt8>) -> (index: Int, length: Int)? {
    let left = text.count - at
    var start = starts[Int(text[at])] == 0 ? 0 : ends[starts[Int(text[at])] - 1]
    for index in starts[Int(text[at])]..<starts[Int(text[at]) + 1] {
      let end = ends[index]
      let length = end - start
      // Compares the last byte first: runs of blanks of many lengths differ there.
      if length <= left, text[at + length - 1] == contents[end - 1], (1..<length).allSatisfy({ text[at + $0] == contents[start + $0] }) {
        return (index, length)
      }
      start = end
    }
    return nil
  }

  /// The next place where a token may be.
  private func next(in text: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
    pairCount > 0
      ? weir_find_pairs(text.baseAddress, text.count, start, pairs, pairCount)
      : weir_find_pair(text.baseAddress, text.count, start, first, second)
  }

  /// The range that a token takes up; nil where it does not count.
  private func range(
    of form: Form, _ found: Range<Int>, in text: ArraySlice<UInt8>, after done: Int, allowsSpecials: Bool
  ) -> Range<Int>? {
    if form.isSpecial, !allowsSpecials { return nil }
    var (start, end) = (found.lowerBound, found.upperBound)
    if form.options.contains(.singleWord) {
      if let (before, _) = text[..<start].lastScalar, Self.isWord(before) { return nil }
      if let (after, _) = text[end...].firstScalar, Self.isWord(after) { return nil }
    }
    if form.options.contains(.leftStrip) {
      while start > done, let (scalar, width) = text[..<start].lastScalar, scalar.properties.isWhitespace { start -= width }
      // White space that the token before it took, in which this one lies.
      start = max(start, done)
    }
    if form.options.contains(.rightStrip) {
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
