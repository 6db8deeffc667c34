import CKernels

// C4's rules (Raffel et al., JMLR 21(140), §2.2, and its published code): lines are judged one by one, documents by the lines that remain.
// As in C4, removed lines are cut from the text and the others are stripped (`FilterConfiguration.C4.removesLines`).
//
// Sentences are counted as datatrove does, by spaCy's sentencizer (`text_shape.c`).

struct LineRules {
  private let limits: FilterConfiguration.C4
  // A set look-up per rule and line would cost as much as the rules.
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

  struct Outcome {
    /// The reason to drop the document.
    var reason: Violation?
    /// The text of the remaining lines; nil if nothing changes.
    var text: [UInt8]?
    /// Removed lines, by rule.
    var removed: [FilterRule: Int] = [:]
  }

  /// Judges every line of a text.
  /// - Parameter spare: scratch for lines that change.
  func judge(_ text: [UInt8], _ shape: TextShape, spare: inout TextShape) -> Outcome {
    var outcome = Outcome()
    var sentences = 0
    var kept: [Kept] = []
    kept.reserveCapacity(shape.rows.count)
    let level = weir_simd_level()
    // Most texts have none of the phrases and no citation.
    let mayHold = Phrases(rawValue: weir_phrases(text, text.count, level))
    let mayCite = citations && text.contains(0x5B)
    for row in shape.rows {
      if longWords, row.longest > limits.maximumWordLength {
        outcome.removed[.longWords, default: 0] += 1
        continue
      }
      let range = Int(row.start)..<Int(row.end)
      var changed: [UInt8]?
      if mayCite, text[range].contains(0x5B) {
        var line = Array(text[range])
        Self.removeCitations(&line)
        if line.count < range.count { changed = line }
      }
      if noTerminalPunctuation, !Self.endsInPunctuation(changed.map { $0[...] } ?? text[range]) {
        outcome.removed[.noTerminalPunctuation, default: 0] += 1
        continue
      }
      if shortLines, row.spans < limits.minimumWordsPerLine {
        outcome.removed[.shortLines, default: 0] += 1
        continue
      }
      let phrases = mayHold.isEmpty ? [] : Self.phrases(changed.map { $0[...] } ?? text[range], level)
      if loremIpsum, phrases.contains(.lorem) {
        outcome.reason = Violation(.loremIpsum)
        return outcome
      }
      if javascript, phrases.contains(.javascript) {
        outcome.removed[.javascript, default: 0] += 1
        continue
      }
      if curlyBracket, phrases.contains(.curly) {
        outcome.reason = Violation(.curlyBracket)
        return outcome
      }
      if policy, phrases.contains(.policy) {
        outcome.removed[.policy, default: 0] += 1
        continue
      }
      if tooFewSentences {
        if let changed {
          spare.measure(changed)
          sentences += Int(spare.rows.first?.sentences ?? 0)
        } else {
          sentences += Int(row.sentences)
        }
      }
      kept.append(Kept(range: range, changed: changed))
    }
    if tooFewSentences, sentences < limits.minimumSentences {
      outcome.reason = Violation(
        reason: FilterRule.tooFewSentences.rawValue, measured: Double(sentences), limit: Double(limits.minimumSentences))
      return outcome
    }
    if limits.removesLines {
      let left = Self.join(kept, of: text)
      if left != text { outcome.text = left }
    }
    return outcome
  }

  /// A remaining line, and its text if citations were removed.
  private struct Kept {
    var range: Range<Int>
    var changed: [UInt8]?
  }

  /// The lines joined by newlines, stripped.
  private static func join(_ lines: [Kept], of text: [UInt8]) -> [UInt8] {
    var joined: [UInt8] = []
    joined.reserveCapacity(text.count + 1)
    for (index, line) in lines.enumerated() {
      if index > 0 { joined.append(0x0A) }
      joined += line.changed.map { $0[...] } ?? text[line.range]
    }
    joined.removeLast(joined.reversed().prefix { $0 <= 0x20 }.count)
    joined.removeFirst(joined.prefix { $0 <= 0x20 }.count)
    return joined
  }

  /// Removes `[12]`, `[]`, `[edit]` and `[citation needed]`.
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
  static func endsInPunctuation(_ line: ArraySlice<UInt8>) -> Bool {
    switch line.last {
    case 0x2E: !line.suffix(3).elementsEqual([0x2E, 0x2E, 0x2E])
    case 0x3F, 0x21, 0x22, 0x27: true
    default: false
    }
  }

  /// Phrases in a line, ignoring case.
  struct Phrases: OptionSet {
    let rawValue: Int32
    static let lorem = Phrases(rawValue: Int32(WEIR_LOREM))
    static let javascript = Phrases(rawValue: Int32(WEIR_JAVASCRIPT))
    static let curly = Phrases(rawValue: Int32(WEIR_CURLY))
    static let policy = Phrases(rawValue: Int32(WEIR_POLICY))
  }

  private static func phrases(_ line: ArraySlice<UInt8>, _ level: Int32) -> Phrases {
    line.withUnsafeBufferPointer { Phrases(rawValue: weir_phrases($0.baseAddress, $0.count, level)) }
  }
}
