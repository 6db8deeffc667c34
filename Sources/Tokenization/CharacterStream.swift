/// Whole UTF-8 characters of bytes that come in pieces, as tokens do: what may still become a character is held back, what cannot is U+FFFD.
package struct CharacterStream: Sendable {
  private var pending: [UInt8] = []

  /// An empty stream.
  package init() {}

  /// Takes bytes in and gives the text that is complete.
  package mutating func append(_ bytes: some Sequence<UInt8>) -> String {
    pending += bytes
    let held = Self.unfinished(pending)
    defer { pending.removeFirst(pending.count - held) }
    return String(decoding: pending.dropLast(held), as: UTF8.self)
  }

  /// What is held back, at the end of the text.
  package mutating func finish() -> String {
    defer { pending = [] }
    return String(decoding: pending, as: UTF8.self)
  }

  /// The number of bytes at the end that begin a character without ending it.
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
