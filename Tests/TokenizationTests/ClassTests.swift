import Testing
import Tokenization

/// The table of character classes through the only door there is: how a pattern cuts.
@Suite struct ClassTests {
  @Test func everyScalarHasTheClassOfTheStandardLibraryUpToUnicode16() {
    var wrong: [UInt32] = []
    // In groups, each scalar between two "%": what joins what tells its class.
    for value in UInt32(0)..<0x110000 {
      guard let scalar = Unicode.Scalar(value) else { continue }
      if value >= 0x34000, value < 0xE0000 { continue }
      if (0x4E10..<0x9F00).contains(value) || (0xAC10..<0xD700).contains(value) || (0x20010..<0x2A000).contains(value) { continue }
      if value > 0xE0200, value % 997 != 0 { continue }
      let bytes = Array(String(scalar).utf8)
      let expected: Int
      if Reference.isSpace(scalar) {
        expected = 3
      } else if Reference.isLetter(scalar) {
        expected = 1
      } else if Reference.isNumber(scalar) {
        expected = 2
      } else {
        expected = 0
      }
      // "a?": joined with a letter only if a letter; "1?" with a number; " ?" + "%" with symbols.
      let length = bytes.count
      let joinsLetter = Pretokenizer.gpt2.split([97] + bytes).count == 1
      let joinsNumber = Pretokenizer.gpt2.split([49] + bytes).count == 1
      let joinsSymbol = Pretokenizer.gpt2.split([37] + bytes).count == 1
      let found = joinsLetter ? 1 : joinsNumber ? 2 : joinsSymbol ? 0 : 3
      if found != expected || length == 0 { wrong.append(value) }
    }
    #expect(wrong.isEmpty, "\(wrong.prefix(10))")
  }
}
