import CKernels

// FineWeb's rules (Penedo et al. 2406.17557, §3.6) as datatrove implements them: blank lines do not count, trailing spaces of a
// line do, and an empty text fails the punctuation rule.

struct FineWebRules {
  let rules: FilterRules
  let limits: FilterConfiguration.FineWeb
  private var table = RepetitionTable()

  init(rules: FilterRules, limits: FilterConfiguration.FineWeb) {
    self.rules = rules
    self.limits = limits
  }

  /// The reason to drop the text; nil to keep it.
  mutating func reason(_ shape: TextShape) -> Violation? {
    var lines = 0
    var punctuated = 0
    var short = 0
    var repeatedCharacters = 0
    table.own()
    table.reset(for: shape.lines.count)
    for line in shape.lines where line.blank == 0 {
      lines += 1
      punctuated += Int(line.terminal)
      if line.characters <= limits.shortLineCharacters { short += 1 }
      if table.seen(line.hash) { repeatedCharacters += Int(line.characters) }
    }
    let counts = shape.counts
    // Without lines, any minimum is missed, 0 too.
    guard lines > 0 else {
      let limit = limits.minimumPunctuatedLineShare
      return rules.contains(.fewPunctuatedLines)
        ? Violation(reason: FilterRule.fewPunctuatedLines.rawValue, measured: 0, limit: limit) : nil
    }
    let repeated = Double(repeatedCharacters) / Double(max(1, counts.characters - counts.newlines))
    return rules.reason(.fewPunctuatedLines, Double(punctuated) / Double(lines), below: limits.minimumPunctuatedLineShare)
      ?? rules.reason(.manyShortLines, Double(short) / Double(lines), above: limits.maximumShortLineShare)
      ?? rules.reason(.repeatedLineCharacters, repeated, above: limits.maximumDuplicateCharacterShare)
      ?? rules.reason(.listLike, Double(counts.newlines) / Double(counts.word_count), above: limits.maximumNewlinesPerWord)
  }
}
