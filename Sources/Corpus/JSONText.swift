/// Writes JSON strings: only `"`, `\` and control characters are escaped, UTF-8 stays as it is.
public enum JSONText {
  /// Appends a string with its quotes.
  public static func append(string: String, to bytes: inout [UInt8]) {
    var string = string
    string.withUTF8 { append(utf8: $0, to: &bytes) }
  }

  /// Appends valid UTF-8 as a string with its quotes.
  public static func append(utf8 text: [UInt8], to bytes: inout [UInt8]) {
    text.withUnsafeBufferPointer { append(utf8: $0, to: &bytes) }
  }

  /// Appends valid UTF-8 as a string with its quotes: stretches without an escape are copied whole.
  public static func append(utf8 text: UnsafeBufferPointer<UInt8>, to bytes: inout [UInt8]) {
    bytes.append(0x22)
    var start = 0
    var index = 0
    while index < text.count {
      index = nextEscape(text, from: index)
      if index >= text.count { break }
      bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[start..<index]))
      bytes.append(0x5C)
      switch text[index] {
      case 0x22: bytes.append(0x22)
      case 0x5C: bytes.append(0x5C)
      case 0x08: bytes.append(0x62)
      case 0x09: bytes.append(0x74)
      case 0x0A: bytes.append(0x6E)
      case 0x0C: bytes.append(0x66)
      case 0x0D: bytes.append(0x72)
      case let control:
        bytes.append(contentsOf: [0x75, 0x30, 0x30, control >> 4 + 0x30, hexadecimal(control & 15)])
      }
      index += 1
      start = index
    }
    bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[start...]))
    bytes.append(0x22)
  }

  private static func hexadecimal(_ nibble: UInt8) -> UInt8 { nibble < 10 ? 0x30 + nibble : 0x57 + nibble }

  /// The next byte that needs an escape, eight bytes at a time (Mycroft's zero-byte test on each class).
  private static func nextEscape(_ text: UnsafeBufferPointer<UInt8>, from: Int) -> Int {
    var index = from
    let ones: UInt64 = 0x0101_0101_0101_0101
    let tops: UInt64 = 0x8080_8080_8080_8080
    let raw = UnsafeRawBufferPointer(text)
    while index + 8 <= text.count {
      let word = raw.loadUnaligned(fromByteOffset: index, as: UInt64.self).littleEndian
      let quote = word ^ (ones &* 0x22)
      let slash = word ^ (ones &* 0x5C)
      let hit = ((quote &- ones) & ~quote | (slash &- ones) & ~slash | (word &- ones &* 0x20) & ~word) & tops
      // A borrow can flag a byte above a true hit, never below: the lowest flag is right.
      if hit != 0 { return index + hit.trailingZeroBitCount / 8 }
      index += 8
    }
    while index < text.count, text[index] != 0x22, text[index] != 0x5C, text[index] >= 0x20 { index += 1 }
    return index
  }
}
