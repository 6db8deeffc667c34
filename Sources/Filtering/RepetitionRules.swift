import CKernels

// Gopher's repetition rules (Rae et al. 2112.11446, table A1) as datatrove implements them: every occurrence after the first is a
// repetition, repeated n-grams do not overlap, fractions are of the text's code points, in a single pass from the left.

/// The repetition rules and their tables.
struct RepetitionRules {
  let rules: FilterRules
  let limits: FilterConfiguration.GopherRepetition
  private var table = RepetitionTable()
  private let tops: [FilterConfiguration.NGramLimit]
  private let duplicates: [FilterConfiguration.NGramLimit]

  init(rules: FilterRules, limits: FilterConfiguration.GopherRepetition) {
    self.rules = rules
    self.limits = limits
    tops = rules.contains(.topNGrams) ? limits.topNGrams : []
    duplicates = rules.contains(.duplicateNGrams) ? limits.duplicateNGrams : []
  }

  /// The reason to drop a text of this shape; nil to keep it.
  mutating func reason(_ text: [UInt8], _ shape: TextShape) -> Violation? {
    guard shape.counts.characters > 0 else { return nil }
    table.own()
    let characters = Double(shape.counts.characters)
    func share(_ found: Repetitions) -> Double { found.total > 0 ? Double(found.repeated) / Double(found.total) : 0 }
    if rules.contains(.duplicateParagraphs) || rules.contains(.duplicateParagraphCharacters) {
      let found = repeatedParagraphs(text, shape)
      let reason =
        rules.reason(.duplicateParagraphs, share(found), above: limits.duplicateParagraphShare)
        ?? rules.reason(
          .duplicateParagraphCharacters, Double(found.characters) / characters, above: limits.duplicateParagraphCharacterShare)
      if let reason { return reason }
    }
    if rules.contains(.duplicateLines) || rules.contains(.duplicateLineCharacters) {
      let found = repeatedLines(text, shape)
      let reason =
        rules.reason(.duplicateLines, share(found), above: limits.duplicateLineShare)
        ?? rules.reason(.duplicateLineCharacters, Double(found.characters) / characters, above: limits.duplicateLineCharacterShare)
      if let reason { return reason }
    }
    return nGramReason(shape, characters)
  }

  /// Repetitions among lines or paragraphs.
  struct Repetitions {
    var total = 0
    var repeated = 0
    var characters = 0
  }

  /// Lines that repeat an earlier one. Runs of newlines separate lines; a run at the beginning or end leaves an empty line there.
  private func repeatedLines(_ text: [UInt8], _ shape: TextShape) -> Repetitions {
    var found = Repetitions()
    table.reset(for: shape.lines.count + 1)
    let edges = (text.first == 0x0A ? 1 : 0) + (text.last == 0x0A ? 1 : 0)
    found.total = edges
    found.repeated = max(0, edges - 1)
    for line in shape.lines where line.count > 0 {
      found.total += 1
      if table.seen(line.hash) {
        found.repeated += 1
        found.characters += Int(line.characters)
      }
    }
    return found
  }

  /// Paragraphs (separated by two or more newlines) that repeat an earlier one, of the stripped text.
  private func repeatedParagraphs(_ text: [UInt8], _ shape: TextShape) -> Repetitions {
    var found = Repetitions()
    guard let first = shape.rows.first(where: { $0.spans > 0 }), let last = shape.rows.last(where: { $0.spans > 0 }) else {
      found.total = 1
      return found
    }
    let (start, end) = (first.start, last.end)
    table.reset(for: shape.lines.count)
    // A paragraph's fingerprint combines those of its lines.
    var hash: UInt64 = 0
    var characters = 0
    var isOpen = false
    func close() {
      guard isOpen else { return }
      found.total += 1
      if table.seen(hash) {
        found.repeated += 1
        found.characters += characters
      }
      isOpen = false
    }
    for line in shape.lines where line.end > start && line.start < end {
      if line.count == 0 {
        close()
        continue
      }
      // Whitespace at the edges of a text is nearly always ASCII, where bytes are characters.
      let low = max(line.start, start)
      let high = min(line.end, end)
      let own = Int(line.characters) - Int(low - line.start) - Int(line.end - high)
      let isWhole = low == line.start && high == line.end
      let fingerprint =
        isWhole ? line.hash : text.withUnsafeBufferPointer { weir_fingerprint_of($0.baseAddress, $0.count, Int(low), Int(high)) }
      hash = (isOpen ? hash &* 0xD6E8_FEB8_6659_FD93 : 0) &+ fingerprint
      characters = isOpen ? characters + 1 + own : own
      isOpen = true
    }
    close()
    return found
  }

  private func nGramReason(_ shape: TextShape, _ characters: Double) -> Violation? {
    let lengths = (tops + duplicates).lazy.map(\.n)
    let words = shape.words
    guard let shortest = lengths.min(), let longest = lengths.max(), shortest >= 1, words.count >= shortest else { return nil }
    for n in shortest...longest {
      guard words.count >= n else { return nil }
      if n == shortest { table.start(words, n) } else { table.next() }
      func reason(_ kind: String, _ limits: [FilterConfiguration.NGramLimit], _ found: () -> UInt64) -> Violation? {
        for limit in limits where limit.n == n {
          let share = Double(found()) / characters
          if share > limit.share { return Violation(reason: "gopher.\(kind)_\(n)_grams", measured: share, limit: limit.share) }
        }
        return nil
      }
      if let reason = reason("top", tops, { table.topCharacters }) { return reason }
      if let reason = reason("duplicate", duplicates, table.repeatedCharacters) { return reason }
    }
    return nil
  }
}

/// Counts of fingerprints and of word n-grams (`repetition.c`).
struct RepetitionTable: Sendable {
  private var memory = RepetitionTable.memory()

  private static func memory() -> KernelMemory { KernelMemory(weir_repetition_create(), weir_repetition_destroy) }

  /// Makes the memory unique; call before anything else.
  mutating func own() { if !isKnownUniquelyReferenced(&memory) { memory = Self.memory() } }

  /// Clears the table, with room for `count` distinct fingerprints.
  func reset(for count: Int) { weir_repetition_reset(memory.pointer, count) }

  /// Adds a fingerprint; returns whether it was present.
  func seen(_ fingerprint: UInt64) -> Bool { weir_repetition_seen(memory.pointer, fingerprint) != 0 }

  /// Counts the n-grams of at least n words.
  func start(_ words: UnsafeBufferPointer<weir_word>, _ n: Int) { weir_repetition_start(memory.pointer, words.baseAddress, words.count, n) }

  /// Advances to n + 1.
  func next() { weir_repetition_next(memory.pointer) }

  /// Code points of the most frequent n-gram (the first in a tie), including spaces between words, times its
  /// occurrences.
  var topCharacters: UInt64 { weir_repetition_top(memory.pointer) }

  /// Code points of the words in non-overlapping repeated n-grams, from the left.
  func repeatedCharacters() -> UInt64 { weir_repetition_repeated(memory.pointer) }
}
