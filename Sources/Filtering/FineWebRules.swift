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
  mutating func reason(_ shape: TextShape) -> String? {
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
    guard lines > 0 else { return rules.reason(.fewPunctuatedLines, if: true) }
    let repeated = Double(repeatedCharacters) / Double(max(1, counts.characters - counts.newlines))
    return rules.reason(.fewPunctuatedLines, if: Double(punctuated) / Double(lines) < limits.minimumPunctuatedLineShare)
      ?? rules.reason(.manyShortLines, if: Double(short) / Double(lines) > limits.maximumShortLineShare)
      ?? rules.reason(.repeatedLineCharacters, if: repeated > limits.maximumDuplicateCharacterShare)
      ?? rules.reason(.listLike, if: Double(counts.newlines) / Double(counts.word_count) > limits.maximumNewlinesPerWord)
  }
}
