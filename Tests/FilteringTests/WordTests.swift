import Filtering
import Testing

/// Words as spaCy 3.8's English tokenizer cuts them, by which datatrove counts; `make parity` compares whole corpora.
@Suite struct WordTests {
  @Test(arguments: [
    ("I can't, e.g., re-read (the U.S. paper) at 10am...", "I ca n't , e.g. , re - read ( the U.S. paper ) at 10 am ..."),
    ("See 8) and https://a.example.org/x?y=1, 5km; foo/bar a=b", "See 8) and https://a.example.org/x?y=1 , 5 km ; foo / bar a = b"),
    ("x--y 50%.", "x -- y 50 % ."),
    ("don't-care 日本語。テキスト «été» US$5 3+4 C++ :-) \"q.\" 'tis", "don't - care 日本語。テキスト « été » US$ 5 3 + 4 C++ :-) \" q. \" ' tis"),
  ]) func cutsLikeTheFilters(text: String, words: String) {
    #expect(WordForms.words(text) == words.split(separator: " ").map(String.init))
  }

  @Test(arguments: 0..<50 as Range<UInt64>) func losesNothing(seed: UInt64) {
    var dice = Dice(state: seed)
    let parts = ["a", "B", "9", ".", "..", ",", "'", "s", "n't", "(", ")", "-", "é", "中", "😀", "…", "/", "@", ":", "km", "$", "\u{301}"]
    let spans = (0..<40).map { _ in
      (0..<Int.random(in: 1...12, using: &dice)).map { _ in parts.randomElement(using: &dice) ?? "" }.joined()
    }
    let words = WordForms.words(spans.joined(separator: " "))
    #expect(Array(words.joined().utf8) == Array(spans.joined().utf8))
    // A span is cut alike wherever it stands, and out of the table as at first.
    #expect(spans.flatMap { WordForms.words($0) } == words)
    #expect(WordForms.words((spans + spans).joined(separator: "\n")) == words + words)
  }

  @Test func longStretchesTakeLinearTime() {
    for part in [")", ".", "a@", "a.", "'s", "-", "8)"] {
      let text = String(repeating: part, count: 20_000)
      #expect(WordForms.words(text).joined() == text)
    }
  }
}

@Suite struct PersonalDataTests {
  private func masked(_ text: String) throws -> String? {
    var configuration = FilterConfiguration(rules: try FilterRules(parsing: "none"))
    configuration.masksPersonalData = true
    var judge = DocumentJudge(configuration)
    return judge.judge(Array(text.utf8)).text.map { String(decoding: $0, as: UTF8.self) }
  }

  @Test func replacesInTurn() throws {
    #expect(
      try masked("Mail a.b+c@x-y.example.org, <d@e.fr>; f@g.co.uk.")
        == "Mail email@example.com, <firstname.lastname@example.org>; email@example.com.")
    #expect(try masked("8.8.8.8 and 1.1.1.1:53") == "22.214.171.124 and 126.96.36.199:53")
  }

  @Test(arguments: [
    "a@b", "@b.com", "a@-b.com", "x@y..z", "10.0.0.1 192.168.1.1 127.0.0.1 169.254.0.1", "1.2.3", "8.8.08.8", "300.300.3.3", "",
  ])
  func leavesOthers(text: String) throws {
    #expect(try masked(text) == nil)
  }
}
