/// The tokens of a text, for display.
package struct TokenView: Sendable {
  /// A token's id, and its bytes as text with whitespace and invalid UTF-8 made visible.
  package struct Piece: Sendable, Equatable {
    package var id: UInt32
    package var text: String
  }

  package let pieces: [Piece]

  package init(_ tokenizer: Tokenizer, text: String, allowsSpecials: Bool = false) {
    pieces = tokenizer.encode(text, allowsSpecials: allowsSpecials).map { Piece(id: $0, text: Self.visible(tokenizer.bytes(of: $0))) }
  }

  /// Bytes as text: spaces as `·`, control characters as their pictures, invalid UTF-8 as `<E4>`.
  private static func visible(_ bytes: ArraySlice<UInt8>) -> String {
    guard let string = String(validating: bytes, as: UTF8.self) else {
      return bytes.map { byte in
        let digits = String(byte, radix: 16, uppercase: true)
        return "<" + (byte < 16 ? "0" : "") + digits + ">"
      }.joined()
    }
    var text = String.UnicodeScalarView()
    for scalar in string.unicodeScalars {
      switch scalar.value {
      case 0x20: text.append("·")
      case 0..<0x20: text.append(Unicode.Scalar(0x2400 + scalar.value) ?? scalar)
      case 0x7F: text.append("\u{2421}")
      default: text.append(scalar)
      }
    }
    return String(text)
  }

  /// Two lines: the tokens, and their ids.
  /// - Parameter colored: separates tokens by background color (for a terminal) instead of bars.
  package func lines(colored: Bool) -> [String] {
    let backgrounds = [153, 194, 223, 225, 230, 189]
    let shown = pieces.enumerated().map { index, piece in
      colored ? "\u{1B}[30;48;5;\(backgrounds[index % backgrounds.count])m\(piece.text)\u{1B}[0m" : piece.text
    }
    return ["  " + shown.joined(separator: colored ? "" : "|"), "  " + pieces.map { String($0.id) }.joined(separator: " ")]
  }
}
