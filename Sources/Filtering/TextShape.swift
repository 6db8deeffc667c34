// What the rules need to know of a text, taken in one pass over its UTF-8 bytes: stretches between white space, words, lines, counts.
//
// White space is Python's (Unicode's and the separators 0x1C to 0x1F), a character is a Unicode code point. Malformed bytes count as one
// character each.

/// The words and lines of a text. One value is reused for many texts.
struct TextShape {
  /// What a word holds.
  struct Traits: OptionSet {
    let rawValue: UInt8
    /// A letter.
    static let letter = Traits(rawValue: 1)
    /// Something else than punctuation.
    static let content = Traits(rawValue: 2)
    /// Punctuation only.
    static let punctuation = Traits(rawValue: 4)
    /// A mark that ends a sentence, only.
    static let sentenceEnd = Traits(rawValue: 8)
  }

  /// A word, cut by `WordCutter`.
  struct Word {
    var start: Int
    var end: Int
    var characters: Int
    /// 64-bit fingerprint of the bytes.
    var hash: UInt64
    var traits: Traits
  }

  /// A stretch without white space.
  struct Stretch {
    var start: Int
    var end: Int
    var characters: Int
    /// Its first word.
    var firstWord: Int
  }

  /// A line without its end.
  struct Line {
    var start: Int
    var end: Int
    var characters: Int
    var first: Int
    /// The stretch behind its last one.
    var last: Int
    /// 64-bit fingerprint of the bytes.
    var hash: UInt64
    /// Whether there is nothing but white space in it.
    var isBlank: Bool { first == last }
  }

  private(set) var words: [Word] = []
  private(set) var stretches: [Stretch] = []
  /// Between newlines; what follows the last newline is one where it is not empty.
  private(set) var lines: [Line] = []
  /// Between line ends of all kinds (`\r\n` is one), without an empty one at the end; no fingerprints.
  private(set) var rows: [Line] = []
  /// Code points in all.
  private(set) var characters = 0
  /// Newlines.
  private(set) var newlines = 0
  /// `#` in all.
  private(set) var hashes = 0
  /// `...` (not overlapping) and `…` in all.
  private(set) var ellipses = 0

  private var classes = CharacterClasses()
  private var cutter = WordCutter()

  /// The word behind the last one of a stretch.
  func wordsEnd(_ stretch: Int) -> Int { stretch + 1 < stretches.count ? stretches[stretch + 1].firstWord : words.count }

  /// Takes the shape of `text`.
  mutating func measure(_ text: [UInt8]) {
    words.removeAll(keepingCapacity: true)
    stretches.removeAll(keepingCapacity: true)
    lines.removeAll(keepingCapacity: true)
    rows.removeAll(keepingCapacity: true)
    newlines = 0
    hashes = 0
    ellipses = 0
    let bytes = text.span
    let count = bytes.count
    let ascii = classes.ascii
    var index = 0
    var width = 1
    // Bytes that are not the first of a code point, so far: code points are bytes without them.
    var inner = 0
    var line = Start()
    var row = Start()
    while index < count {
      let byte = bytes[index]
      width = 1
      let kind = byte < 0x80 ? ascii[Int(byte)] : classes.of(UTF8Scalar.decode(bytes, at: index, width: &width))
      if kind.contains(.space) {
        if kind.contains(.lineBreak) {
          rows.append(close(row, at: index, inner, bytes, hashed: false))
          if byte == 0x0A {
            lines.append(close(line, at: index, inner, bytes, hashed: true))
            newlines += 1
          }
          let isPair = byte == 0x0D && index + 1 < count && bytes[index + 1] == 0x0A
          if isPair {
            // The carriage return belongs to the line, the pair ends the row.
            index += 1
            lines.append(close(line, at: index, inner, bytes, hashed: true))
            newlines += 1
          }
          index += width
          inner += width - 1
          row = Start(at: index, stretch: stretches.count, inner: inner)
          if byte == 0x0A || isPair { line = row }
        } else {
          index += width
          inner += width - 1
        }
        continue
      }
      stretch(bytes, &index, &inner, ascii)
    }
    if line.at < count { lines.append(close(line, at: count, inner, bytes, hashed: true)) }
    if row.at < count { rows.append(close(row, at: count, inner, bytes, hashed: false)) }
    characters = count - inner
  }

  private struct Start {
    var at = 0
    var stretch = 0
    var inner = 0
  }

  private func close(_ line: Start, at end: Int, _ inner: Int, _ bytes: Span<UInt8>, hashed: Bool) -> Line {
    Line(
      start: line.at, end: end, characters: end - line.at - (inner - line.inner), first: line.stretch, last: stretches.count,
      hash: hashed ? Self.fingerprint(bytes, line.at, end) : 0)
  }

  /// Takes a stretch and its words.
  @inline(__always)
  private mutating func stretch(_ bytes: Span<UInt8>, _ index: inout Int, _ inner: inout Int, _ ascii: [CharacterClass]) {
    let start = index
    let innerBefore = inner
    var seen: CharacterClass = []
    while index < bytes.count {
      let byte = bytes[index]
      if byte < 0x80 {
        let kind = ascii[Int(byte)]
        if kind.contains(.space) { break }
        seen.formUnion(kind)
        index += 1
      } else {
        var width = 1
        let kind = classes.of(UTF8Scalar.decode(bytes, at: index, width: &width))
        if kind.contains(.space) { break }
        seen.formUnion(kind)
        index += width
        inner += width - 1
      }
    }
    let characters = index - start - (inner - innerBefore)
    stretches.append(Stretch(start: start, end: index, characters: characters, firstWord: words.count))
    if seen.contains(.symbol) { countSymbols(bytes, start, index) }
    let hash = Self.fingerprint(bytes, start, index)
    if !seen.contains(.active), !cutter.isSpecial(hash) {
      var traits: Traits = []
      if seen.contains(.letter) { traits.insert(.letter) }
      if seen.contains(.content) { traits.insert(.content) }
      words.append(Word(start: start, end: index, characters: characters, hash: hash, traits: traits))
      return
    }
    cutter.cut(bytes, start, index, hash: hash, &classes)
    var at = start
    for index in cutter.found {
      let piece = cutter[index]
      words.append(Word(start: at, end: at + piece.length, characters: piece.characters, hash: piece.hash, traits: piece.traits))
      at += piece.length
    }
  }

  /// A 64-bit fingerprint of bytes, eight at a time.
  @inline(__always)
  static func fingerprint(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> UInt64 {
    let factor: UInt64 = 0x9FB2_1C65_1E98_DF25
    var hash = UInt64(truncatingIfNeeded: end - start)
    var index = start
    while index + 8 <= end {
      let block = unsafe bytes.bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
      hash = (hash ^ UInt64(littleEndian: block)) &* factor
      hash ^= hash >> 29
      index += 8
    }
    var block: UInt64 = 0
    while index < end {
      block = block << 8 | UInt64(bytes[index])
      index += 1
    }
    hash = (hash ^ block) &* factor
    return hash ^ hash >> 32
  }

  /// Counts hash signs and ellipses of a stretch.
  private mutating func countSymbols(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) {
    var dots = 0
    for index in start..<end {
      switch bytes[index] {
      case 0x2E:
        dots += 1
        if dots == 3 {
          ellipses += 1
          dots = 0
        }
        continue
      case 0x23: hashes += 1
      case 0xE2 where end - index >= 3 && bytes[index + 1] == 0x80 && bytes[index + 2] == 0xA6: ellipses += 1
      default: break
      }
      dots = 0
    }
  }
}
