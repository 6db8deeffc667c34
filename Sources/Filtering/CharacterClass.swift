// Character properties for the filters and the word cutter (`word_cutter.c`), as bits. ASCII is a table; beyond it, pages of 256 code points
// are filled from Unicode's properties on first use: some microseconds per page, then one look-up per character.

/// Property bits of a character; the kernels use the same values (`weir_filter.h`).
struct CharacterClass: OptionSet {
  let rawValue: UInt32
  /// White space, as Python's `str.isspace`.
  static let space = CharacterClass(rawValue: 1)
  /// Ends a line, as Python's `str.splitlines`.
  static let lineBreak = CharacterClass(rawValue: 1 << 1)
  /// A letter: general category L.
  static let letter = CharacterClass(rawValue: 1 << 2)
  /// Not punctuation in datatrove's sense; a word with such a character counts for Gopher's rules.
  static let content = CharacterClass(rawValue: 1 << 3)
  /// `#`, `.`, `…`: counted by Gopher's rules.
  static let symbol = CharacterClass(rawValue: 1 << 4)
  /// An ASCII digit.
  static let digit = CharacterClass(rawValue: 1 << 5)
  /// A lowercase letter, or a letter of a script without case.
  static let lower = CharacterClass(rawValue: 1 << 6)
  /// An uppercase letter, or a letter of a script without case.
  static let upper = CharacterClass(rawValue: 1 << 7)
  /// Split off at both ends of a word.
  static let edge = CharacterClass(rawValue: 1 << 8)
  /// Split off at the beginning of a word only.
  static let opening = CharacterClass(rawValue: 1 << 9)
  /// A currency sign.
  static let currency = CharacterClass(rawValue: 1 << 10)
  /// A symbol such as an emoji: always a word of its own.
  static let icon = CharacterClass(rawValue: 1 << 11)
  /// A quotation mark or an East Asian bracket.
  static let quote = CharacterClass(rawValue: 1 << 12)
  /// A dot after it is a word of its own.
  static let beforeDot = CharacterClass(rawValue: 1 << 13)
  /// General category P.
  static let punctuation = CharacterClass(rawValue: 1 << 14)
  /// Ends a sentence in the sentencizer.
  static let sentenceEnd = CharacterClass(rawValue: 1 << 15)
  /// Unicode's Sentence_Terminal: the line endings that FineWeb's rule accepts.
  static let terminal = CharacterClass(rawValue: 1 << 16)
  /// A word with such a character needs the word cutter.
  static let active = CharacterClass(rawValue: 1 << 17)

  static let cased: CharacterClass = [.lower, .upper]
}

/// The property tables that the kernels read.
enum CharacterClasses {
  /// [128] of ASCII.
  static let ascii: [UInt32] = (0..<128).map { compute($0).rawValue }

  static func of(_ scalar: Unicode.Scalar) -> CharacterClass { compute(scalar.value) }

  /// Fills the properties of the 256 code points from page · 256.
  static func fill(_ page: UInt32, _ classes: UnsafeMutablePointer<UInt32>?) {
    for low in 0..<256 as Range<UInt32> { classes?[Int(low)] = compute(page << 8 | low).rawValue }
  }

  private static let marks: Set<Unicode.Scalar> = Set(",:;!?¿؟¡()[]{}<>_#*&。？！，、；：～·।،۔؛٪…".unicodeScalars)
  private static let quotes: Set<Unicode.Scalar> = Set("'\"”“`‘´’‚,„»«「」『』（）〔〕【】《》〈〉\u{2329}\u{232A}⟦⟧".unicodeScalars)
  private static let currencies: Set<Unicode.Scalar> = Set("$£€¥฿₽﷼₴".unicodeScalars)
  /// datatrove's punctuation beyond ASCII and Sentence_Terminal.
  private static let datatrove: Set<Unicode.Scalar> = Set("—”、“《„’«»」「∶´（–～）►【】〈〉…━％１，：；".unicodeScalars)
  /// Sentence_Terminal characters of later Unicode versions, and Khmer's, which the sentencizer's list lacks.
  private static let unlisted: Set<UInt32> = Set(
    [0x61D, 0x61E, 0x837, 0x839, 0x83D, 0x83E, 0x17D4, 0x17D5, 0x17D6, 0x17D9, 0x17DA, 0x1B7D, 0x1B7E, 0x2E53, 0x2E54, 0x11944, 0x11946]
      + Array(0x10F55...0x10F59) + Array(0x10F86...0x10F89) + [0x11EF7, 0x11EF8, 0x11F43, 0x11F44, 0x16E98])
  /// Blocks of scripts without case.
  private static let uncased: [ClosedRange<UInt32>] = [
    0x591...0x5F4, 0x620...0x64A, 0x66E...0x6D5, 0x6E5...0x6FF, 0x750...0x77F, 0x8A0...0x8BD, 0x900...0x9FF, 0xB80...0xCFF, 0xD80...0xDFF,
    0x1100...0x137F, 0x2E80...0x2FDF, 0x2FF0...0x30FF, 0x31C0...0x31EF, 0x3200...0x4DBF, 0x4E00...0x9FFF, 0xAC00...0xD7AF, 0xF900...0xFAFF,
    0xFB1D...0xFBB1, 0xFBD3...0xFD3D, 0xFD50...0xFDC7, 0xFDF0...0xFDFB, 0xFE30...0xFE4F, 0xFE70...0xFEFC, 0x1EE00...0x1EEBB,
    0x1F200...0x1F2FF, 0x20000...0x2A6DF, 0x2A700...0x2EBEF, 0x2F800...0x2FA1F,
  ]

  private static func compute(_ code: UInt32) -> CharacterClass {
    guard let scalar = Unicode.Scalar(code) else { return [.content, .active] }
    if code < 0x80 && (code <= 0x20 || code == 0x7F) || (0x80...0xA0).contains(code) { return control(code) }
    let properties = scalar.properties
    if properties.isWhitespace { return code == 0x2028 || code == 0x2029 ? [.space, .lineBreak] : [.space] }
    let category = properties.generalCategory
    var found: CharacterClass = []
    switch category {
    case .uppercaseLetter: found = [.letter, .upper]
    case .lowercaseLetter: found = [.letter, .lower]
    case .titlecaseLetter, .modifierLetter, .otherLetter: found = [.letter]
    case .nonspacingMark, .spacingMark, .enclosingMark, .letterNumber, .otherNumber: break
    case .decimalNumber: if code < 0x80 { found = [.digit, .active] }
    case .otherSymbol: found = [.icon, .edge, .active]
    case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation, .finalPunctuation,
      .otherPunctuation:
      found = [.punctuation, .active]
    default: found = [.active]
    }
    if uncased.contains(where: { $0.contains(code) }) { found.formUnion(.cased) }
    let isQuote = quotes.contains(scalar)
    let isMark = marks.contains(scalar)
    if isQuote { found.insert(.quote) }
    if isQuote || isMark || code == 0x2014 || code == 0x2013 { found.formUnion([.edge, .active]) }
    if currencies.contains(scalar) || (0x20A0...0x20BF).contains(code) { found.formUnion([.currency, .opening, .active]) }
    if code == 0xA7 || code == 0x25 || code == 0x3D { found.insert(.opening) }
    // The published expression contains `|` by accident of joining alternatives.
    let beforeDot = isQuote || isMark || found.contains(.lower) || found.contains(.digit) || [0x25, 0xB2, 0x2D, 0x2B, 0x7C].contains(code)
    if beforeDot { found.insert(.beforeDot) }
    if code == 0x23 || code == 0x2E || code == 0x2026 { found.insert(.symbol) }
    let isTerminal = properties.isSentenceTerminal
    if isTerminal { found.insert(.terminal) }
    if isTerminal && !unlisted.contains(code) { found.insert(.sentenceEnd) }
    let isPunctuation = isTerminal || datatrove.contains(scalar) || (code < 0x80 && !found.contains(.letter) && !found.contains(.digit))
    if !isPunctuation { found.insert(.content) }
    return found
  }

  /// ASCII's and Latin-1's control characters and blanks.
  private static func control(_ code: UInt32) -> CharacterClass {
    switch code {
    case 0x0A...0x0D, 0x1C...0x1E, 0x85: [.space, .lineBreak]
    case 0x09, 0x20, 0x1F, 0xA0: [.space]
    default: [.active]
    }
  }
}
