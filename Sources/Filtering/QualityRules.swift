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
  func reason(_ text: [UInt8], _ shape: TextShape) -> Violation? {
    let counts = shape.counts
    let contentWords = counts.content_words
    let words = Double(max(1, counts.word_count))
    // NaN without words: then no comparison holds.
    let mean = Double(counts.content_characters) / Double(contentWords)
    let alphabetic = Double(counts.letter_words) / Double(counts.word_count)
    return rules.reason(.tooFewWords, Double(contentWords), below: Double(limits.minimumWords))
      ?? rules.reason(.tooManyWords, Double(contentWords), above: Double(limits.maximumWords))
      ?? rules.reason(.wordsTooShort, mean, below: limits.minimumMeanWordLength)
      ?? rules.reason(.wordsTooLong, mean, above: limits.maximumMeanWordLength)
      ?? rules.reason(.tooManyHashes, Double(counts.hashes) / words, above: limits.maximumSymbolsPerWord)
      ?? rules.reason(.tooManyEllipses, Double(counts.ellipses) / words, above: limits.maximumSymbolsPerWord)
      ?? lineReason(text, shape)
      ?? rules.reason(.tooFewAlphabeticWords, alphabetic, below: limits.minimumAlphabeticWordShare)
      ?? (rules.contains(.tooFewStopWords)
        ? rules.reason(.tooFewStopWords, Double(stopWordCount(shape)), below: Double(limits.minimumStopWords)) : nil)
  }

  private func lineReason(_ text: [UInt8], _ shape: TextShape) -> Violation? {
    guard !shape.rows.isEmpty else { return nil }
    var bullets = 0
    var ellipses = 0
    for row in shape.rows where row.spans > 0 {
      let (start, end) = (Int(row.start), Int(row.end))
      if text[start] == 0x2D || text.holds(0xE2, 0x80, 0xA2, at: start) { bullets += 1 }
      if row.end - row.last >= 3, text.holds(0x2E, 0x2E, 0x2E, at: end - 3) || text.holds(0xE2, 0x80, 0xA6, at: end - 3) { ellipses += 1 }
    }
    let rows = Double(shape.rows.count)
    return rules.reason(.tooManyBullets, Double(bullets) / rows, above: limits.maximumBulletLineShare)
      ?? rules.reason(.tooManyEllipsisLines, Double(ellipses) / rows, above: limits.maximumEllipsisLineShare)
  }

  /// Distinct stop words, at most as many as are asked for: it stops reading there.
  private func stopWordCount(_ shape: TextShape) -> Int {
    var count = 0
    guard limits.minimumStopWords > 0 else { return 0 }
    var found = [Bool](repeating: false, count: stopWords.count)
    for word in shape.words where bits >> (word.hash & 63) & 1 != 0 {
      for index in stopWords.indices where stopWords[index] == word.hash && !found[index] {
        found[index] = true
        count += 1
        if count == limits.minimumStopWords { return count }
      }
    }
    return count
  }
}

extension [UInt8] {
  /// Whether these three bytes are at `index`.
  func holds(_ first: UInt8, _ second: UInt8, _ third: UInt8, at index: Int) -> Bool {
    index >= 0 && index + 3 <= count && self[index] == first && self[index + 1] == second && self[index + 2] == third
  }
}
