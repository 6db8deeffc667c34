import Deduplication
import Documents
import Foundation
import Pipeline
import Primitives
import Synchronization
import TestSupport
import Testing

/// The rules, written down plainly: lists of words in lower case. Texts have ASCII letters and digits, blanks and punctuation.
private enum Naive {
  static func words(_ text: String) -> [String] {
    let words = text.lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init)
    return words.isEmpty ? text.split(separator: " ").map(String.init) : words
  }

  static func grams(_ words: [String], _ n: Int) -> Set<[String]> {
    words.count < n ? [] : Set((0...words.count - n).map { Array(words[$0..<$0 + n]) })
  }

  /// For each text the reason to drop it, nil to keep it.
  static func reasons(_ texts: [String], against: [String], _ c: DecontaminationConfiguration) -> [String?] {
    let documents = texts.map(words)
    let evaluation = against.map(words).filter { $0.count >= min(c.minimumWords, max(c.words, c.coverWords)) && !$0.isEmpty }
    /// The n-grams of evaluation texts that are not common in the documents.
    func rare(_ of: [String], _ n: Int) -> Set<[String]> {
      grams(of, n).filter { gram in c.commonDocuments == 0 || documents.count { grams($0, n).contains(gram) } <= c.commonDocuments }
    }
    let runs = evaluation.map { c.words == 0 ? [] : rare($0, min(c.words, $0.count)) }
    let covers = evaluation.map { c.coverWords == 0 ? [] : rare($0, c.coverWords) }
    return documents.map { document in
      let holdsRun = runs.contains { gram in gram.contains { grams(document, $0.count).contains($0) } }
      if holdsRun { return "words_in_a_row" }
      guard c.coverWords > 0 else { return nil }
      let mine = grams(document, c.coverWords)
      return covers.contains { !$0.isEmpty && Double($0.intersection(mine).count) / Double($0.count) >= c.coverShare }
        ? "share_of_ngrams" : nil
    }
  }
}

/// Documents in batches, and what comes out of a chain.
final class Batches: Source, Sink {
  typealias Input = [Document]
  typealias Output = [Document]
  private var waiting: [[Document]]
  private(set) var kept: [Document] = []

  init(_ documents: [Document], size: Int) {
    waiting = stride(from: 0, to: documents.count, by: size).map { Array(documents[$0..<min($0 + size, documents.count)]) }
  }

  var stages: Stages<[Document], [Document]> { Stages() }
  func next() throws -> [Document]? { waiting.isEmpty ? nil : waiting.removeFirst() }
  func finish() throws {}
  func write(_ batch: [Document], accounts: [Account]) throws { kept += batch }
  func commit() throws -> [Account] { [] }
  func discard() {}
}

private final class Rejects: RejectWriter {
  private let written = Mutex<[Reject]>([])
  var rejects: [Reject] { written.withLock { $0 } }
  func write(_ rejects: [Reject]) throws { written.withLock { $0 += rejects } }
  func commit() throws {}
}

private struct Run {
  var kept: [String]
  var account: Account
  var rejects: [Reject]
  var losses: [DomainLosses.Domain]
}

private func run(
  _ texts: [String], against: [String], _ configuration: DecontaminationConfiguration = .init(), by: String? = nil, batch: Int = 7,
  threads: Int = 1
) throws -> Run {
  let index = try EvaluationIndex(
    against.enumerated().map { Document(id: "e\($0)", text: Array($1.utf8), origin: "dir/eval.jsonl:\($0 + 1)") },
    configuration: configuration)
  let documents = texts.enumerated().map {
    Document(
      id: "\($0)", text: Array($1.utf8), source: $0 % 2 == 0 ? "even" : nil,
      members: $0 % 3 == 0 ? Array("\"metadata\": {\"domain\": \"third\"}".utf8) : [], origin: "in:\($0 + 1)")
  }
  let (source, sink, rejects, losses) = (Batches(documents, size: batch), Batches([], size: 1), Rejects(), DomainLosses(by: by))
  var chain = Chain<[Document]>()
  if configuration.commonDocuments > 0 {
    chain.append(DecontaminationBarrier(index, losses: losses))
  } else {
    chain.append(Decontaminate(index, losses: losses))
  }
  let accounts = try chain.run(from: source, to: sink, threads: threads, rejects: rejects)
  var account = try #require(accounts.last)
  account.seconds = 0
  return Run(
    kept: sink.kept.map { String(decoding: $0.text, as: UTF8.self) }, account: account, rejects: rejects.rejects, losses: losses.sorted)
}

@Suite struct DecontaminateTests {
  @Test(arguments: 0..<24 as Range<UInt64>) func asThePlainRulesSay(seed: UInt64) throws {
    var dice = Dice(state: seed)
    var configuration = DecontaminationConfiguration()
    configuration.words = [0, 3, 5, 13][Int(seed % 4)]
    configuration.coverWords = seed % 4 == 0 ? 2 : [0, 2, 4][Int(seed % 3)]
    configuration.minimumWords = Int.random(in: 1...6, using: &dice)
    configuration.coverShare = [0.3, 0.5, 0.8, 1][Int(seed / 4 % 4)]
    configuration.commonDocuments = [0, 1, 5, 40][Int(seed / 2 % 4)]
    func text(_ words: ClosedRange<Int>) -> String {
      (0..<Int.random(in: words, using: &dice)).map { _ in
        ["A", "bee", "Bee,", "7", "8", "don't", "—", "end.", "x1"].randomElement(using: &dice) ?? ""
      }.joined(separator: " ")
    }
    let against = (0..<8).map { _ in text(0...14) } + ["a bee 7 8 don't end x1 a bee 7 8 don't end x1 a"]
    let texts = (0..<300).map { _ in text(0...30) }
    let expected = Naive.reasons(texts, against: against, configuration)
    let found = try run(texts, against: against, configuration)
    #expect(found.kept == zip(texts, expected).filter { $1 == nil }.map(\.0))
    #expect(found.account.isBalanced && found.account.input == texts.count)
    var counts: [String: Int] = [:]
    for reason in expected { if let reason { counts[reason, default: 0] += 1 } }
    #expect(found.account.dropped == counts)
    let again = try run(texts, against: against, configuration, batch: 64, threads: 3)
    #expect(again.kept == found.kept && again.rejects == found.rejects && again.account == found.account && again.losses == found.losses)
  }

  @Test func saysWhatMatchedWhat() throws {
    let question = "Which of the following planets of our solar system has the largest number of known moons today?"
    let inside =
      "An old quiz asked: WHICH of the following planets, of our solar-system: which? Which of the following planets of "
      + "our solar system has the largest   number of known\nmoons today? Nobody knew."
    let numbers = question.replacing("planets", with: "21 planets")
    let found = try run([inside, "Nothing of the kind.", numbers], against: ["too short", question])
    #expect(found.kept == ["Nothing of the kind."])
    #expect(found.rejects.map(\.origin) == ["in:1", "in:3"])
    let reason = try #require(found.rejects.first?.reason)
    #expect(
      reason
        == "words_in_a_row: 13 words of dir/eval.jsonl:2: \"WHICH of the following planets, of our solar-system: which? Which of the following\""
        || reason
          == "words_in_a_row: 13 words of dir/eval.jsonl:2: \"Which of the following planets of our solar system has the largest number\""
    )
    #expect(found.account.extra == ["from eval.jsonl": 2])
  }

  @Test func numbersStandForThemselves() throws {
    let question = "If Ann has 12 apples and gives 5 to Bob how many does she have"
    #expect(try run([question.replacing("12", with: "13"), question], against: [question]).kept.count == 1)
  }

  /// Another form of the same text is found, in every script.
  @Test(arguments: [
    "мой твой свой край май рай бой строй", "thủ đô của nước Việt Nam ở đâu", "Ποια είναι η πρωτεύουσα της Ελλάδας και της Κύπρου σήμερα;",
    "Wie heißt die größte Straße über den großen Fluß", "Türkiye'nin başkenti hangi şehirdir ve ışık hızı nedir",
    "대한민국의 수도는 어디이고 그 인구는 모두 얼마나 됩니까", "भारत की राजधानी कहाँ है और वहाँ क्या फ़र्क़ है", "מַהִי בִּירַת יִשְׂרָאֵל וְכַמָּה תּוֹשָׁבִים יֵשׁ בָּהּ הַיּוֹם",
    "ما هِيَ عاصِمَةُ مِصرَ وَكَم يَبلُغُ عَدَدُ سُكّانِها", "The ﬁrst eﬀect of № ５ on the Ⅳ oﬃce was ½ a mile",
    "เมืองหลวงของประเทศไทยคือเมืองอะไรและมีประชากรจำนวนเท่าไรในปัจจุบัน",
    "つぎの ガギグゲゴ パピプペポ のうち ただしいものは どれですか えらびなさい",
  ]) func foundInEveryForm(question: String) throws {
    let forms = [
      question, question.decomposedStringWithCanonicalMapping, question.precomposedStringWithCanonicalMapping,
      question.decomposedStringWithCompatibilityMapping, question.uppercased(), question.lowercased(),
      question.uppercased().decomposedStringWithCanonicalMapping, question.replacing(" ", with: "\u{A0}—\u{2009}"),
    ]
    for text in forms + forms.map({ "… «\($0)»!" }) {
      #expect(try run([text], against: [question]).kept.isEmpty, "\(text)")
      #expect(try run([question], against: [text]).kept.isEmpty, "\(text)")
    }
  }

  @Test func punctuationSeparatesWords() throws {
    let question = "The house — which was old — stood on the hill near the river bank"
    for text in [
      "The house—which was old—stood on the hill near the river bank",
      "The house – which was old -- stood on the _hill_ near the **river** bank",
      "The house, which was (old), stood on the hill/near the river-bank.",
      "The\u{200B} house\u{AD} which was “old”, stood on the [hill] near the `river` bank",
      "# The house\n| which | was | old | stood | on the hill | near | the | river bank |",
      "The house... which was old; stood on the hill·near the river@bank",
      "The house which was old stood on the [hill](https://en.wikipedia.org/wiki/Hill_(landform) \"Hill\") near the river bank",
      "The house &mdash; which&nbsp;was old &#8212; stood on the <a href=\"x.html\">hill</a> near<br/> the <b>river</b> bank",
    ] {
      #expect(try run([text], against: [question]).kept.isEmpty, "\(text)")
    }
    // No markup: a comparison, a call, and a company.
    for text in ["If a <b and c> d then the house which was old stood", "table[i] (x) and then the AT&T; house is old and"] {
      #expect(try run([text.replacing("b and c", with: "").replacing("x", with: "")], against: [text]).kept.count == 1, "\(text)")
    }
  }

  /// Short phrases of scripts without spaces are no evaluation text, and long ones are.
  @Test func charactersOfScriptsWithoutSpacesCountForLess() throws {
    let long = "这是一段足够长的文字，只是为了让评测集里至少有一段可以使用的文本，除此之外没有任何意思。"
    for phrase in ["下列说法中正确的是", "よろしくお願いします", "いつもお世話になっております", "ขอบคุณมากครับ", "សូមអរគុណច្រើនណាស់", "ကျေးဇူးအများကြီးတင်ပါတယ်"] {
      #expect(try run([phrase], against: [phrase, long]).kept == [phrase])
      for other in ["hello world", ""] {
        let message = errorMessage { _ = try run([phrase], against: [phrase, other]) }
        #expect(message.contains("no evaluation text has 8 words (two Han characters") && message.contains("lower --minimum-words"))
      }
    }
    let question = "下列关于中国古代四大发明之一的造纸术的说法中，哪一项是不正确的？请选择。"
    let exercise = "练习三：下列说法中正确的是哪一个？请阅读课文之后再回答。"
    #expect(try run([exercise, "第五题：" + question + "（二〇二一年）"], against: [question]).kept == [exercise])
    // 26 characters of it are 13 words.
    let characters = question.filter { $0.isLetter }
    #expect(try run(["前\(characters.prefix(26))后", "前\(characters.prefix(25))后"], against: [question]).kept.count == 1)
    // Latin words among them count as words.
    let mixed = "请用 Python 编写一个 function 计算 Fibonacci 数列的第 n 项 and print it"
    #expect(try run(["题目：" + mixed], against: [mixed]).kept.isEmpty)
  }

  @Test func aTextOfSymbolsIsFoundByItsSymbols() throws {
    let art = "(-: :-) <-> <=> !!! ??? *** +++ === %%% &&& ### ~~~ ^^^"
    #expect(try run([art, art.replacing("<", with: ">"), "words"], against: [art]).kept.count == 2)
  }

  @Test func aShareIsEnoughWithoutALongRun() throws {
    let words = (0..<60).map { "w\($0)" }
    var broken = words
    for place in stride(from: 12, to: 60, by: 13) { broken[place] = "else" }
    // A word in 13 is another: no run of 13, and of the 53 8-grams 21 are left.
    var configuration = DecontaminationConfiguration()
    let text = broken.joined(separator: " "), goal = words.joined(separator: " ")
    #expect(try run([text], against: [goal], configuration).kept.count == 1)
    configuration.coverShare = 21.0 / 53
    let found = try run([text], against: [goal], configuration)
    #expect(found.account.dropped == ["share_of_ngrams": 1])
    #expect(found.rejects.first?.reason.hasPrefix("share_of_ngrams: 39 % of the 8-grams of dir/eval.jsonl:1, the first: \"w0 w1") == true)
    configuration.coverShare = 22.0 / 53
    #expect(try run([text], against: [goal], configuration).kept.count == 1)
  }

  @Test func commonGramsDoNotCount() throws {
    let boilerplate = (0..<20).map { "b\($0)" }.joined(separator: " ")
    let question = (0..<20).map { "q\($0)" }.joined(separator: " ")
    let texts = (0..<11).map { "d\($0) \(boilerplate)" } + [question]
    let against = ["\(question) \(boilerplate)"]
    var configuration = DecontaminationConfiguration()
    let found = try run(texts, against: against)
    #expect(found.kept == Array(texts.dropLast()))
    #expect(found.account.extra["common n-grams left out"] == 21)
    #expect(found.account.extra["kept with common n-grams only"] == 11)
    configuration.commonDocuments = 11
    #expect(try run(texts, against: against, configuration).kept.isEmpty)
    configuration.commonDocuments = 0
    #expect(try run(texts, against: against, configuration).kept.isEmpty)
    // A document counts once, however often it repeats an n-gram.
    #expect(try run([String(repeating: boilerplate + " ", count: 30)], against: against).kept.isEmpty)
  }

  @Test func cutsMatchesWithAMargin() throws {
    let question = (0..<13).map { "q\($0)" }.joined(separator: " ")
    func filler(_ letter: String, _ characters: Int) -> String { String(repeating: letter, count: characters - 1) + " " }
    var configuration = DecontaminationConfiguration()
    configuration.cuts = true
    func cut(_ text: String) throws -> Run { try run([text], against: [question], configuration) }
    // 200 characters go on each side, and two pieces stay, one of exactly 200 characters.
    let text = filler("é", 400) + question + filler(".", 200) + filler("z", 300)
    let found = try cut(text)
    #expect(found.kept == [String(repeating: "é", count: 200) + "\n\n" + filler("z", 300)])
    #expect(found.account.extra == ["cut": 1, "from eval.jsonl": 1])
    #expect(found.account.bytesOut < found.account.bytesIn && found.account.isBalanced)
    let reason = "13 words of dir/eval.jsonl:1: \"\(question)\""
    #expect(found.rejects.map(\.reason) == ["cut: " + reason])
    #expect(found.rejects.first?.removedBytes == found.account.bytesIn - found.account.bytesOut)
    #expect(found.losses.first?.cut == 1 && found.losses.first?.removedBytes == found.account.bytesIn - found.account.bytesOut)
    // A piece of 199 characters goes too.
    #expect(try cut(filler("é", 399) + question + filler(".", 200) + filler("z", 300)).kept == [filler("z", 300)])
    let short = try cut(filler("a", 300) + question + " " + filler("z", 300))
    #expect(short.account.dropped == ["short_pieces": 1])
    #expect(short.rejects.map(\.reason) == ["short_pieces: " + reason] && short.rejects.first?.removedBytes == nil)
    // Ten pieces stay, eleven do not.
    let between = filler("m", 650)
    for (matches, kept) in [(9, 1), (10, 0)] {
      let many = filler("a", 650) + Array(repeating: question, count: matches).joined(separator: " " + between) + " " + filler("z", 650)
      let found = try cut(many)
      #expect(found.kept.count == kept)
      let start = kept == 1 ? "cut: " : "too_many_pieces: "
      #expect(found.rejects.map(\.reason) == [start + Array(repeating: reason, count: matches).joined(separator: "; ")])
    }
    #expect(try cut("Nothing to cut").kept == ["Nothing to cut"])
  }

  @Test func cutsTheNGramsOfAShare() throws {
    let words = (0..<40).map { "w\($0)" }
    var configuration = DecontaminationConfiguration()
    (configuration.cuts, configuration.coverShare, configuration.margin) = (true, 0.3, 5)
    var broken = words
    for place in stride(from: 12, to: 40, by: 13) { broken[place] = "else" }
    let (before, after) = (String(repeating: "a ", count: 150), String(repeating: "z ", count: 150))
    let found = try run([before + broken.joined(separator: " ") + " " + after], against: [words.joined(separator: " ")], configuration)
    #expect(found.kept == [String(before.dropLast(5)) + "\n\n w39 " + after])
  }

  @Test func lossesByMember() throws {
    let question = (0..<13).map { "q\($0)" }.joined(separator: " ")
    func names(_ by: String) throws -> [String] {
      let found = try run(["a", question, question, "b", "c"], against: [question], by: by)
      #expect(found.losses.map(\.documents).reduce(0, +) == 5)
      return found.losses.map(\.name)
    }
    #expect(try names("metadata.domain") == ["(none)", "third"])
    #expect(try names("source") == ["(none)", "even"])
    #expect(try names("file") == ["in"])
    #expect(try names("nope") == ["(none)"])
  }

  @Test func lossesByDomain() throws {
    let question = (0..<13).map { "q\($0)" }.joined(separator: " ")
    let found = try run(["a", question, question, "b", "c"], against: [question])
    #expect(found.losses.map(\.name) == ["even", "in", "third"])
    #expect(found.losses.map(\.documents) == [2, 1, 2])
    #expect(found.losses.map(\.dropped) == [1, 1, 0])
    #expect(found.losses.map(\.removedBytes) == [question.utf8.count, question.utf8.count, 0])
  }

  @Test func badSettingsAndTextsAreNamed() throws {
    func message(_ against: [String], _ change: (inout DecontaminationConfiguration) -> Void) -> String {
      var configuration = DecontaminationConfiguration()
      change(&configuration)
      do {
        _ = try run([], against: against, configuration)
        return "nothing"
      } catch { return "\(error)" }
    }
    #expect(message(["a b c"]) { _ in }.contains("dir/eval.jsonl:1: no evaluation text has 8 words"))
    #expect(message([]) { _ in }.contains("--against"))
    #expect(message(["a"]) { $0.words = -1 }.contains("--words"))
    #expect(message(["a"]) { ($0.words, $0.coverWords) = (0, 0) }.contains("--words"))
    #expect(message(["a"]) { $0.coverShare = 1.5 }.contains("--cover-share"))
    #expect(message(["a"]) { $0.minimumWords = 0 }.contains("--minimum-words"))
    #expect(message(["a"]) { $0.commonDocuments = -1 }.contains("--common-documents"))
    #expect(message(["a"]) { $0.minimumWords = 1 } == "nothing")
  }
}

@Suite struct EvaluationTextsTests {
  private func read(_ lines: String, _ fields: String...) throws -> [String] {
    try withTemporaryFolder { folder in
      let path = "\(folder)/eval.jsonl"
      try Data(lines.utf8).write(to: URL(fileURLWithPath: path))
      return try EvaluationTexts([path], fields: fields).texts.map { String(decoding: $0.text, as: UTF8.self) }
    }
  }

  @Test func listsAndMembersOfMembers() throws {
    #expect(try read(#"{"choices":["a","b"]}"#, "choices") == ["a", "b"])
    #expect(try read(#"{"q":"x","choices":{"text":["a","b"],"label":["A","B"]}}"#, "q", "choices.text") == ["x", "a", "b"])
    #expect(try read(#"{"choices":[{"text":"a"},{"text":"b"},{"label":1}]}"#, "choices.text") == ["a", "b"])
    #expect(try read(#"{"a":{"b":{"c":"deep"}}}"#, "a.b.c") == ["deep"])
    #expect(try read(#"{"a.b":"flat","a":{"b":"nested"}}"#, "a.b") == ["flat"])
    #expect(try read(#"{"a.b":{"c":"mixed"}}"#, "a.b.c") == ["mixed"])
    #expect(try read(#"{"a":[["x",["y"]],null,7,2.5,[]]}"#, "a") == ["x", "y", "7", "2.5"])
    #expect(try read(#"{"a":[{"b":7},{"b":"x"}]}"#, "a.b") == ["7", "x"])
    #expect(try read("{\"q\":\"one\"}\r\n\n{\"p\":\"two\"}\n", "q", "p") == ["one", "two"])
    #expect(try read(#"{"q":null,"p":"two"}"#, "q", "p") == ["two"])
  }

  @Test func whatHoldsNoTextIsNamed() {
    func message(_ lines: String, _ fields: String...) -> String { errorMessage { _ = try read(lines, fields[0]) } }
    #expect(message("{\"q\":\"a\"}\n{\"p\":\"a\"}", "q").contains("eval.jsonl:2: no q; set --against-field"))
    #expect(message(#"{"q":{"text":"a"}}"#, "q").contains("q holds an object; name a member of it, such as --against-field q.text"))
    #expect(message(#"{"q":{"text":"a"}}"#, "q.txt").contains("no q.txt"))
    #expect(message(#"{"q":[]}"#, "q").contains("no evaluation texts"))
    for value in ["42", "true"] { #expect(message("{\"q\":\(value)}", "q").contains("eval.jsonl:1: q is not a string")) }
    #expect(message(#"{"q":[{}]}"#, "q").contains("q holds an object"))
    let typo = errorMessage { _ = try read("{\"q\":\"one\",\"r\":\"two\"}\n{\"q\":\"one\"}", "q", "r", "rr") }
    #expect(typo.contains("eval.jsonl: no line has rr; correct or remove --against-field rr"))
    #expect(message("[1]", "q").contains("not an object"))
    #expect(message("{\"q\":", "q").contains("eval.jsonl:1"))
  }
}
