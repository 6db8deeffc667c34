/// A mail address around an `@`, with letters of any script (RFC 6531), as strict masking recognizes it.
///
/// The last label of the domain has at least two letters, so that `react@18.2.0` is none. Words of scripts without spaces end where another
/// script begins: the text before `user@example.com` in Chinese is not part of the address.
struct MailAddress {
  let start: Int
  let end: Int

  /// - Parameters:
  ///   - at: the place of the `@`.
  ///   - low: the first byte that may belong to the address.
  init?(in text: [UInt8], at: Int, from low: Int) {
    guard let start = Self.localStart(text, at, from: low), let end = Self.domainEnd(text, at + 1) else { return nil }
    (self.start, self.end) = (start, end)
  }

  private enum Kind {
    /// Letters, digits and marks of scripts that have spaces.
    case word
    /// Letters of scripts without spaces.
    case ideographic
    /// Other characters that a local part may contain.
    case symbol
    case dot
    case outside
  }

  private static func localStart(_ text: [UInt8], _ at: Int, from low: Int) -> Int? {
    var start = at
    var following = Kind.outside
    var isIdeographic: Bool?
    while start > low {
      var first = start - 1
      while first > low, text[first] & 0xC0 == 0x80 { first -= 1 }
      let kind = kind(text, first).kind
      if kind == .outside || (kind == .dot && (following == .dot || following == .outside)) { break }
      if kind == .word || kind == .ideographic {
        if let isIdeographic, isIdeographic != (kind == .ideographic), text[first] >= 0x80 || isIdeographic { break }
        if isIdeographic == nil { isIdeographic = kind == .ideographic }
      }
      (start, following) = (first, kind)
    }
    while start < at {
      let (kind, width) = kind(text, start)
      if kind == .word || kind == .ideographic { return start }
      start += width
    }
    return nil
  }

  private static func domainEnd(_ text: [UInt8], _ start: Int) -> Int? {
    var index = start
    var labels = 0
    while true {
      var end = index, last = index, letters = 0
      while end < text.count {
        let (kind, width) = kind(text, end)
        guard kind == .word || kind == .ideographic || text[end] == 0x2D else { break }
        // In scripts without spaces, more text may follow an address at once.
        if kind == .ideographic, end > index, text[end - 1] < 0x80 { break }
        if text[end] == 0x2D, end == index { return nil }
        end += width
        if text[end - width] != 0x2D { last = end }
        if !(0x30...0x39 ~= text[end - width]), text[end - width] != 0x2D { letters += 1 }
      }
      guard last > index else { return nil }
      labels += 1
      if last == end, end + 1 < text.count, text[end] == 0x2E, [.word, .ideographic].contains(kind(text, end + 1).kind) {
        // `pkg@1.0.0-beta.rc` is a version.
        if labels == 1, letters == 0, 0x30...0x39 ~= text[end + 1] { return nil }
        index = end + 1
        continue
      }
      return labels > 1 && letters > 1 ? last : nil
    }
  }

  private static func kind(_ text: [UInt8], _ index: Int) -> (kind: Kind, width: Int) {
    switch text[index] {
    case 0x2E: return (.dot, 1)
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: return (.word, 1)
    case 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2D, 0x2F, 0x3D, 0x3F, 0x5E...0x60, 0x7B...0x7E: return (.symbol, 1)
    case ..<0x80: return (.outside, 1)
    default: break
    }
    let width = min(text.count - index, text[index] < 0xE0 ? 2 : text[index] < 0xF0 ? 3 : 4)
    guard let scalar = String(decoding: text[index..<index + width], as: UTF8.self).unicodeScalars.first else { return (.outside, width) }
    switch scalar.properties.generalCategory {
    case .otherLetter where isIdeographic(scalar.value): return (.ideographic, width)
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber, .nonspacingMark,
      .spacingMark:
      return (.word, width)
    default: return (.outside, width)
    }
  }

  /// Whether a letter belongs to a script without spaces: Han, Hiragana, Katakana, Thai, Lao, Myanmar, Khmer.
  private static func isIdeographic(_ scalar: UInt32) -> Bool {
    switch scalar {
    case 0x0E00...0x0EFF, 0x1000...0x109F, 0x1780...0x17FF, 0x3040...0x30FF, 0x3400...0x9FFF, 0xF900...0xFAFF, 0x2_0000...0x3_FFFF: true
    default: false
    }
  }
}
