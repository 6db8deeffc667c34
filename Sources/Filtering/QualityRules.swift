// Gopher's quality rules (Rae et al. 2112.11446, appendix A1.1) with datatrove's reading of them, over words separated by white space.
// Stop words are compared in lower case and without punctuation around them.

/// The quality rules.
struct QualityRules {
  let rules: FilterRules
  let limits: FilterConfiguration.GopherQuality
  private let stopWords: [[UInt8]]

  init(rules: FilterRules, limits: FilterConfiguration.GopherQuality) {
    self.rules = rules
    self.limits = limits
    stopWords = Set(limits.stopWords).sorted().map { Array($0.utf8) }
  }

  /// The reason to drop the text, nil for none.
  func reason(_ text: [UInt8], _ shape: TextShape) -> String? {
    var contentWords = 0
    var contentCharacters = 0
    var letterWords = 0
    for word in shape.words {
      if word.hasContent {
        contentWords += 1
        contentCharacters += word.characters
      }
      if word.hasLetter { letterWords += 1 }
    }
    if rules.contains(.tooFewWords), contentWords < limits.minimumWords { return FilterRule.tooFewWords.rawValue }
    if rules.contains(.tooManyWords), contentWords > limits.maximumWords { return FilterRule.tooManyWords.rawValue }
    if contentWords > 0 {
      let mean = Double(contentCharacters) / Double(contentWords)
      if rules.contains(.wordsTooShort), mean < limits.minimumMeanWordLength { return FilterRule.wordsTooShort.rawValue }
      if rules.contains(.wordsTooLong), mean > limits.maximumMeanWordLength { return FilterRule.wordsTooLong.rawValue }
    }
    let words = Double(max(1, shape.words.count))
    if rules.contains(.tooManyHashes), Double(shape.hashes) / words > limits.maximumSymbolsPerWord {
      return FilterRule.tooManyHashes.rawValue
    }
    if rules.contains(.tooManyEllipses), Double(shape.ellipses) / words > limits.maximumSymbolsPerWord {
      return FilterRule.tooManyEllipses.rawValue
    }
    if let reason = lineReason(text, shape) { return reason }
    if rules.contains(.tooFewAlphabeticWords), !shape.words.isEmpty, Double(letterWords) / words < limits.minimumAlphabeticWordShare {
      return FilterRule.tooFewAlphabeticWords.rawValue
    }
    if rules.contains(.tooFewStopWords), !hasStopWords(text, shape) { return FilterRule.tooFewStopWords.rawValue }
    return nil
  }

  private func lineReason(_ text: [UInt8], _ shape: TextShape) -> String? {
    guard !shape.lines.isEmpty else { return nil }
    var bullets = 0
    var ellipses = 0
    for line in shape.lines where !line.isBlank {
      let start = shape.words[line.firstWord].start
      if text[start] == 0x2D || text.holds(0xE2, 0x80, 0xA2, at: start) { bullets += 1 }
      let end = shape.words[line.lastWord - 1].end
      if end - line.start >= 3, text.holds(0x2E, 0x2E, 0x2E, at: end - 3) || text.holds(0xE2, 0x80, 0xA6, at: end - 3) { ellipses += 1 }
    }
    let lines = Double(shape.lines.count)
    if rules.contains(.tooManyBullets), Double(bullets) / lines > limits.maximumBulletLineShare {
      return FilterRule.tooManyBullets.rawValue
    }
    if rules.contains(.tooManyEllipsisLines), Double(ellipses) / lines > limits.maximumEllipsisLineShare {
      return FilterRule.tooManyEllipsisLines.rawValue
    }
    return nil
  }

  /// Whether at least the minimum of different stop words occurs; stops reading as soon as it does.
  private func hasStopWords(_ text: [UInt8], _ shape: TextShape) -> Bool {
    var left = limits.minimumStopWords
    guard left > 0 else { return true }
    let longest = stopWords.reduce(0) { max($0, $1.count) }
    var found = [Bool](repeating: false, count: stopWords.count)
    for word in shape.words {
      var start = word.start
      var end = word.end
      while start < end, ByteClass.isPunctuation(text[start]) { start += 1 }
      while start < end, ByteClass.isPunctuation(text[end - 1]) { end -= 1 }
      guard start < end, end - start <= longest else { continue }
      for (index, stop) in stopWords.enumerated() where stop.count == end - start && !found[index] {
        guard (0..<stop.count).allSatisfy({ text[start + $0].lowered == stop[$0] }) else { continue }
        found[index] = true
        left -= 1
        if left == 0 { return true }
      }
    }
    return false
  }
}

extension ByteClass {
  /// ASCII punctuation and symbols.
  static func isPunctuation(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E: true
    default: false
    }
  }
}

extension UInt8 {
  /// The lower-case letter of an ASCII capital, any other byte as it is.
  var lowered: UInt8 { 0x41...0x5A ~= self ? self | 0x20 : self }
}

extension [UInt8] {
  /// Whether these three bytes stand at `index`.
  func holds(_ first: UInt8, _ second: UInt8, _ third: UInt8, at index: Int) -> Bool {
    index >= 0 && index + 3 <= count && self[index] == first && self[index + 1] == second && self[index + 2] == third
  }
}
