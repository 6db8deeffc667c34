// Whether a stretch without white space is a web address, which the word cutter leaves whole: scheme, user, host or IPv4 address, port,
// path, all but the host optional. The language is that of the regular expression in spaCy's `lang/tokenizer_exceptions.py` (MIT); here it
// is read in one pass for each place where a host may begin, and these cannot overlap: time linear in the length.

enum WebAddress {
  /// Whether `scalars[range]` is an address.
  static func matches(_ scalars: [UInt32], _ classes: [CharacterClass], _ range: Range<Int>) -> Bool {
    // Every address has a dot inside; most words with marks do not.
    guard range.count > 3, scalars[range].contains(0x2E) else { return false }
    if host(scalars, classes, range) { return true }
    var start = range.lowerBound
    while start < range.upperBound, isScheme(scalars[start], classes[start]) { start += 1 }
    if start - range.lowerBound >= 2, start + 3 < range.upperBound, scalars[start] == 0x3A, scalars[start + 1] == 0x2F,
      scalars[start + 2] == 0x2F, host(scalars, classes, start + 3..<range.upperBound)
    {
      return true
    }
    var index = range.lowerBound + 1
    while index + 1 < range.upperBound {
      if scalars[index] == 0x40, host(scalars, classes, index + 1..<range.upperBound) { return true }
      index += 1
    }
    return false
  }

  private static func isScheme(_ scalar: UInt32, _ kind: CharacterClass) -> Bool {
    kind.contains(.letter) || kind.contains(.digit) || scalar == 0x5F || scalar == 0x2B || scalar == 0x2D || scalar == 0x2E
  }

  private static func isName(_ scalar: UInt32, _ kind: CharacterClass) -> Bool {
    scalar < 0x80 ? kind.contains(.letter) || kind.contains(.digit) : (0xA1...0xFFFF).contains(scalar)
  }

  /// Whether a host, a port where there is one, and a path where there is one fill the range.
  private static func host(_ scalars: [UInt32], _ classes: [CharacterClass], _ range: Range<Int>) -> Bool {
    if let end = address(scalars, range), tail(scalars, end..<range.upperBound) { return true }
    var index = range.lowerBound
    var labels = 0
    var start = index
    while index < range.upperBound {
      let scalar = scalars[index]
      if scalar == 0x2E {
        guard index > start, index - start <= 64, isName(scalars[start], classes[start]), isName(scalars[index - 1], classes[index - 1])
        else {
          return false
        }
        labels += 1
        start = index + 1
      } else if !isName(scalar, classes[index]), scalar != 0x5F, scalar != 0x2D {
        break
      }
      index += 1
    }
    guard labels > 0, (2...63).contains(index - start), classes[start..<index].allSatisfy({ $0.contains(.lower) }) else { return false }
    return tail(scalars, index..<range.upperBound)
  }

  /// An optional port of 2 to 5 digits, then nothing or a path.
  private static func tail(_ scalars: [UInt32], _ range: Range<Int>) -> Bool {
    var index = range.lowerBound
    if index < range.upperBound, scalars[index] == 0x3A {
      index += 1
      let start = index
      while index < range.upperBound, isDigit(scalars[index]) { index += 1 }
      guard (2...5).contains(index - start) else { return false }
    }
    return index == range.upperBound || scalars[index] == 0x2F || scalars[index] == 0x3F || scalars[index] == 0x23
  }

  private static func isDigit(_ scalar: UInt32) -> Bool { 0x30...0x39 ~= scalar }

  /// The end of a public IPv4 address at the beginning of the range; nil where there is none.
  private static func address(_ scalars: [UInt32], _ range: Range<Int>) -> Int? {
    var index = range.lowerBound
    var octets: [Int] = []
    while octets.count < 4 {
      var value = 0
      let start = index
      while index < range.upperBound, isDigit(scalars[index]), index - start < 3 {
        value = value * 10 + Int(scalars[index] - 0x30)
        index += 1
      }
      guard index > start, value <= 255, index == range.upperBound || !isDigit(scalars[index]) else { return nil }
      let isOuter = octets.isEmpty || octets.count == 3
      if isOuter && scalars[start] == 0x30 { return nil }
      octets.append(value)
      if octets.count < 4 {
        guard index < range.upperBound, scalars[index] == 0x2E else { return nil }
        index += 1
      }
    }
    guard octets[0] <= 223, octets[3] <= 254 else { return nil }
    switch (octets[0], octets[1]) {
    case (10, _), (127, _), (169, 254), (192, 168), (172, 16...31): return nil
    default: return index
    }
  }
}
