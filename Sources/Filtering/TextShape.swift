// What the rules need to know of a text, taken in one pass over its UTF-8 bytes: words, lines, and a few counts.
//
// A word is a stretch without Unicode White_Space; a line ends at "\n" (a "\r" before it is white space like any other); a
// character is a Unicode code point. Malformed bytes count as one character each. Cost: about 2 ns a byte.

/// The words and lines of a text. One value is reused for many texts.
struct TextShape {
  /// A stretch without white space.
  struct Word {
    var start: Int
    var end: Int
    var characters: Int
    /// 64-bit fingerprint of the bytes.
    var hash: UInt64
    /// Whether it holds a letter.
    var hasLetter: Bool
    /// Whether it holds something else than punctuation and symbols.
    var hasContent: Bool
  }

  /// A line without its end.
  struct Line {
    var start: Int
    var end: Int
    var characters: Int
    var firstWord: Int
    var lastWord: Int
    /// 64-bit fingerprint of the bytes.
    var hash: UInt64
    /// Whether there is no word in it.
    var isBlank: Bool { firstWord == lastWord }
  }

  private(set) var words: [Word] = []
  private(set) var lines: [Line] = []
  /// Code points in all.
  private(set) var characters = 0
  /// Line ends.
  private(set) var newlines = 0
  /// `#` in all.
  private(set) var hashes = 0
  /// `...` (not overlapping) and `…` in all.
  private(set) var ellipses = 0

  private static let factor: UInt64 = 0x9FB2_1C65_1E98_DF25

  /// Takes the shape of `text`.
  mutating func measure(_ text: [UInt8]) {
    words.removeAll(keepingCapacity: true)
    lines.removeAll(keepingCapacity: true)
    newlines = 0
    hashes = 0
    ellipses = 0
    let bytes = text.span
    let count = bytes.count
    let classes = ByteClass.table
    var index = 0
    var width = 1
    // Bytes that are not the first of a code point, so far: code points are bytes without them.
    var inner = 0
    var line = Line(start: 0, end: 0, characters: 0, firstWord: 0, lastWord: 0, hash: 0)
    var lineInner = 0
    while index < count {
      let byte = bytes[index]
      if classes[Int(byte)] & ByteClass.space != 0 {
        if byte == 0x0A {
          close(&line, at: index, inner - lineInner)
          newlines += 1
          line = Line(start: index + 1, end: 0, characters: 0, firstWord: words.count, lastWord: 0, hash: 0)
          lineInner = inner
        } else {
          line.hash = (line.hash ^ UInt64(byte)) &* Self.factor
        }
        index += 1
        continue
      }
      if byte >= 0x80 {
        let scalar = UTF8Scalar.decode(bytes, at: index, width: &width)
        if ByteClass.isSpace(scalar) {
          line.hash = (line.hash ^ UInt64(scalar)) &* Self.factor
          index += width
          inner += width - 1
          continue
        }
      }
      // A word; its fingerprint takes eight bytes at a time.
      let start = index
      let innerBefore = inner
      var kind: UInt8 = 0
      var hash: UInt64 = 0
      var block: UInt64 = 0
      while index < count {
        let byte = bytes[index]
        if byte < 0x80 {
          let own = classes[Int(byte)]
          if own & ByteClass.space != 0 { break }
          kind |= own
          width = 1
        } else {
          let scalar = UTF8Scalar.decode(bytes, at: index, width: &width)
          if ByteClass.isSpace(scalar) { break }
          kind |= ByteClass.classify(scalar, needsContent: kind & ByteClass.letter == 0 || kind & ByteClass.content == 0)
          inner += width - 1
        }
        for offset in index..<index + width {
          block = block << 8 | UInt64(bytes[offset])
          if (offset - start) & 7 == 7 {
            hash = (hash ^ block) &* Self.factor
            hash ^= hash >> 29
            block = 0
          }
        }
        index += width
      }
      hash = (hash ^ block) &* Self.factor &+ UInt64(index - start)
      hash ^= hash >> 32
      words.append(
        Word(
          start: start, end: index, characters: index - start - (inner - innerBefore), hash: hash, hasLetter: kind & ByteClass.letter != 0,
          hasContent: kind & ByteClass.content != 0))
      line.hash = (line.hash ^ hash) &* Self.factor
      if kind & ByteClass.symbol != 0 { countSymbols(bytes, start, index) }
    }
    if line.start < count { close(&line, at: count, inner - lineInner) }
    characters = count - inner
  }

  private mutating func close(_ line: inout Line, at end: Int, _ inner: Int) {
    line.end = end
    line.characters = end - line.start - inner
    line.lastWord = words.count
    line.hash ^= line.hash >> 32
    lines.append(line)
  }

  /// Counts hash signs and ellipses of a word.
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

/// What a byte or a code point is: a set of bits.
enum ByteClass {
  static let space: UInt8 = 1
  static let letter: UInt8 = 2
  static let content: UInt8 = 4
  /// `#`, `.`, and what may begin `…`.
  static let symbol: UInt8 = 8

  /// The classes of the ASCII bytes; 0 beyond.
  static let table: [UInt8] = (0..<256).map { value in
    switch UInt8(value) {
    case 0x09...0x0D, 0x20: space
    case 0x41...0x5A, 0x61...0x7A: letter | content
    case 0x30...0x39: content
    case 0x23, 0x2E: symbol
    default: 0
    }
  }

  /// The class of a code point beyond ASCII that is no white space.
  /// - Parameters:
  ///   - scalar: the code point; `UTF8Scalar.malformed` for a byte that is none.
  ///   - needsContent: whether letter and content matter; the table behind them is slow.
  @inline(__always)
  static func classify(_ scalar: UInt32, needsContent: Bool) -> UInt8 {
    if scalar == 0x2026 { return symbol }
    guard needsContent, let known = Unicode.Scalar(scalar) else { return 0 }
    return lookUp(known)
  }

  @inline(never)
  private static func lookUp(_ scalar: Unicode.Scalar) -> UInt8 {
    let properties = scalar.properties
    if properties.isAlphabetic { return letter | content }
    switch properties.generalCategory {
    case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation, .finalPunctuation,
      .otherPunctuation, .mathSymbol, .currencySymbol, .modifierSymbol, .otherSymbol, .control, .format:
      return 0
    default:
      return content
    }
  }

  /// Unicode White_Space beyond ASCII.
  @inline(__always)
  static func isSpace(_ scalar: UInt32) -> Bool {
    switch scalar {
    case 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000: true
    default: false
    }
  }
}

/// Decoding of single code points from UTF-8.
enum UTF8Scalar {
  /// What stands for a byte that belongs to no code point.
  static let malformed: UInt32 = 0xFFFF_FFFF

  /// The code point at `index`, whose byte is not ASCII; `malformed` and a width of 1 where there is none.
  @inline(__always)
  static func decode(_ bytes: Span<UInt8>, at index: Int, width: inout Int) -> UInt32 {
    let first = UInt32(bytes[index])
    let left = bytes.count - index
    func next(_ offset: Int) -> UInt32 { UInt32(bytes[index + offset]) ^ 0x80 }  // below 0x40 for a continuation byte
    if first >= 0xC2, first < 0xE0, left > 1 {
      let second = next(1)
      if second < 0x40 {
        width = 2
        return (first & 0x1F) << 6 | second
      }
    } else if first >= 0xE0, first < 0xF0, left > 2 {
      let second = next(1)
      let third = next(2)
      let scalar = (first & 0x0F) << 12 | second << 6 | third
      if second < 0x40, third < 0x40, scalar >= 0x800, scalar & 0xF800 != 0xD800 {
        width = 3
        return scalar
      }
    } else if first >= 0xF0, first < 0xF5, left > 3 {
      let second = next(1)
      let third = next(2)
      let fourth = next(3)
      let scalar = (first & 0x07) << 18 | second << 12 | third << 6 | fourth
      if second < 0x40, third < 0x40, fourth < 0x40, scalar >= 0x10000, scalar < 0x110000 {
        width = 4
        return scalar
      }
    }
    width = 1
    return malformed
  }
}
