import Primitives
import Testing
import Tokenization

@Suite struct CharacterStreamTests {
  @Test(arguments: 1...6 as ClosedRange<UInt64>) func piecesAreTheWhole(_ seed: UInt64) {
    var random = SequentialRandom(seed: seed, stream: 3)
    let text = Array("aé日𝄞\u{0301}ñ🇩🇪 x".utf8)
    for _ in 0..<200 {
      var bytes: [UInt8] = []
      while bytes.count < 40 {
        // Every second seed has bytes that are no text at all.
        if seed % 2 == 0, Bool.random(using: &random) { bytes.append(UInt8.random(in: 0...255, using: &random)) } else { bytes += text }
      }
      var stream = CharacterStream(), found = "", rest = bytes[...]
      while !rest.isEmpty {
        let piece = rest.prefix(Int.random(in: 1...5, using: &random))
        rest = rest.dropFirst(piece.count)
        let new = stream.append(piece)
        if seed % 2 == 1 { #expect(!new.unicodeScalars.contains("\u{FFFD}")) }
        found += new
      }
      found += stream.finish()
      #expect(Array(found.utf8) == Array(String(decoding: bytes, as: UTF8.self).utf8))
    }
  }

  @Test func whatIsUnfinishedWaits() {
    var stream = CharacterStream()
    #expect(stream.append([0x61, 0xE6, 0x97]) == "a")
    #expect(stream.append([]) == "")
    #expect(stream.append([0xA5]) == "日")
    #expect(stream.append([0xF0, 0x9D]) == "")
    #expect(stream.finish() == "\u{FFFD}")
    #expect(stream.finish() == "")
  }
}
