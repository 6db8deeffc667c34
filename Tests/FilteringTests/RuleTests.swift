import Filtering
import Testing

@Suite struct GopherQualityTests {
  /// 60 words, two stop words, mean length within the limits.
  static let good = Array(repeating: "the quick brown foxes jumped over lazy dogs and ran", count: 6).joined(separator: "\n")

  @Test func passes() throws {
    #expect(try reason(Self.good, "gopher-quality") == nil)
  }

  @Test func countsWords() throws {
    let words = (0..<49).map { _ in "with that" }.joined(separator: " ")  // 98 words
    #expect(try reason(words, "gopher-quality") == nil)
    #expect(try reason(words, "gopher.too_few_words") { $0.gopherQuality.minimumWords = 98 } == nil)
    #expect(try reason(words, "gopher.too_few_words") { $0.gopherQuality.minimumWords = 99 } == "gopher.too_few_words")
    #expect(try reason(words, "gopher.too_many_words") { $0.gopherQuality.maximumWords = 97 } == "gopher.too_many_words")
    // Punctuation alone is no word.
    #expect(try reason(words + " -- ** —", "gopher.too_few_words") { $0.gopherQuality.minimumWords = 99 } == "gopher.too_few_words")
  }

  @Test func measuresWords() throws {
    #expect(try reason("ab abc", "gopher.words_too_short") == "gopher.words_too_short")  // 2.5
    #expect(try reason("abc abc", "gopher.words_too_short") == nil)
    #expect(try reason("abcdefghij abcdefghijk", "gopher.words_too_long") == "gopher.words_too_long")  // 10.5
    #expect(try reason("ééééééé éééé", "gopher.words_too_long") == nil)  // code points, not bytes
  }

  @Test func countsSymbols() throws {
    let ten = "one two three four five six seven eight nine ten"
    #expect(try reason(ten + "#", "gopher.too_many_hashes") == nil)
    #expect(try reason(ten + "##", "gopher.too_many_hashes") == "gopher.too_many_hashes")
    #expect(try reason(ten + "...", "gopher.too_many_ellipses") == nil)
    #expect(try reason(ten + "......", "gopher.too_many_ellipses") == "gopher.too_many_ellipses")
    #expect(try reason(ten + "...…", "gopher.too_many_ellipses") == "gopher.too_many_ellipses")
    #expect(try reason(ten + ".....", "gopher.too_many_ellipses") == nil)
  }

  @Test func looksAtLines() throws {
    #expect(try reason("• a\n - b\n•c", "gopher.too_many_bullets") == "gopher.too_many_bullets")
    #expect(try reason((0..<9).map { _ in "• a\n" }.joined() + "b", "gopher.too_many_bullets") == nil)  // 0.9 is not above 0.9
    #expect(try reason("a...\nb\nc", "gopher.too_many_ellipsis_lines") == "gopher.too_many_ellipsis_lines")
    #expect(try reason("a… \r\nb\nc\nd", "gopher.too_many_ellipsis_lines") == nil)  // 0.25
    #expect(try reason("a…\r\nb…\nc\nd", "gopher.too_many_ellipsis_lines") == "gopher.too_many_ellipsis_lines")
  }

  @Test func wantsLetters() throws {
    #expect(try reason("a b c d 1", "gopher.too_few_alphabetic_words") == nil)
    #expect(try reason("a b c 1 2", "gopher.too_few_alphabetic_words") == "gopher.too_few_alphabetic_words")
    #expect(try reason("日本 語 я ñ 1", "gopher.too_few_alphabetic_words") == nil)
  }

  @Test func wantsDifferentStopWords() throws {
    #expect(try reason("the the the", "gopher.too_few_stop_words") == "gopher.too_few_stop_words")
    #expect(try reason("the end (of) it", "gopher.too_few_stop_words") == nil)
    #expect(try reason("The end (of) it", "gopher.too_few_stop_words") == "gopher.too_few_stop_words")  // as they stand
    #expect(try reason("other often", "gopher.too_few_stop_words") == "gopher.too_few_stop_words")
  }
}

@Suite struct GopherRepetitionTests {
  @Test func lines() throws {
    // 4 of 10 lines repeat; with distinct others.
    let text = "same\nsame\nsame\nsame\nsame\nb\nc\nd\ne\nf"
    #expect(try reason(text, "gopher.duplicate_lines") == "gopher.duplicate_lines")
    #expect(try reason("same\nsame\nc\nd", "gopher.duplicate_lines") == nil)  // 0.25
    #expect(try reason("same\n\n \n\nb\n\nc\n\n", "gopher.duplicate_lines") == nil)  // empty lines are no lines
    #expect(try reason("long line here\nlong line here\nc\nd", "gopher.duplicate_line_characters") == "gopher.duplicate_line_characters")
  }

  @Test func paragraphs() throws {
    #expect(try reason("a\nb\n\na\nb\n\nc", "gopher.duplicate_paragraphs") == "gopher.duplicate_paragraphs")
    #expect(try reason("a\nb\n\na\nc\n\nd", "gopher.duplicate_paragraphs") == nil)
    #expect(try reason("a\nb\r\n\r\na\nb\n\n\n\nc d e f g h i j k", "gopher.duplicate_paragraph_characters") == nil)
    #expect(
      try reason("words here\n\nwords here\n\nmore words", "gopher.duplicate_paragraph_characters")
        == "gopher.duplicate_paragraph_characters")
  }

  @Test func nGramsByHand() throws {
    // "a b" three times: 3 · 3 of 23 code points.
    let text = "a b c a b d a b e f g h"
    #expect(Naive.topShare(text, 2) == 9.0 / 23)
    #expect(try reason(text, "gopher.top_n_grams") == "gopher.top_2_grams")
    #expect(try reason("one two three four five", "gopher.top_n_grams") == "gopher.top_2_grams")  // 7 of 23: once is enough
    #expect(try reason("a b c d e a b c d e", "gopher.duplicate_n_grams") == "gopher.duplicate_5_grams")
    #expect(try reason("a b c d e a b c d f", "gopher.duplicate_n_grams") == nil)
  }

  @Test(arguments: 0..<40 as Range<UInt64>) func nGramsLikeTheNaiveOnes(seed: UInt64) throws {
    var dice = Dice(state: seed)
    let vocabulary = Int.random(in: 2...60, using: &dice)
    let count = Int.random(in: 0...300, using: &dice)
    let spread = Int.random(in: 0...1, using: &dice)
    var words: [String] = []
    while words.count < count {
      if spread == 1, words.count > 20, Int.random(in: 0..<12, using: &dice) == 0 {
        let start = Int.random(in: 0..<words.count - 12, using: &dice)
        words += words[start..<start + 12]
      } else {
        words.append(
          String(repeating: "é", count: Int.random(in: 0...3, using: &dice))
            + "w\(Int.random(in: 0..<vocabulary * (1 + 20 * spread), using: &dice))")
      }
    }
    let text = words.joined(separator: " ")
    for scale in [0.25, 0.5, 1, 1.5, 2, 3] {
      var limits = FilterConfiguration.GopherRepetition()
      for index in limits.topNGrams.indices { limits.topNGrams[index].share *= scale }
      for index in limits.duplicateNGrams.indices { limits.duplicateNGrams[index].share *= scale }
      let found = try reason(text, "gopher.top_n_grams,gopher.duplicate_n_grams") { $0.gopherRepetition = limits }
      #expect(found == Naive.nGramReason(text, limits), "scale \(scale)")
    }
  }

  @Test(arguments: ["\r\n", "\r"]) func lineEndsDecideNothing(ending: String) throws {
    let sentences = ["The day was fine.", "We went to the river.", "It was warm, and the water was low.", "- a", "so…", "x{"]
    var dice = Dice(state: 7)
    for _ in 0..<200 {
      let lines = (0..<Int.random(in: 1...30, using: &dice)).map { _ in (sentences + ["", ""]).randomElement(using: &dice) ?? "" }
      for rule in FilterRule.allCases {
        #expect(try reason(lines.joined(separator: ending), rule.rawValue) == reason(lines.joined(separator: "\n"), rule.rawValue))
      }
    }
  }

  @Test(arguments: 0..<20 as Range<UInt64>) func linesLikeTheNaiveOnes(seed: UInt64) throws {
    var dice = Dice(state: seed)
    let lines =
      (0..<40).map { _ in ["", " ", "x", "été y", "z\t"].randomElement(using: &dice) ?? "" }
      + (0..<Int.random(in: 0...80, using: &dice)).map { "line \($0)" }
    let text = lines.shuffled(using: &dice).joined(separator: "\n")
    let naive = Naive.repeatedLines(text)
    let share = Double(naive.repeated) / Double(naive.total)
    for limit in [share - 1e-9, share + 1e-9] {
      let found = try reason(text, "gopher.duplicate_lines") { $0.gopherRepetition.duplicateLineShare = limit }
      #expect((found != nil) == (share > limit))
    }
    let characters = Double(naive.characters) / Double(Naive.length(text))
    for limit in [characters - 1e-9, characters + 1e-9] {
      let found = try reason(text, "gopher.duplicate_line_characters") { $0.gopherRepetition.duplicateLineCharacterShare = limit }
      #expect((found != nil) == (characters > limit))
    }
  }
}

@Suite struct C4Tests {
  private func verdict(_ text: String, _ rules: String = "c4", minimumSentences: Int = 1) throws -> Verdict {
    var configuration = FilterConfiguration(rules: try FilterRules(parsing: rules))
    configuration.c4.minimumSentences = minimumSentences
    var judge = DocumentJudge(configuration)
    return judge.judge(Array(text.utf8))
  }

  private func kept(_ text: String, _ rules: String = "c4") throws -> String? {
    let verdict = try verdict(text, rules)
    guard verdict.reason == nil else { return nil }
    return String(decoding: verdict.text ?? Array(text.utf8), as: UTF8.self)
  }

  @Test func takesLinesOut() throws {
    let text = """
        A first good line.
      No terminal mark here
      Too short.
      Please enable JavaScript in your browser!
      Read our Privacy Policy before you go on.
      And then it goes on...
      A last "good line"
      """
    #expect(try kept(text) == "A first good line.\nA last \"good line\"")
    let removed = try verdict(text).removedLines
    #expect(removed == [.noTerminalPunctuation: 2, .shortLines: 1, .javascript: 1, .policy: 1])
    #expect(
      try kept("A line without its end\nAnd one more with it.", "c4,-c4.no_terminal_punctuation")
        == "A line without its end\nAnd one more with it.")
  }

  @Test func longWords() throws {
    let long = String(repeating: "x", count: 1_001)
    #expect(try kept("One two three.\nOne two \(long).") == "One two three.")
    #expect(try kept("One two three.\nOne two \(String(long.dropLast(2))).") != "One two three.")
  }

  @Test func citations() throws {
    #expect(try kept("It is so[12] and so[].\nNo [edit] a [citation needed] b [12x].") == "It is so and so.\nNo  a  b [12x].")
  }

  @Test func dropsDocuments() throws {
    #expect(try verdict("Here is Lorem Ipsum dolor.").reason == "c4.lorem_ipsum")
    #expect(try verdict("Here is if (x) { y }.").reason == "c4.curly_bracket")
    #expect(try verdict("Here is { without an end\nHere is one with it.").reason == nil)
    #expect(try verdict("").reason == "c4.too_few_sentences")
    #expect(try verdict("A good line here.", minimumSentences: 2).reason == "c4.too_few_sentences")
  }

  @Test(arguments: [
    ("One here. Two here! Three here?", 3), ("One here e.g. this. Two (so.) Three \"so.\" Four", 4), ("By J. K. Rowling.", 1),
    ("It is 3.14 and v1.2.3 of it.", 1), ("Really?! Yes...", 2), ("no end", 1),
  ]) func countsSentences(text: String, count: Int) throws {
    #expect(try verdict(text, "c4.too_few_sentences", minimumSentences: count).reason == nil)
    #expect(try verdict(text, "c4.too_few_sentences", minimumSentences: count + 1).reason == "c4.too_few_sentences")
  }
}

@Suite struct FineWebTests {
  @Test func punctuation() throws {
    let lines = (0..<8).map { "line \($0)" }
    // 1 of 9, then 1 of 8.
    #expect(try reason((lines + ["end."]).joined(separator: "\n"), "fineweb.few_punctuated_lines") == "fineweb.few_punctuated_lines")
    #expect(try reason((lines.dropLast() + ["end."]).joined(separator: "\n\n"), "fineweb.few_punctuated_lines") == nil)
    for end in ["!", "?", "。", "؟"] { #expect(try reason("x" + end, "fineweb.few_punctuated_lines") == nil, "\(end)") }
    for end in [",", "\"", "'", "…", "”", ". "] {
      #expect(try reason("x" + end, "fineweb.few_punctuated_lines") == "fineweb.few_punctuated_lines", "\(end)")
    }
    #expect(try reason(" \n", "fineweb") == "fineweb.few_punctuated_lines")
  }

  @Test func shortLines() throws {
    let thirty = String(repeating: "é", count: 30)
    #expect(try reason("\(thirty)\n\(thirty)\n\(thirty)é", "fineweb.many_short_lines") == nil)  // 0.667
    #expect(try reason("\(thirty)\n\(thirty)\n\(thirty)\n\(thirty)é", "fineweb.many_short_lines") == "fineweb.many_short_lines")
  }

  @Test func repeatedLines() throws {
    let body = String(repeating: "w", count: 992)
    #expect(try reason("\(body)\nabcd\nabcd", "fineweb.repeated_line_characters") == nil)  // 4 of 1,000
    #expect(try reason("\(body)\nabcdefghijk\nabcdefghijk", "fineweb.repeated_line_characters") == "fineweb.repeated_line_characters")
  }

  @Test func lists() throws {
    #expect(try reason("a b c\nd e f\n g h i j\n", "fineweb.list_like") == nil)  // 3 of 10
    #expect(try reason("a b c\nd e f\n g h i\n", "fineweb.list_like") == "fineweb.list_like")
  }
}
