// FineWeb's rules (Penedo et al. 2406.17557, §3.6) with datatrove's reading of them: blank lines do not count, an empty text fails the
// rule about punctuation.

/// FineWeb's rules.
struct FineWebRules {
  let rules: FilterRules
  let limits: FilterConfiguration.FineWeb
  private var table = FingerprintTable()

  init(rules: FilterRules, limits: FilterConfiguration.FineWeb) {
    self.rules = rules
    self.limits = limits
  }

  /// The reason to drop the text, nil for none.
  mutating func reason(_ text: [UInt8], _ shape: TextShape) -> String? {
    var lines = 0
    var punctuated = 0
    var short = 0
    var repeatedCharacters = 0
    table.reset(for: shape.lines.count)
    for line in shape.lines where !line.isBlank {
      lines += 1
      if Self.endsInPunctuation(text, shape.words[line.lastWord - 1]) { punctuated += 1 }
      if line.characters <= limits.shortLineCharacters { short += 1 }
      if table.add(line.hash).seen { repeatedCharacters += line.characters }
    }
    guard lines > 0 else { return rules.contains(.fewPunctuatedLines) ? FilterRule.fewPunctuatedLines.rawValue : nil }
    if rules.contains(.fewPunctuatedLines), Double(punctuated) / Double(lines) < limits.minimumPunctuatedLineShare {
      return FilterRule.fewPunctuatedLines.rawValue
    }
    if rules.contains(.manyShortLines), Double(short) / Double(lines) > limits.maximumShortLineShare {
      return FilterRule.manyShortLines.rawValue
    }
    if rules.contains(.repeatedLineCharacters),
      Double(repeatedCharacters) / Double(max(1, shape.characters - shape.newlines)) > limits.maximumDuplicateCharacterShare
    {
      return FilterRule.repeatedLineCharacters.rawValue
    }
    if rules.contains(.listLike), Double(shape.newlines) / Double(shape.words.count) > limits.maximumNewlinesPerWord {
      return FilterRule.listLike.rawValue
    }
    return nil
  }

  /// Whether a word ends in one of `. ! ? " '`, a typographic quote or ellipsis, or a code point with Unicode's Sentence_Terminal.
  static func endsInPunctuation(_ text: [UInt8], _ word: TextShape.Word) -> Bool {
    guard word.end > word.start else { return false }
    let last = text[word.end - 1]
    if last < 0x80 { return last == 0x2E || last == 0x21 || last == 0x3F || last == 0x22 || last == 0x27 }
    var start = word.end - 1
    while start > word.start, word.end - start < 4, text[start] & 0xC0 == 0x80 { start -= 1 }
    var width = 1
    let scalar = UTF8Scalar.decode(text.span, at: start, width: &width)
    guard start + width == word.end, let known = Unicode.Scalar(scalar) else { return false }
    switch scalar {
    case 0x2026, 0x2019, 0x201D, 0xBB: return true
    default: return known.properties.isSentenceTerminal
    }
  }
}
