// FineWeb's rules (Penedo et al. 2406.17557, §3.6) as datatrove reads them: blank lines do not count, blanks at the end of a line do, an
// empty text fails the rule about punctuation.

/// FineWeb's rules.
struct FineWebRules {
  let rules: FilterRules
  let limits: FilterConfiguration.FineWeb
  private var table = FingerprintTable()
  private var classes = CharacterClasses()

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
      if endsInPunctuation(text, line) { punctuated += 1 }
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

  /// Whether the last character of a line has Unicode's Sentence_Terminal.
  private mutating func endsInPunctuation(_ text: [UInt8], _ line: TextShape.Line) -> Bool {
    let last = text[line.end - 1]
    if last < 0x80 { return classes.ascii[Int(last)].contains(.terminal) }
    var start = line.end - 1
    while start > line.start, line.end - start < 4, text[start] & 0xC0 == 0x80 { start -= 1 }
    var width = 1
    let scalar = UTF8Scalar.decode(text.span, at: start, width: &width)
    return start + width == line.end && classes.of(scalar).contains(.terminal)
  }
}
