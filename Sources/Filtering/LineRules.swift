// C4's rules (Raffel et al., JMLR 21(140), §2.2, and its published code): lines are judged one by one, documents by the lines that are
// left. As in C4, the text goes on without the lines that were taken out, each stripped of white space around it
// (`FilterConfiguration.C4.removesLines`).
//
// Sentences are counted as datatrove does, by spaCy's sentencizer: one begins with the first word behind a mark that ends sentences and
// the punctuation that follows it.

/// C4's rules over lines.
struct LineRules {
  private let limits: FilterConfiguration.C4
  // One look-up in a set a rule and line would cost as much as the rules.
  private let longWords: Bool
  private let citations: Bool
  private let noTerminalPunctuation: Bool
  private let shortLines: Bool
  private let loremIpsum: Bool
  private let javascript: Bool
  private let curlyBracket: Bool
  private let policy: Bool
  private let tooFewSentences: Bool

  init(rules: FilterRules, limits: FilterConfiguration.C4) {
    self.limits = limits
    longWords = rules.contains(.longWords)
    citations = rules.contains(.citations)
    noTerminalPunctuation = rules.contains(.noTerminalPunctuation)
    shortLines = rules.contains(.shortLines)
    loremIpsum = rules.contains(.loremIpsum)
    javascript = rules.contains(.javascript)
    curlyBracket = rules.contains(.curlyBracket)
    policy = rules.contains(.policy)
    tooFewSentences = rules.contains(.tooFewSentences)
  }

  /// What the rules found.
  struct Outcome {
    /// The reason to drop the document.
    var reason: String?
    /// The text of the lines that are left; nil where nothing changes.
    var text: [UInt8]?
    /// Lines taken out, by rule.
    var removed: [FilterRule: Int] = [:]
  }

  /// Judges every line of a text.
  /// - Parameter spare: a shape for lines that change, reused.
  func judge(_ text: [UInt8], _ shape: TextShape, spare: inout TextShape) -> Outcome {
    var outcome = Outcome()
    var kept: [UInt8] = []
    kept.reserveCapacity(text.count)
    var sentences = 0
    var keptLines = 0
    var line: [UInt8] = []
    for row in shape.rows {
      line.removeAll(keepingCapacity: true)
      let stretches = row.first..<row.last
      if !row.isBlank { line += text[shape.stretches[row.first].start..<shape.stretches[row.last - 1].end] }
      if longWords, stretches.contains(where: { shape.stretches[$0].characters > limits.maximumWordLength }) {
        outcome.removed[.longWords, default: 0] += 1
        continue
      }
      let whole = line.count
      if citations { Self.removeCitations(&line) }
      if noTerminalPunctuation, !Self.endsInPunctuation(line) {
        outcome.removed[.noTerminalPunctuation, default: 0] += 1
        continue
      }
      if shortLines, stretches.count < limits.minimumWordsPerLine {
        outcome.removed[.shortLines, default: 0] += 1
        continue
      }
      let phrases = Self.phrases(line)
      if loremIpsum, phrases.contains(.lorem) {
        outcome.reason = FilterRule.loremIpsum.rawValue
        return outcome
      }
      if javascript, phrases.contains(.javascript) {
        outcome.removed[.javascript, default: 0] += 1
        continue
      }
      if curlyBracket, phrases.contains(.curly) {
        outcome.reason = FilterRule.curlyBracket.rawValue
        return outcome
      }
      if policy, phrases.contains(.policy) {
        outcome.removed[.policy, default: 0] += 1
        continue
      }
      if tooFewSentences {
        if line.count == whole {
          sentences += Self.sentences(text, shape, stretches)
        } else {
          spare.measure(line)
          sentences += Self.sentences(line, spare, spare.stretches.indices)
        }
      }
      if keptLines > 0 { kept.append(0x0A) }
      kept += line
      keptLines += 1
    }
    if tooFewSentences, sentences < limits.minimumSentences {
      outcome.reason = FilterRule.tooFewSentences.rawValue
      return outcome
    }
    if limits.removesLines {
      let blanks = kept.reversed().prefix { $0 <= 0x20 }.count
      kept.removeLast(blanks)
      kept.removeFirst(kept.prefix { $0 <= 0x20 }.count)
      if kept != text { outcome.text = kept }
    }
    return outcome
  }

  /// Takes `[12]`, `[]`, `[edit]` and `[citation needed]` out.
  static func removeCitations(_ line: inout [UInt8]) {
    guard line.contains(0x5B) else { return }
    var out: [UInt8] = []
    var index = 0
    scan: while index < line.count {
      if line[index] == 0x5B {
        var end = index + 1
        while end < line.count, 0x30...0x39 ~= line[end] { end += 1 }
        if end < line.count, line[end] == 0x5D {
          index = end + 1
          continue
        }
        for phrase in Self.citationPhrases where line[index...].starts(with: phrase) {
          index += phrase.count
          continue scan
        }
      }
      out.append(line[index])
      index += 1
    }
    line = out
  }

  private static let citationPhrases = [Array("[edit]".utf8), Array("[citation needed]".utf8)]

  /// Whether a line ends in `.`, `?`, `!`, `"` or `'`, and not in `...`.
  static func endsInPunctuation(_ line: [UInt8]) -> Bool {
    switch line.last {
    case 0x2E: !line.holds(0x2E, 0x2E, 0x2E, at: line.count - 3)
    case 0x3F, 0x21, 0x22, 0x27: true
    default: false
    }
  }

  /// The number of sentences in some stretches of a line.
  static func sentences(_ text: [UInt8], _ shape: TextShape, _ stretches: Range<Int>) -> Int {
    guard !stretches.isEmpty else { return 0 }
    var count = 1
    var ended = false
    for index in stretches {
      let stretch = shape.stretches[index]
      // More than one blank, or another one than U+0020, is a word too.
      if ended, index > stretches.lowerBound, stretch.start - shape.stretches[index - 1].end > 1 || text[stretch.start - 1] != 0x20 {
        ended = false
        count += 1
      }
      for word in shape.words[stretch.firstWord..<shape.wordsEnd(index)] {
        if word.traits.contains(.sentenceEnd) {
          ended = true
        } else if ended, !word.traits.contains(.punctuation) {
          ended = false
          count += 1
        }
      }
    }
    return count
  }

  /// Phrases that a line holds, whatever the case.
  struct Phrases: OptionSet {
    let rawValue: Int
    static let lorem = Phrases(rawValue: 1)
    static let javascript = Phrases(rawValue: 2)
    static let curly = Phrases(rawValue: 4)
    static let policy = Phrases(rawValue: 8)
  }

  private static let loremPhrase = Array("lorem ipsum".utf8)
  private static let javascriptPhrase = Array("javascript".utf8)
  private static let policies = [
    Array("terms of use".utf8), Array("privacy policy".utf8), Array("cookie policy".utf8), Array("uses cookies".utf8),
    Array("use of cookies".utf8), Array("use cookies".utf8),
  ]

  /// The phrases in a line, found in one pass: the first two bytes decide whether to look closer.
  static func phrases(_ line: [UInt8]) -> Phrases {
    var found: Phrases = []
    let bytes = line.span
    let count = bytes.count
    func matches(_ phrase: [UInt8], _ start: Int) -> Bool {
      guard start + phrase.count <= count else { return false }
      for offset in 0..<phrase.count where bytes[start + offset].lowered != phrase[offset] { return false }
      return true
    }
    for index in 0..<count {
      let byte = bytes[index]
      if byte == 0x7B {
        found.insert(.curly)
        continue
      }
      guard index + 1 < count else { break }
      let next = bytes[index + 1].lowered
      switch byte.lowered {
      case 0x6C where next == 0x6F: if matches(loremPhrase, index) { found.insert(.lorem) }
      case 0x6A where next == 0x61: if matches(javascriptPhrase, index) { found.insert(.javascript) }
      case 0x74 where next == 0x65: if matches(policies[0], index) { found.insert(.policy) }
      case 0x70 where next == 0x72: if matches(policies[1], index) { found.insert(.policy) }
      case 0x63 where next == 0x6F: if matches(policies[2], index) { found.insert(.policy) }
      case 0x75 where next == 0x73:
        if matches(policies[3], index) || matches(policies[4], index) || matches(policies[5], index) { found.insert(.policy) }
      default: break
      }
    }
    return found
  }
}
