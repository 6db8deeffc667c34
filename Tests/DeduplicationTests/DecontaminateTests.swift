import Deduplication
import Documents
import Pipeline
import Primitives
import Testing

/// The rules, written down plainly: words in lower case without punctuation, lists of strings.
private enum Naive {
  static func words(_ text: String) -> [String] {
    text.lowercased().split(separator: " ").map { $0.filter { $0.isLetter || $0.isNumber } }.filter { !$0.isEmpty }
  }

  static func grams(_ words: [String], _ n: Int) -> Set<[String]> {
    words.count < n ? [] : Set((0...words.count - n).map { Array(words[$0..<$0 + n]) })
  }

  /// The reason to drop a text, nil to keep it.
  static func reason(_ text: String, against: [String], _ c: DecontaminationConfiguration) -> String? {
    let document = words(text)
    let texts = against.map(words).filter { $0.count >= min(c.minimumWords, max(c.words, c.coverWords)) }
    if c.words > 0, texts.contains(where: { !grams($0, min(c.words, $0.count)).isDisjoint(with: grams(document, min(c.words, $0.count))) })
    {
      return "words_in_a_row"
    }
    guard c.coverWords > 0 else { return nil }
    let mine = grams(document, c.coverWords)
    return texts.contains {
      let theirs = grams($0, c.coverWords)
      return !theirs.isEmpty && Double(theirs.intersection(mine).count) / Double(theirs.count) >= c.coverShare
    } ? "share_of_ngrams" : nil
  }
}

private func run(_ texts: [String], against: [String], _ configuration: DecontaminationConfiguration = .init()) throws -> (
  kept: [String], account: Account, rejects: [Reject]
) {
  let index = try EvaluationIndex(
    against.enumerated().map { Document(id: "e\($0)", text: Array($1.utf8), origin: "dir/eval.jsonl:\($0 + 1)") },
    configuration: configuration)
  let stage = Decontaminate(index)
  var tally = Tally(stage: stage.name ?? "", keepsRejects: true)
  let documents = texts.enumerated().map { Document(id: "\($0)", text: Array($1.utf8), origin: "in:\($0 + 1)") }
  let kept = try stage.apply(documents, tally: &tally)
  return (kept.map { String(decoding: $0.text, as: UTF8.self) }, tally.account, tally.rejects)
}

@Suite struct DecontaminateTests {
  @Test(arguments: 0..<24 as Range<UInt64>) func asThePlainRulesSay(seed: UInt64) throws {
    var dice = Dice(state: seed)
    var configuration = DecontaminationConfiguration()
    configuration.words = [0, 3, 5, 13][Int(seed % 4)]
    configuration.coverWords = seed % 4 == 0 ? 2 : [0, 2, 4][Int(seed % 3)]
    configuration.minimumWords = Int.random(in: 1...6, using: &dice)
    configuration.coverShare = [0.3, 0.5, 0.8, 1][Int(seed / 4 % 4)]
    func text(_ words: ClosedRange<Int>) -> String {
      (0..<Int.random(in: words, using: &dice)).map { _ in
        ["A", "bee", "Bee,", "7", "8", "don't", "—", "end.", "x1"].randomElement(using: &dice) ?? ""
      }.joined(separator: " ")
    }
    let against = (0..<8).map { _ in text(0...14) } + ["a bee 7 8 don't end x1 a bee 7 8 dont end x1 a"]
    let texts = (0..<300).map { _ in text(0...30) }
    let found = try run(texts, against: against, configuration)
    let expected = texts.map { Naive.reason($0, against: against, configuration) }
    #expect(found.kept == zip(texts, expected).filter { $1 == nil }.map(\.0))
    #expect(found.account.isBalanced && found.account.input == texts.count)
    var counts: [String: Int] = [:]
    for reason in expected { if let reason { counts[reason, default: 0] += 1 } }
    #expect(found.account.dropped == counts)
    #expect(!counts.isEmpty || configuration.words == 13)
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
        == "words_in_a_row: 13 words of dir/eval.jsonl:2: \"Which of the following planets of our solar system has the largest number\"")
    #expect(found.account.extra == ["from eval.jsonl": 2])
  }

  @Test func numbersStandForThemselves() throws {
    let question = "If Ann has 12 apples and gives 5 to Bob how many does she have"
    #expect(try run([question.replacing("12", with: "13"), question], against: [question]).kept.count == 1)
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
    #expect(message(["a"]) { $0.minimumWords = 1 } == "nothing")
  }
}
