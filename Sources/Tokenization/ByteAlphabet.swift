/// The printable characters that represent bytes in a tokenizer.json (GPT-2's `bytes_to_unicode`).
enum ByteAlphabet {
  /// The scalar of each byte: printable Latin-1 represents itself, the rest is numbered from U+0100.
  static let scalars: [UInt32] = {
    var scalars = [UInt32](repeating: 0, count: 256)
    var next: UInt32 = 0x100
    for byte in UInt32(0)..<256 {
      let isItself = (0x21...0x7E).contains(byte) || (0xA1...0xAC).contains(byte) || (0xAE...0xFF).contains(byte)
      scalars[Int(byte)] = isItself ? byte : next
      if !isItself { next += 1 }
    }
    return scalars
  }()

  /// The byte of each scalar below 0x144; −1 for none.
  static let bytes: [Int16] = {
    var bytes = [Int16](repeating: -1, count: 0x144)
    for byte in 0..<256 { bytes[Int(scalars[byte])] = Int16(byte) }
    return bytes
  }()

  /// The 256 bytes in the order of their characters, which is the order of their ids.
  static let order: [UInt8] = (0..<256).map { UInt8($0) }.sorted { scalars[Int($0)] < scalars[Int($1)] }

  /// The characters of a token, as UTF-8.
  static func encode(_ token: some Sequence<UInt8>) -> [UInt8] {
    var text: [UInt8] = []
    for byte in token {
      let scalar = scalars[Int(byte)]
      if scalar < 0x80 {
        text.append(UInt8(scalar))
      } else {
        text.append(UInt8(0xC0 | scalar >> 6))
        text.append(UInt8(0x80 | scalar & 0x3F))
      }
    }
    return text
  }

  /// Appends the bytes that a text in the alphabet represents; false if a character is not in the alphabet.
  static func decode(_ text: UnsafeBufferPointer<UInt8>, into token: inout [UInt8]) -> Bool {
    var index = 0
    while index < text.count {
      let lead = text[index]
      var scalar = Int(lead)
      index += 1
      if lead >= 0x80 {
        guard lead & 0xE0 == 0xC0, index < text.count, text[index] & 0xC0 == 0x80 else { return false }
        scalar = Int(lead & 0x1F) << 6 | Int(text[index] & 0x3F)
        index += 1
      }
      guard scalar < bytes.count, bytes[scalar] >= 0 else { return false }
      token.append(UInt8(bytes[scalar]))
    }
    return true
  }
}
