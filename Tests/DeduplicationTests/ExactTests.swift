import Corpus
import Deduplication
import Pipeline
import Testing

/// Runs exact deduplication over batches of a given size.
func exact(_ texts: [String], _ unit: ExactUnit = .documents, batch: Int = 1_000, minimumParagraphBytes: Int = 0) -> (
  texts: [String], account: Account, rejects: [Reject]
) {
  var configuration = DeduplicationConfiguration()
  configuration.minimumParagraphBytes = minimumParagraphBytes
  let stage = HashDocuments(unit, configuration: configuration)
  var deduplicator = ExactDeduplicator(unit, record: { $0.text })
  var kept: [Document] = []
  var rejects: [Reject] = []
  let documents = texts.enumerated().map { Document(id: "\($0)", text: $1) }
  for start in stride(from: 0, to: documents.count, by: batch) {
    var ledger = Ledger(names: stage.names)
    kept += deduplicator.admit(stage.apply(Array(documents[start..<min(start + batch, documents.count)]), ledger: &ledger, offset: 0))
    rejects += deduplicator.takeRejects()
  }
  return (kept.map { String(decoding: $0.text, as: UTF8.self) }, deduplicator.account, rejects)
}

@Suite struct ExactTests {
  @Test func keepsTheFirst() {
    let found = exact(["b", "a", "b", "B", " b\n", "a b", "a \t\u{A0}\u{3000} b", "ab", ""])
    #expect(found.texts == ["b", "a", "B", "a b", "ab", ""])
    #expect(found.account.dropped == ["exact_duplicate": 3])
    #expect(found.account.isBalanced)
    #expect(found.rejects.map { String(decoding: $0.record, as: UTF8.self) } == ["b", " b\n", "a \t\u{A0}\u{3000} b"])
  }

  @Test func emptyTextsAreEqual() {
    #expect(exact(["", " ", "\n\n", "\u{2003}"]).texts == [""])
  }

  @Test(arguments: 0..<8 as Range<UInt64>) func likeASetOfStrings(seed: UInt64) {
    var dice = Dice(state: seed)
    let texts = (0..<3_000).map { _ in
      (0..<Int.random(in: 0...3, using: &dice)).map { _ in ["a", "é", "b  ", "\n", "\u{2028}", "7", "日"].randomElement(using: &dice) ?? "" }
        .joined(separator: " ")
        + "\(Int.random(in: 0..<900, using: &dice))"
    }
    var seen: Set<[String]> = []
    let naive = texts.filter { text in
      seen.insert(text.unicodeScalars.split { $0.properties.isWhitespace }.map { String(String.UnicodeScalarView($0)) }).inserted
    }
    for batch in [1, 7, 5_000] { #expect(exact(texts, batch: batch).texts == naive) }
  }

  @Test func manyDocumentsInLittleMemory() {
    var deduplicator = ExactDeduplicator()
    let stage = HashDocuments()
    var ledger = Ledger(names: [])
    let documents = (0..<30_000).map { Document(id: "", text: "\($0 % 20_000)") }
    #expect(deduplicator.admit(stage.apply(documents, ledger: &ledger, offset: 0)).count == 20_000)
    #expect(deduplicator.memory <= 20_000 * 26)
  }
}

@Suite struct ParagraphTests {
  @Test func blankLinesSeparate() {
    let found = exact(["one\ntwo\n\nthree\n", "new\n\none\n two\n\nend\n", "three\n\none\ntwo"], .paragraphs)
    #expect(found.texts == ["one\ntwo\n\nthree\n", "new\n\nend\n"])
    #expect(found.account.dropped == ["duplicate_paragraphs": 1])
    #expect(found.account.extra["removed_paragraphs"] == 3)
    #expect(found.account.extra["changed_documents"] == 1)
    #expect(found.account.extra["removed_bytes"] == 10)
    #expect(found.account.isBalanced)
  }

  @Test func linesWhereNoBlankLine() {
    #expect(exact(["a\nb\nc", "b\nd\na\ne", "x\r\nd\r\ny"], .paragraphs).texts == ["a\nb\nc", "d\ne", "x\r\ny"])
  }

  @Test func repetitionsInsideADocument() {
    #expect(exact(["a\n\nb\n\na\n\n"], .paragraphs).texts == ["a\n\nb\n\n"])
  }

  @Test func shortOnesAndEmptyTextsStay() {
    #expect(
      exact(["}\nlong enough", "}\nlong  enough\nnew one", "", " \n"], .paragraphs, minimumParagraphBytes: 5).texts == [
        "}\nlong enough", "}\nnew one", "", " \n",
      ])
  }
}
