// Gopher's repetition rules (Rae et al. 2112.11446, table A1) as datatrove reads them: every occurrence after the first is
// a repetition, repeated n-grams do not overlap, shares are of the text's code points, a single pass from the left.
//
// An n-gram that repeats holds two (n−1)-grams that repeat, so each n looks only at the places that the last one left: after
// the shortest n-gram little is left to do.

/// The repetition rules, with the tables they need.
struct RepetitionRules {
  let rules: FilterRules
  let limits: FilterConfiguration.GopherRepetition
  private var table = FingerprintTable()
  private var positions: [Int] = []
  private var fingerprints: [UInt64] = []
  private var slots: [Int] = []
  private var charactersBefore: [Int] = []

  init(rules: FilterRules, limits: FilterConfiguration.GopherRepetition) {
    self.rules = rules
    self.limits = limits
  }

  /// The reason to drop a text of this shape, nil for none.
  mutating func reason(_ text: [UInt8], _ shape: TextShape) -> String? {
    guard shape.characters > 0 else { return nil }
    let characters = Double(shape.characters)
    if rules.contains(.duplicateParagraphs) || rules.contains(.duplicateParagraphCharacters) {
      let found = repeatedParagraphs(text, shape)
      if rules.contains(.duplicateParagraphs), found.total > 0,
        Double(found.repeated) / Double(found.total) > limits.duplicateParagraphShare
      {
        return FilterRule.duplicateParagraphs.rawValue
      }
      if rules.contains(.duplicateParagraphCharacters), Double(found.characters) / characters > limits.duplicateParagraphCharacterShare {
        return FilterRule.duplicateParagraphCharacters.rawValue
      }
    }
    if rules.contains(.duplicateLines) || rules.contains(.duplicateLineCharacters) {
      let found = repeatedLines(text, shape)
      if rules.contains(.duplicateLines), found.total > 0, Double(found.repeated) / Double(found.total) > limits.duplicateLineShare {
        return FilterRule.duplicateLines.rawValue
      }
      if rules.contains(.duplicateLineCharacters), Double(found.characters) / characters > limits.duplicateLineCharacterShare {
        return FilterRule.duplicateLineCharacters.rawValue
      }
    }
    return nGramReason(shape)
  }

  /// Repetitions among lines or paragraphs.
  struct Repetitions {
    var total = 0
    var repeated = 0
    var characters = 0
  }

  /// Lines that repeat an earlier one. Runs of newlines separate them; a run at the beginning or the end leaves an empty one there.
  mutating func repeatedLines(_ text: [UInt8], _ shape: TextShape) -> Repetitions {
    var found = Repetitions()
    table.reset(for: shape.lines.count + 1)
    let edges = (text.first == 0x0A ? 1 : 0) + (text.last == 0x0A ? 1 : 0)
    found.total = edges
    found.repeated = max(0, edges - 1)
    for line in shape.lines where line.end > line.start {
      found.total += 1
      if table.add(line.hash).seen {
        found.repeated += 1
        found.characters += line.characters
      }
    }
    return found
  }

  /// Paragraphs, what two or more newlines separate, that repeat an earlier one; without blanks around the text.
  private mutating func repeatedParagraphs(_ text: [UInt8], _ shape: TextShape) -> Repetitions {
    var found = Repetitions()
    guard let start = shape.stretches.first?.start, let end = shape.stretches.last?.end else {
      found.total = 1
      return found
    }
    table.reset(for: shape.lines.count)
    var from = -1
    var to = 0
    var characters = 0
    let span = text.span
    func close(_ table: inout FingerprintTable) {
      guard from >= 0 else { return }
      found.total += 1
      if table.add(TextShape.fingerprint(span, from, to)).seen {
        found.repeated += 1
        found.characters += characters
      }
      from = -1
    }
    for line in shape.lines where line.end > start && line.start < end {
      if line.end == line.start {
        close(&table)
        continue
      }
      // Blanks at the edges of the text are ASCII's but for rare ones: bytes are characters there.
      let low = max(line.start, start)
      let high = min(line.end, end)
      let own = line.characters - (low - line.start) - (line.end - high)
      characters = from < 0 ? own : characters + 1 + own
      if from < 0 { from = low }
      to = high
    }
    close(&table)
    return found
  }

  private mutating func nGramReason(_ shape: TextShape) -> String? {
    let tops = rules.contains(.topNGrams) ? limits.topNGrams : []
    let duplicates = rules.contains(.duplicateNGrams) ? limits.duplicateNGrams : []
    let lengths = (tops + duplicates).map(\.n)
    let words = shape.words
    guard let shortest = lengths.min(), let longest = lengths.max(), shortest >= 1, words.count >= shortest else { return nil }
    charactersBefore.removeAll(keepingCapacity: true)
    var sum = 0
    for word in words {
      charactersBefore.append(sum)
      sum += word.characters
    }
    charactersBefore.append(sum)
    let characters = Double(shape.characters)
    for n in shortest...longest {
      guard words.count >= n else { return nil }
      if n == shortest { start(words, n) } else { narrow(words, n) }
      count()
      for limit in tops where limit.n == n && Double(topCharacters(n)) / characters > limit.share { return "gopher.top_\(n)_grams" }
      for limit in duplicates where limit.n == n && Double(repeatedCharacters(n)) / characters > limit.share {
        return "gopher.duplicate_\(n)_grams"
      }
    }
    return nil
  }

  private static let base: UInt64 = 0xD6E8_FEB8_6659_FD93

  /// Every place, with the fingerprint of the n-gram that starts there.
  private mutating func start(_ words: [TextShape.Word], _ n: Int) {
    positions.removeAll(keepingCapacity: true)
    fingerprints.removeAll(keepingCapacity: true)
    for position in 0...(words.count - n) {
      var value: UInt64 = 0
      for offset in 0..<n { value = value &* Self.base &+ words[position + offset].hash }
      positions.append(position)
      fingerprints.append(value)
    }
  }

  /// The places whose (n−1)-gram and the next one occur more than once, with the fingerprint of their n-gram.
  private mutating func narrow(_ words: [TextShape.Word], _ n: Int) {
    let last = words.count - n
    var kept = 0
    for index in positions.indices {
      let position = positions[index]
      guard position <= last, table.occurrences(slots[index]) > 1, index + 1 < positions.count, positions[index + 1] == position + 1,
        table.occurrences(slots[index + 1]) > 1
      else { continue }
      positions[kept] = position
      fingerprints[kept] = fingerprints[index] &* Self.base &+ words[position + n - 1].hash
      kept += 1
    }
    positions.removeLast(positions.count - kept)
    fingerprints.removeLast(fingerprints.count - kept)
  }

  private mutating func count() {
    table.reset(for: positions.count)
    slots.removeAll(keepingCapacity: true)
    for fingerprint in fingerprints { slots.append(table.add(fingerprint).slot) }
  }

  /// Code points of the most frequent n-gram, of the first one where several are, blanks between its words included, times its
  /// occurrences.
  private func topCharacters(_ n: Int) -> Int {
    var best = 1
    var length = charactersBefore[n] + n - 1
    for (index, slot) in slots.enumerated() where table.occurrences(slot) > best {
      best = table.occurrences(slot)
      length = charactersBefore[positions[index] + n] - charactersBefore[positions[index]] + n - 1
    }
    return best * length
  }

  /// Code points of the words in repeated n-grams that do not overlap, from the left.
  private mutating func repeatedCharacters(_ n: Int) -> Int {
    table.clearMarks()
    var next = 0
    var sum = 0
    for (index, slot) in slots.enumerated() where positions[index] >= next {
      if table.mark(slot) {
        sum += charactersBefore[positions[index] + n] - charactersBefore[positions[index]]
        next = positions[index] + n
      }
    }
    return sum
  }
}

/// Counts of 64-bit fingerprints: open addressing, linear probing, at most half full.
struct FingerprintTable {
  private var keys: [UInt64] = []
  private var counts: [UInt32] = []
  private var marks: [Bool] = []
  private var mask = 0

  /// Empties the table and makes room for `count` different fingerprints.
  mutating func reset(for count: Int) {
    var size = 16
    while size < 2 * count { size *= 2 }
    mask = size - 1
    if counts.count < size {
      keys = [UInt64](repeating: 0, count: size)
      counts = [UInt32](repeating: 0, count: size)
    } else {
      for slot in 0..<size { counts[slot] = 0 }
    }
  }

  /// Counts a fingerprint.
  /// - Returns: its slot, and whether it was there before.
  mutating func add(_ fingerprint: UInt64) -> (slot: Int, seen: Bool) {
    // The high bits of a product depend on all bits of the fingerprint.
    var slot = Int(truncatingIfNeeded: (fingerprint &* 0x9E37_79B9_7F4A_7C15) >> 32) & mask
    while counts[slot] != 0 {
      if keys[slot] == fingerprint {
        counts[slot] += 1
        return (slot, true)
      }
      slot = (slot + 1) & mask
    }
    keys[slot] = fingerprint
    counts[slot] = 1
    return (slot, false)
  }

  /// How often the fingerprint of a slot was added.
  func occurrences(_ slot: Int) -> Int { Int(counts[slot]) }

  /// Takes all marks away.
  mutating func clearMarks() {
    if marks.count <= mask { marks = [Bool](repeating: false, count: mask + 1) }
    for slot in 0...mask { marks[slot] = false }
  }

  /// Marks a slot and says whether it was marked before.
  mutating func mark(_ slot: Int) -> Bool {
    defer { marks[slot] = true }
    return marks[slot]
  }
}
