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
  @Test func strictMaskingLeavesVersionsAlone() throws {
    for text in [
      "OID 1.3.6.1.4.1.311", "npm i react@18.2.0", "npm i @scope/pkg@1.0.0-beta.rc", "v1.2.3.4", "1.2.3.4-rc1", "chrome 120.0.6099.109_1",
      "dead::beef", "std::vector", "12:34:56", "fe80::1", "2001:db8::7", "::1", "a@b", "2001:1:2:3:4:5:6:7:8:9",
    ] { #expect(try masked(text, strictly: true) == nil, "\(text)") }
    #expect(try masked("8.8.8.8, (1.1.1.1:53). 9.9.9.9/24.", strictly: true) == "22.214.171.124, (126.96.36.199:53). 188.8.131.52/24.")
    #expect(
      try masked("at [2606:4700:4700::1111]:53, 2a00:1450:4001:82a:0:0:0:200e: both", strictly: true)
        == "at [2001:db8::1]:53, 2001:db8::2: both")
    #expect(
      try masked("jörg.m@müller.de, 用户@例子.公司 邮箱是user@example.cn谢谢", strictly: true)
        == "email@example.com, firstname.lastname@example.org 邮箱是email@example.com谢谢")
    // As FineWeb masks them.
    #expect(try masked("OID 1.3.6.1.4.1.311") != nil)
    #expect(try masked("npm i react@18.2.0") != nil)
  }

  private func masked(_ text: String, strictly: Bool = false) throws -> String? {
    var configuration = FilterConfiguration(rules: try FilterRules(parsing: "none"))
    configuration.masksPersonalData = true
    configuration.masksStrictly = strictly
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
