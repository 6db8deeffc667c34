import Deduplication
import Documents
import Pipeline
import Testing

/// Runs exact deduplication over batches of a given size.
func exact(
  _ texts: [String], _ unit: ExactUnit = .documents, batch: Int = 1_000, minimumParagraphBytes: Int = 0,
  memory: Int = DeduplicationConfiguration.defaultSpillLimit
) throws -> (
  texts: [String], account: Account, rejects: [Reject]
) {
  var configuration = DeduplicationConfiguration()
  configuration.minimumParagraphBytes = minimumParagraphBytes
  let stage = HashDocuments(unit, configuration: configuration)
  let deduplicator = ExactDeduplicator(unit, memory: memory, keepsRejects: true)
  var kept: [Document] = []
  var rejects: [Reject] = []
  let documents = texts.enumerated().map { Document(id: "\($0)", text: $1) }
  for start in stride(from: 0, to: documents.count, by: batch) {
    var tally = Tally(stage: stage.name ?? "")
    kept += try deduplicator.admit(stage.apply(Array(documents[start..<min(start + batch, documents.count)]), tally: &tally))
    rejects += deduplicator.takeRejects()
  }
  try deduplicator.finish { kept += $0 }
  rejects += deduplicator.takeRejects()
  return (kept.map { String(decoding: $0.text, as: UTF8.self) }, deduplicator.account, rejects)
}

@Suite struct ExactTests {
  @Test func keepsTheFirst() throws {
    let found = try exact(["b", "a", "b", "B", " b\n", "a b", "a \t\u{A0}\u{3000} b", "ab", ""])
    #expect(found.texts == ["b", "a", "B", "a b", "ab", ""])
    #expect(found.account.dropped == ["exact_duplicate": 3])
    #expect(found.account.isBalanced)
    let dropped = [("2", "b"), ("4", " b\n"), ("6", "a \t\u{A0}\u{3000} b")].map { Document(id: $0.0, text: $0.1) }
    #expect(found.rejects.map(\.record) == dropped.map(SerializeDocuments.line))
  }

  @Test func emptyTextsAreEqual() throws {
    #expect(try exact(["", " ", "\n\n", "\u{2003}"]).texts == [""])
  }

  @Test(arguments: 0..<8 as Range<UInt64>) func likeASetOfStrings(seed: UInt64) throws {
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
    for batch in [1, 7, 5_000] { #expect(try exact(texts, batch: batch).texts == naive) }
  }

  @Test func manyDocumentsInLittleMemory() throws {
    let deduplicator = ExactDeduplicator()
    let stage = HashDocuments()
    var tally = Tally(stage: "")
    let documents = (0..<30_000).map { Document(id: "", text: "\($0 % 20_000)") }
    var kept = 0
    for start in stride(from: 0, to: documents.count, by: 1_000) {
      kept += try deduplicator.admit(stage.apply(Array(documents[start..<start + 1_000]), tally: &tally)).count
    }
    #expect(kept == 20_000)
    #expect(deduplicator.memory <= 20_000 * 30)
  }
}

@Suite struct ParagraphTests {
  @Test func blankLinesSeparate() throws {
    let found = try exact(["one\ntwo\n\nthree\n", "new\n\none\n two\n\nend\n", "three\n\none\ntwo"], .paragraphs)
    #expect(found.texts == ["one\ntwo\n\nthree\n", "new\n\nend\n"])
    #expect(found.account.dropped == ["duplicate_paragraphs": 1])
    #expect(found.account.extra["removed_paragraphs"] == 3)
    #expect(found.account.extra["changed_documents"] == 1)
    #expect(found.account.extra["removed_bytes"] == 10)
    #expect(found.account.isBalanced)
  }

  @Test func linesWhereNoBlankLine() throws {
    #expect(try exact(["a\nb\nc", "b\nd\na\ne", "x\r\nd\r\ny"], .paragraphs).texts == ["a\nb\nc", "d\ne", "x\r\ny"])
  }

  @Test func repetitionsInsideADocument() throws {
    #expect(try exact(["a\n\nb\n\na\n\n"], .paragraphs).texts == ["a\n\nb\n\n"])
  }

  @Test func shortOnesAndEmptyTextsStay() throws {
    #expect(
      try exact(["}\nlong enough", "}\nlong  enough\nnew one", "", " \n"], .paragraphs, minimumParagraphBytes: 5).texts == [
        "}\nlong enough", "}\nnew one", "", " \n",
      ])
  }

  @Test func linesOfTexts() throws {
    let found = try exact(["a\n\nb\n", " b \nc\n\na", "a\nb"], .lines)
    #expect(found.texts == ["a\n\nb\n", "c"])
    #expect(found.account.dropped == ["duplicate_lines": 1])
    #expect(found.account.extra["removed_lines"] == 4)
    #expect(found.account.isBalanced)
  }

  @Test(arguments: 0..<6 as Range<UInt64>) func sameInLittleMemory(seed: UInt64) throws {
    var dice = Dice(state: seed)
    let texts = (0..<2_000).map { _ in
      (0..<Int.random(in: 0...4, using: &dice)).map { _ in "line \(Int.random(in: 0..<3_000, using: &dice))" }.joined(separator: "\n\n")
    }
    for unit in [ExactUnit.documents, .paragraphs, .lines] {
      let expected = try exact(texts, unit)
      for memory in [0, 60_000, 100_000] {
        let found = try exact(texts, unit, batch: 64, memory: memory)
        #expect(found.texts == expected.texts)
        #expect(found.account == expected.account)
        #expect(found.rejects == expected.rejects)
      }
    }
  }
}

@Suite struct TextPiecesTests {
  /// By the definition, byte by byte.
  private func naive(_ text: [UInt8], merged: Bool) -> [Range<Int>] {
    var pieces: [Range<Int>] = [], start = 0, open = false
    for end in 0...text.count where end == text.count ? start < end : text[end] == 0x0A {
      let blank = text[start..<end].allSatisfy { $0 <= 0x20 }
      if !blank {
        if merged, open { pieces[pieces.count - 1] = pieces[pieces.count - 1].lowerBound..<end } else { pieces.append(start..<end) }
      }
      open = !blank
      start = end + 1
    }
    return pieces
  }

  @Test(arguments: 0..<200) func areThoseOfTheDefinition(seed: Int) {
    var dice = Dice(state: UInt64(seed))
    // Few newlines and many, texts that end within 64 bytes and at them.
    let letters: [UInt8] = Array(repeating: 0x61, count: seed % 40) + [0x0A, 0x0A, 0x20, 0x09, 0x0D, 0xC3, 0x00]
    let text = (0..<Int.random(in: 0...400, using: &dice) / 64 * (seed % 2 == 0 ? 64 : 65)).map { _ in
      letters.randomElement(using: &dice) ?? 0x0A
    }
    let lines = naive(text, merged: false), paragraphs = naive(text, merged: true)
    text.withUnsafeBufferPointer {
      #expect(TextPieces.lines($0) == lines)
      #expect(TextPieces.paragraphs($0) == (paragraphs.count > 1 ? paragraphs : lines))
    }
  }
}
