/// Complete UTF-8 characters from bytes that arrive in pieces, as tokens do: an incomplete character is held back, invalid bytes become U+FFFD.
package struct CharacterStream: Sendable {
  private var pending: [UInt8] = []

  package init() {}

  /// Appends bytes and returns the text that is complete.
  package mutating func append(_ bytes: some Sequence<UInt8>) -> String {
    pending += bytes
    let held = Self.unfinished(pending)
    defer { pending.removeFirst(pending.count - held) }
    return String(decoding: pending.dropLast(held), as: UTF8.self)
  }

  /// The rest that is held back, at the end of the text.
  package mutating func finish() -> String {
    defer { pending = [] }
    return String(decoding: pending, as: UTF8.self)
  }

  /// The number of trailing bytes that begin an incomplete character.
  private static func unfinished(_ bytes: [UInt8]) -> Int {
    for count in 1..<4 where count <= bytes.count {
      let byte = bytes[bytes.count - count]
      if byte & 0xC0 == 0x80 { continue }
      let length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1
      return length > count ? count : 0
    }
    return 0
  }
}
