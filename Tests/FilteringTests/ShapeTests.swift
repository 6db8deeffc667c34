import CKernels
import Filtering
import Testing

/// The shape of a text is the same with all vector instructions, and what a slow reading of it says.
@Suite struct ShapeTests {
  private static let parts = [
    "word", "The", "don't", "cannot", "e.g.", "U.S.", "é", "ß", "日本語。", "…", "...", "....", ".", "#", "##", "\u{A0}", "\u{2003}",
    "\u{3000}", "\u{85}",
    "\u{2028}", " ", "  ", "\n", "\n\n", "\r\n", "\r", "\t", "\u{B}", "\u{1C}", "\u{1F}", "😀", "a,b", "x-y", "(1)", "5km", "end.", "why?",
    "»", "://", "a.de",
    "abcdefghijklmnopqrstuvwxyz", "кот", "\u{301}", "\u{0}", "‘s", "ill",
  ]

  private func text(_ dice: inout Dice, _ most: Int) -> String {
    (0..<Int.random(in: 0...most, using: &dice)).map { _ in Self.parts.randomElement(using: &dice) ?? "" }.joined(
      separator: Bool.random(using: &dice) ? " " : "")
  }

  @Test(arguments: 0..<40 as Range<UInt64>) func allLevelsAgree(seed: UInt64) {
    var dice = Dice(state: seed)
    for _ in 0..<10 {
      var bytes = Array(text(&dice, 120).utf8)
      // Damaged here and there.
      if seed % 2 == 1 {
        for _ in 0..<3 where !bytes.isEmpty {
          bytes[Int.random(in: 0..<bytes.count, using: &dice)] = UInt8.random(in: 0...255, using: &dice)
        }
      }
      let plain = WordForms.shape(bytes, level: 0)
      for level in 1...2 as ClosedRange<Int32> where level <= weir_simd_level() { #expect(WordForms.shape(bytes, level: level) == plain) }
    }
  }

  @Test(arguments: 0..<40 as Range<UInt64>) func countsWhatIsThere(seed: UInt64) {
    var dice = Dice(state: seed)
    let text = text(&dice, 200)
    let scalars = Array(text.unicodeScalars)
    let counts = WordForms.shape(Array(text.utf8))[0]
    #expect(counts[0] == UInt64(scalars.count))
    #expect(counts[1] == UInt64(scalars.filter { $0 == "\n" }.count))
    #expect(counts[2] == UInt64(scalars.filter { $0 == "#" }.count))
    let runs = scalars.split { $0 != "." }.reduce(0) { $0 + $1.count / 3 }
    #expect(counts[3] == UInt64(runs + scalars.filter { $0 == "…" }.count))
    // The words are the text without white space: Unicode's, and the separators.
    let words = WordForms.words(text)
    let rest = scalars.filter { !$0.properties.isWhitespace && !(0x1C...0x1F).contains($0.value) }
    #expect(Array(words.joined().unicodeScalars) == rest)
    #expect(counts[7] == UInt64(words.count))
  }

  @Test(arguments: 0..<60 as Range<UInt64>) func findsPhrasesAnywhere(seed: UInt64) throws {
    var dice = Dice(state: seed)
    func filler() -> String {
      String((0..<Int.random(in: 0...150, using: &dice)).map { _ in "usecotrpilvja r".randomElement(using: &dice) ?? " " })
    }
    let phrases = ["lOrem IpSum": "c4.lorem_ipsum", "{": "c4.curly_bracket"]
    for (phrase, rule) in phrases {
      let (before, after) = (filler(), filler())
      #expect(try reason(before + phrase + after, rule) == rule)
      #expect(try reason(before + phrase.dropLast() + after, rule) == nil)
    }
    for phrase in ["Terms of Use", "privacy POLICY", "cookie policy", "uses cookies", "use of cookies", "use cookies"] {
      var judge = DocumentJudge(FilterConfiguration(rules: try FilterRules(parsing: "c4.policy")))
      let text = "One line.\n" + filler() + phrase + filler() + "\nAnother."
      #expect(judge.judge(Array(text.utf8)).text == Array("One line.\nAnother.".utf8))
    }
  }
}
