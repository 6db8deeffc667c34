import CKernels

// Gopher's quality rules (Rae et al. 2112.11446, appendix A1.1) as datatrove implements them: punctuation marks are words of their own, stop
// words are compared case-sensitively.

struct QualityRules {
  let rules: FilterRules
  let limits: FilterConfiguration.GopherQuality
  /// Fingerprints of the stop words, and a bit set of their last six bits.
  private let stopWords: [UInt64]
  private let bits: UInt64

  init(rules: FilterRules, limits: FilterConfiguration.GopherQuality) {
    self.rules = rules
    self.limits = limits
    stopWords = Set(limits.stopWords).sorted().map { word in
      let bytes = Array(word.utf8)
      return weir_fingerprint_of(bytes, bytes.count, 0, bytes.count)
    }
    bits = stopWords.reduce(0) { $0 | 1 << ($1 & 63) }
  }

  /// The reason to drop the text; nil to keep it.
  func reason(_ text: [UInt8], _ shape: TextShape) -> String? {
    let counts = shape.counts
    let contentWords = counts.content_words
    if rules.contains(.tooFewWords), contentWords < limits.minimumWords { return FilterRule.tooFewWords.rawValue }
    if rules.contains(.tooManyWords), contentWords > limits.maximumWords { return FilterRule.tooManyWords.rawValue }
    if contentWords > 0 {
      let mean = Double(counts.content_characters) / Double(contentWords)
      if rules.contains(.wordsTooShort), mean < limits.minimumMeanWordLength { return FilterRule.wordsTooShort.rawValue }
      if rules.contains(.wordsTooLong), mean > limits.maximumMeanWordLength { return FilterRule.wordsTooLong.rawValue }
    }
    let words = Double(max(1, counts.word_count))
    if rules.contains(.tooManyHashes), Double(counts.hashes) / words > limits.maximumSymbolsPerWord {
      return FilterRule.tooManyHashes.rawValue
    }
    if rules.contains(.tooManyEllipses), Double(counts.ellipses) / words > limits.maximumSymbolsPerWord {
      return FilterRule.tooManyEllipses.rawValue
    }
    if let reason = lineReason(text, shape) { return reason }
    if rules.contains(.tooFewAlphabeticWords), counts.word_count > 0,
      Double(counts.letter_words) / words < limits.minimumAlphabeticWordShare
    {
      return FilterRule.tooFewAlphabeticWords.rawValue
    }
    if rules.contains(.tooFewStopWords), !hasStopWords(shape) { return FilterRule.tooFewStopWords.rawValue }
    return nil
  }

  private func lineReason(_ text: [UInt8], _ shape: TextShape) -> String? {
    guard !shape.rows.isEmpty else { return nil }
    var bullets = 0
    var ellipses = 0
    for row in shape.rows where row.spans > 0 {
      let (start, end) = (Int(row.start), Int(row.end))
      if text[start] == 0x2D || text.holds(0xE2, 0x80, 0xA2, at: start) { bullets += 1 }
      if row.end - row.last >= 3, text.holds(0x2E, 0x2E, 0x2E, at: end - 3) || text.holds(0xE2, 0x80, 0xA6, at: end - 3) { ellipses += 1 }
    }
    let rows = Double(shape.rows.count)
    if rules.contains(.tooManyBullets), Double(bullets) / rows > limits.maximumBulletLineShare {
      return FilterRule.tooManyBullets.rawValue
    }
    if rules.contains(.tooManyEllipsisLines), Double(ellipses) / rows > limits.maximumEllipsisLineShare {
      return FilterRule.tooManyEllipsisLines.rawValue
    }
    return nil
  }

  /// Whether enough distinct stop words occur; stops reading as soon as they do.
  private func hasStopWords(_ shape: TextShape) -> Bool {
    var left = limits.minimumStopWords
    guard left > 0 else { return true }
    var found = [Bool](repeating: false, count: stopWords.count)
    for word in shape.words where bits >> (word.hash & 63) & 1 != 0 {
      for index in stopWords.indices where stopWords[index] == word.hash && !found[index] {
        found[index] = true
        left -= 1
        if left == 0 { return true }
      }
    }
    return false
  }
}

extension [UInt8] {
  /// Whether these three bytes are at `index`.
  func holds(_ first: UInt8, _ second: UInt8, _ third: UInt8, at index: Int) -> Bool {
    index >= 0 && index + 3 <= count && self[index] == first && self[index + 1] == second && self[index + 2] == third
  }
}
