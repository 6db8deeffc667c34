import CKernels
import Primitives
import Testing

/// Cutting by bit masks with every set of vector instructions beside cutting character by character, which `PretokenizerTests` compares with
/// the patterns.
@Suite struct CutterTests {
  /// Classes of characters up to U+30FF by the standard library; what lies above is letters.
  private static let classes: [UInt8] = (UInt32(0)..<0x33480).map { value in
    guard value < 0x3100, let scalar = Unicode.Scalar(value) else { return 1 }
    if Reference.isNewline(scalar) { return 4 }
    return Reference.isSpace(scalar) ? 3 : Reference.isLetter(scalar) ? 1 : Reference.isNumber(scalar) ? 2 : 0
  }

  private static let kinds: [(family: Int, digits: Int32)] = [
    (WEIR_PATTERN_GPT2, 3), (WEIR_PATTERN_GPT2, 1), (WEIR_PATTERN_WORDS, 3), (WEIR_PATTERN_CL100K, 3), (WEIR_PATTERN_LLAMA3, 3),
    (WEIR_PATTERN_LLAMA3, 1), (WEIR_PATTERN_LLAMA3, 2),
  ]

  private static let parts: [[UInt8]] =
    [
      " ", "  ", "\t", "\n", "\r", "\r\n", "\n\n", " \n", "\u{A0}", "\u{2003}", "\u{3000}", "\u{85}", "\u{0B}", "a", "Hello", "'s", "'S",
      "'ll",
      "'LL", "'Ve", "'re", "'", "''", "'t", "'\u{17F}", "’s", "1", "12", "1234567", "½", "٣٤", "é", "e\u{301}", "中文", "😀", "!", "...",
      "#$%",
      "_", "\u{7F}", "\u{0}", "\u{FEFF}", "x", " the",
    ].map { Array($0.utf8) } + [[0xFF], [0xE4, 0xB8], [0xC3], [0xF0, 0x9D, 0x92], [0x80]]

  private func cuts(_ text: [UInt8], _ kind: (family: Int, digits: Int32), level: Int32, room: Int) -> [Int] {
    Self.classes.withUnsafeBufferPointer { classes in
      var pattern = weir_pattern(
        classes: classes.baseAddress, limit: UInt32(classes.count), family: Int32(kind.family), digits: kind.digits, joins: nil, pairs: nil,
        automata: nil, stages: 0, style: 0)
      return withUnsafePointer(to: &pattern) { pattern in
        var cutter = weir_cutter()
        weir_cutter_start(&cutter, pattern, text, text.count)
        cutter.level = level
        var ends: [Int] = []
        return text.withUnsafeBufferPointer { text in
          cutter.text = text.baseAddress
          var some = [Int](repeating: 0, count: room)
          while true {
            let found = weir_pretokens(&cutter, &some, room)
            if found == 0 { return ends }
            ends += some[..<found]
          }
        }
      }
    }
  }

  private func disagreements(_ text: [UInt8], room: Int = 256) -> [String] {
    guard !text.isEmpty else { return [] }
    return Self.kinds.flatMap { kind in
      let plain = cuts(text, kind, level: -1, room: room)
      return (0...weir_cutter_level()).compactMap { level in
        cuts(text, kind, level: level, room: room) == plain ? nil : "family \(kind.family), \(kind.digits) digits, level \(level): \(text)"
      }
    }
  }

  /// A few parts in random order, so that runs of one class cross the blocks' borders at every offset.
  @Test func cutsAsThePlainWay() {
    var wrong: [String] = []
    for seed in 0..<500 where wrong.count < 3 {
      var random = SequentialRandom(seed: UInt64(seed), stream: 40)
      let some = (0..<Int.random(in: 2...7, using: &random)).map { _ in Self.parts.randomElement(using: &random) ?? [] }
      var text: [UInt8] = []
      let length = Int.random(in: 1...(seed % 3 == 0 ? 400 : 140), using: &random)
      while text.count < length { text += some.randomElement(using: &random) ?? [] }
      wrong += disagreements(text, room: seed % 2 == 0 ? Int(WEIR_PRETOKENS) : 256)
    }
    #expect(wrong.isEmpty, "\(wrong)")
  }

  @Test func cutsAnyBytesAsThePlainWay() {
    var wrong: [String] = []
    for seed in 0..<100 where wrong.count < 3 {
      var random = SequentialRandom(seed: UInt64(seed), stream: 41)
      wrong += disagreements((0..<Int.random(in: 1...200, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) })
    }
    #expect(wrong.isEmpty, "\(wrong)")
  }

  /// Each part at each offset of a block, and each length of a run up to three blocks.
  @Test func cutsAtEveryOffset() {
    var wrong: [String] = []
    for part in Self.parts where wrong.count < 3 {
      for offset in [1, 2, 3, 55, 60, 61, 62, 63, 64, 65] {
        wrong += disagreements([UInt8](repeating: 0x61, count: offset) + part + Array("b c".utf8))
        wrong += disagreements(Array("x, ".utf8) + (0..<offset).flatMap { _ in part } + Array("1 2".utf8))
      }
    }
    #expect(wrong.isEmpty, "\(wrong)")
  }
}
