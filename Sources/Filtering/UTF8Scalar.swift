/// Decoding of single code points from UTF-8.
enum UTF8Scalar {
  /// Stands for a byte that is not part of a code point.
  static let malformed: UInt32 = 0xFFFF_FFFF

  /// The code point at `index`, whose byte is not ASCII; `malformed` and a width of 1 if there is none.
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
