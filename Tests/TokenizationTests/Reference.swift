import Primitives
import Tokenization

/// Slow, obvious versions of everything clever, over Unicode scalars and whole-corpus recounts.
enum Reference {
  typealias Scalars = [Unicode.Scalar]

  @Sendable static func isSpace(_ scalar: Unicode.Scalar) -> Bool { scalar.properties.isWhitespace }
  /// Unicode 16, as Hugging Face's library and tiktoken know it: what came later is neither letter nor number.
  static func isKnown(_ scalar: Unicode.Scalar) -> Bool { scalar.properties.age.map { $0.major <= 16 } ?? false }
  @Sendable static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
    guard isKnown(scalar) else { return false }
    switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: return true
    default: return false
    }
  }
  @Sendable static func isNumber(_ scalar: Unicode.Scalar) -> Bool {
    guard isKnown(scalar) else { return false }
    switch scalar.properties.generalCategory {
    case .decimalNumber, .letterNumber, .otherNumber: return true
    default: return false
    }
  }
  @Sendable static func isNewline(_ scalar: Unicode.Scalar) -> Bool { scalar == "\r" || scalar == "\n" }
  @Sendable static func isSymbol(_ scalar: Unicode.Scalar) -> Bool { !isSpace(scalar) && !isLetter(scalar) && !isNumber(scalar) }

  /// One alternative of a pattern: the end of its match at `start`, nil where it does not match.
  typealias Alternative = @Sendable (Scalars, Int) -> Int?

  static func run(_ text: Scalars, _ start: Int, most: Int = .max, _ test: (Unicode.Scalar) -> Bool) -> Int {
    var index = start
    while index < text.count, index - start < most, test(text[index]) { index += 1 }
    return index
  }

  /// `first? body+ tail*` with an optional first character.
  static func led(
    _ first: @escaping @Sendable (Unicode.Scalar) -> Bool, _ body: @escaping @Sendable (Unicode.Scalar) -> Bool,
    tail: @escaping @Sendable (Unicode.Scalar) -> Bool = { _ in false }
  ) -> Alternative {
    { text, start in
      for skip in [1, 0] {
        if skip == 1, start >= text.count || !first(text[start]) { continue }
        let end = run(text, start + skip, body)
        if end > start + skip { return run(text, end, tail) }
      }
      return nil
    }
  }

  static func contractions(caseless: Bool) -> Alternative {
    { text, start in
      guard text[start] == "'" else { return nil }
      for ending in ["s", "t", "re", "ve", "m", "ll", "d"] {
        let letters = Array(ending.unicodeScalars)
        guard start + letters.count < text.count else { continue }
        let same = letters.indices.allSatisfy { offset in
          let found = text[start + 1 + offset]
          if !caseless { return found == letters[offset] }
          return String(found).lowercased() == String(letters[offset]) || (found == "\u{17F}" && letters[offset] == "s")
        }
        if same { return start + 1 + letters.count }
      }
      return nil
    }
  }

  /// `\s+(?!\S)` by trying every length from the longest.
  static let leavingSpace: Alternative = { text, start in
    var end = run(text, start, isSpace)
    while end > start {
      if end == text.count || isSpace(text[end]) { return end }
      end -= 1
    }
    return nil
  }
  static let spaces: Alternative = { text, start in
    let end = run(text, start, isSpace)
    return end > start ? end : nil
  }
  /// `\s*[\r\n]+` (or one newline), by trying every length from the longest.
  static func spacesThenNewlines(most: Int) -> Alternative {
    { text, start in
      var end = run(text, start, isSpace)
      while end >= start {
        let close = run(text, end, most: most, isNewline)
        if close > end { return close }
        end -= 1
      }
      return nil
    }
  }

  private static let marks: Set<Unicode.GeneralCategory> = [.nonspacingMark, .spacingMark, .enclosingMark]
  private static let symbols: Set<Unicode.GeneralCategory> = [.mathSymbol, .currencySymbol, .modifierSymbol, .otherSymbol]
  static func isPunctuation(_ scalar: Unicode.Scalar) -> Bool {
    isOf(
      scalar,
      [
        .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation, .finalPunctuation,
        .otherPunctuation,
      ])
  }

  /// What is a pre-token before all else, and divides the text for other alternatives.
  static func division(_ kind: Pretokenizer, _ text: Scalars, _ start: Int) -> Int? {
    let most = kind == .starcoder ? 1 : kind == .deepseek ? 3 : 0
    let end = run(text, start, most: most, isNumber)
    if end > start { return end }
    let isEastern: (Unicode.Scalar) -> Bool = { (0x4E00...0x9FA5).contains($0.value) || (0x3040...0x30FF).contains($0.value) }
    let other = kind == .deepseek ? run(text, start, isEastern) : start
    return other > start ? other : nil
  }

  /// The end of the pre-token that begins at `start`.
  static func end(_ kind: Pretokenizer, _ text: Scalars, _ start: Int) -> Int? {
    if let end = division(kind, text, start) { return end }
    let limit = (start..<text.count).first { division(kind, text, $0) != nil } ?? text.count
    let part = Array(text[..<limit])
    let alternatives = alternatives(kind)
    func match(_ at: Int) -> Int? { alternatives.lazy.compactMap { $0(part, at) }.first }
    // DeepSeek's pattern leaves out control characters and others, which stay together.
    return match(start) ?? (start + 1..<limit).first { match($0) != nil } ?? limit
  }

  static func isOf(_ scalar: Unicode.Scalar, _ categories: Set<Unicode.GeneralCategory>) -> Bool {
    isKnown(scalar) && categories.contains(scalar.properties.generalCategory)
  }
  @Sendable static func isCaseless(_ scalar: Unicode.Scalar) -> Bool {
    isOf(scalar, [.modifierLetter, .otherLetter, .nonspacingMark, .spacingMark, .enclosingMark])
  }

  /// o200k's words: `first? upper* lower*` and a contraction, by trying every length from the longest.
  static func cased(
    _ first: @escaping @Sendable (Unicode.Scalar) -> Bool, _ upper: @escaping @Sendable (Unicode.Scalar) -> Bool, least: Int,
    _ lower: @escaping @Sendable (Unicode.Scalar) -> Bool, least fewest: Int, suffixes: Bool
  ) -> Alternative {
    let contraction = contractions(caseless: true)
    return { text, start in
      for skip in [1, 0] {
        if skip == 1, start >= text.count || !first(text[start]) { continue }
        var middle = run(text, start + skip, upper)
        while middle >= start + skip + least {
          let end = run(text, middle, lower)
          if end >= middle + fewest { return suffixes && end < text.count ? contraction(text, end) ?? end : end }
          middle -= 1
        }
      }
      return nil
    }
  }

  static func alternatives(_ kind: Pretokenizer) -> [Alternative] {
    let blank: @Sendable (Unicode.Scalar) -> Bool = { $0 == " " }
    let letterLead: @Sendable (Unicode.Scalar) -> Bool = { !isNewline($0) && !isLetter($0) && !isNumber($0) }
    func numbers(_ most: Int) -> Alternative {
      { text, start in
        let end = run(text, start, most: most, isNumber)
        return end > start ? end : nil
      }
    }
    switch kind {
    case .gpt2, .starcoder:
      return [
        contractions(caseless: false), led(blank, isLetter), led(blank, isNumber), led(blank, isSymbol), leavingSpace, spaces,
      ]
    case .cl100k:
      let closing: Alternative = { text, start in
        let end = run(text, start, isSpace)
        return end > start && end == text.count ? end : nil
      }
      let single: Alternative = { text, start in isSpace(text[start]) ? start + 1 : nil }
      return [
        contractions(caseless: true), led(letterLead, isLetter), numbers(3), led(blank, isSymbol, tail: isNewline), closing,
        spacesThenNewlines(most: 1), leavingSpace, single,
      ]
    case .deepseek:
      let isASCIILetter: @Sendable (Unicode.Scalar) -> Bool = { $0.isASCII && isLetter($0) }
      let symbol: @Sendable (Unicode.Scalar) -> Bool = { isKnown($0) && (isPunctuation($0) || isOf($0, symbols)) }
      let lead: @Sendable (Unicode.Scalar) -> Bool = { !isNewline($0) && !isLetter($0) && !symbol($0) }
      let marked: Alternative = { text, start in
        guard text[start].isASCII, symbol(text[start]) else { return nil }
        let end = run(text, start + 1, isASCIILetter)
        return end > start + 1 ? end : nil
      }
      return [
        marked, led(lead, { isLetter($0) || isOf($0, marks) }), led(blank, symbol, tail: isNewline), spacesThenNewlines(most: .max),
        leavingSpace,
        spaces,
      ]
    case .o200k, .tekken:
      let upper: @Sendable (Unicode.Scalar) -> Bool = { isOf($0, [.uppercaseLetter, .titlecaseLetter]) || isCaseless($0) }
      let lower: @Sendable (Unicode.Scalar) -> Bool = { isOf($0, [.lowercaseLetter]) || isCaseless($0) }
      let slash: @Sendable (Unicode.Scalar) -> Bool = { isNewline($0) || $0 == "/" }
      return [
        cased(letterLead, upper, least: 0, lower, least: 1, suffixes: kind == .o200k),
        cased(letterLead, upper, least: 1, lower, least: 0, suffixes: kind == .o200k), numbers(kind == .o200k ? 3 : 1),
        led(blank, isSymbol, tail: slash), spacesThenNewlines(most: .max), leavingSpace, spaces,
      ]
    case .llama3, .qwen2:
      return [
        contractions(caseless: true), led(letterLead, isLetter), numbers(kind == .qwen2 ? 1 : 3),
        led(blank, isSymbol, tail: isNewline), spacesThenNewlines(most: .max), leavingSpace, spaces,
      ]
    }
  }

  static func split(_ text: String, _ kind: Pretokenizer) -> [String] {
    let scalars = Array(text.unicodeScalars)
    var pieces: [String] = []
    var start = 0
    while start < scalars.count, let end = end(kind, scalars, start) {
      pieces.append(String(String.UnicodeScalarView(scalars[start..<end])))
      start = end
    }
    return pieces
  }

  /// BPE by definition: the pair of the lowest rank, the leftmost of equal ones, until there is none.
  typealias Ranks = [[UInt32]: (rank: Int, token: UInt32)]

  static func ranks(_ tokenizer: Tokenizer) -> Ranks {
    var ranks: Ranks = [:]
    for (rank, merge) in tokenizer.merges.enumerated() { ranks[[merge.left, merge.right]] = (rank, merge.token) }
    return ranks
  }

  static func merge(_ word: [UInt8], _ tokenizer: Tokenizer, _ ranks: Ranks) -> [UInt32] {
    var symbols = word.compactMap { tokenizer.token(of: [$0]) }
    while true {
      var best: (rank: Int, at: Int, token: UInt32)?
      for index in symbols.indices.dropLast() {
        guard let found = ranks[[symbols[index], symbols[index + 1]]] else { continue }
        if best.map({ found.rank < $0.rank }) ?? true { best = (found.rank, index, found.token) }
      }
      guard let best else { return symbols }
      symbols.replaceSubrange(best.at...best.at + 1, with: [best.token])
    }
  }

  /// BPE training by definition: recount all pairs before every merge.
  static func train(_ texts: [[UInt8]], _ configuration: BytePairTrainer.Configuration) -> [[[UInt8]]] {
    var words: [[UInt8]: Int] = [:]
    for text in texts {
      for range in configuration.pretokenizer.split(text) { words[Array(text[range]), default: 0] += 1 }
    }
    var ids: [[UInt8]: Int] = [:]
    var tokens: [[UInt8]] = configuration.specials.map { Array($0.utf8) }
    let order = (0..<256).map { (printable(UInt8($0)), UInt8($0)) }.sorted { $0.0 < $1.0 }.map(\.1)
    for byte in order {
      ids[[byte]] = tokens.count
      tokens.append([byte])
    }
    var split = words.map { (symbols: $0.key.map { ids[[$0]] ?? -1 }, count: $0.value) }
    var merges: [[[UInt8]]] = []
    while tokens.count < configuration.vocabulary {
      var counts: [[Int]: Int] = [:]
      for word in split {
        for index in word.symbols.indices.dropLast() {
          let pair = [word.symbols[index], word.symbols[index + 1]]
          guard tokens[pair[0]].count + tokens[pair[1]].count <= configuration.maximumTokenLength else { continue }
          counts[pair, default: 0] += word.count
        }
      }
      let best = counts.max { a, b in a.value != b.value ? a.value < b.value : b.key.lexicographicallyPrecedes(a.key) }
      guard let best, best.value >= configuration.minimumFrequency else { break }
      let text = tokens[best.key[0]] + tokens[best.key[1]]
      let token = ids[text] ?? tokens.count
      if token == tokens.count {
        ids[text] = token
        tokens.append(text)
      }
      let made = [tokens[best.key[0]], tokens[best.key[1]]]
      if !merges.contains(made) { merges.append(made) }
      for word in split.indices {
        var symbols: [Int] = []
        for symbol in split[word].symbols {
          symbols.append(symbol)
        }
        var index = 0
        while index + 1 < symbols.count {
          if symbols[index] == best.key[0], symbols[index + 1] == best.key[1] { symbols.replaceSubrange(index...index + 1, with: [token]) }
          index += 1
        }
        split[word].symbols = symbols
      }
    }
    return merges
  }

  /// GPT-2's character of a byte.
  static func printable(_ byte: UInt8) -> Int {
    func stands(_ byte: Int) -> Bool { (33...126).contains(byte) || (161...172).contains(byte) || (174...255).contains(byte) }
    return stands(Int(byte)) ? Int(byte) : 256 + (0..<Int(byte)).filter { !stands($0) }.count
  }

  /// Text of pieces that the patterns find hard.
  static func adversarial(_ random: inout SequentialRandom, pieces: Int) -> String {
    let parts = [
      " ", "  ", "\t", "\n", "\r\n", "\n\n", "\u{A0}", "\u{2003}", "\u{3000}", "\u{85}", "\u{2028}", "\u{0B}", "\u{200B}", "a", "Hello",
      "'s", "'S", "'ll", "'LL", "'Ve", "'re", "'t", "'m", "'d", "'\u{17F}", "'", "''", "’s", "1", "12", "1234567", "½", "Ⅷ", "٣٤", "²",
      "é", "e\u{301}", "\u{301}", "ß", "ǅ", "ʰ", "中文", "한국어", "שלום", "مرحبا", "हिन्दी", "ไทย", "😀", "👨‍👩‍👧", "🇩🇪", "🏽", "!", "...", "--", "#$%",
      "<|endoftext|>", "_", "\u{7F}", "\u{0}", "\u{FEFF}", "\u{E000}", "\u{10FFFD}", "𝒳", "𝟘", "\u{1E900}", "x", "The", " the", "ing",
    ]
    return (0..<pieces).map { _ in parts.randomElement(using: &random) ?? "" }.joined()
  }
}
