import Corpus
import Pipeline
import Primitives
import Storage
import Testing
import Tokenization

@Suite struct StageTests {
  private func tokenizer() throws -> Tokenizer { try TrainerTests.train(TrainerTests.texts(seed: 8, count: 60), vocabulary: 320) }

  private func documents() -> [Document] {
    TrainerTests.texts(seed: 11, count: 30).enumerated().map { index, text in
      Document(
        id: "d\(index)", text: text, source: index % 2 == 0 ? "even" : nil, members: Array("\"n\": \(index)".utf8), origin: "f:\(index)")
    }
  }

  @Test func thereAndBack() throws {
    let tokenizer = try tokenizer()
    let documents = documents()
    let there = TokenizeDocuments(tokenizer)
    var ledger = Ledger(names: there.names)
    let tokens = try there.apply(documents, ledger: &ledger, offset: 0)
    #expect(ledger.accounts[0].isBalanced)
    #expect(ledger.accounts[0].input == documents.count)
    #expect(ledger.accounts[0].extra["tokens"] == Double(tokens.reduce(0) { $0 + $1.tokens.count }))
    #expect(zip(documents, tokens).allSatisfy { $1.tokens == tokenizer.encode($0.text) && $1.bytes == $0.text.count })
    // A second batch finds a warm cache: same tokens.
    #expect(try there.apply(documents, ledger: &ledger, offset: 0) == tokens)

    // Special tokens in a text are text unless they are allowed.
    let special = [Document(id: "s", text: Array("ab<|endoftext|>".utf8))]
    #expect(try !there.apply(special, ledger: &ledger, offset: 0)[0].tokens.contains(0))
    #expect(try TokenizeDocuments(tokenizer, allowsSpecials: true).apply(special, ledger: &ledger, offset: 0)[0].tokens.last == 0)

    let back = DetokenizeDocuments(tokenizer)
    ledger = Ledger(names: back.names)
    #expect(try back.apply(tokens, ledger: &ledger, offset: 0) == documents)
    #expect(ledger.accounts[0].isBalanced)
  }

  @Test func documentsOfAnotherTokenizerAreQuarantined() throws {
    let tokenizer = try tokenizer()
    let lone = try #require(tokenizer.token(of: [0xC3]))
    let letter = try #require(tokenizer.token(of: [97]))
    let end = try #require(tokenizer.endOfDocument)
    let stage = DetokenizeDocuments(tokenizer)
    var ledger = Ledger(names: stage.names, keepsRejects: true)
    let documents = [[letter], [letter, 70_000], [lone], [letter, end]].enumerated().map {
      TokenDocument(id: "d\($0.offset)", origin: "f:\($0.offset)", bytes: 0, tokens: $0.element)
    }
    let output = try stage.apply(documents, ledger: &ledger, offset: 0)
    #expect(output.map(\.text) == [[97], [97]])
    #expect(ledger.accounts[0].quarantined == ["token outside the vocabulary": 1, "tokens are not UTF-8": 1])
    #expect(ledger.accounts[0].isBalanced)
    #expect(ledger.rejects.map(\.origin) == ["f:1", "f:2"])
  }

  @Test func reportCounts() throws {
    let tokenizer = try tokenizer()
    let documents = documents()
    let report = TokenizerReport(tokenizer, documents: documents, longest: 5)
    #expect(report.vocabulary == tokenizer.vocabularySize)
    #expect(report.longest.count == 5)
    #expect(report.longest.map(\.bytes) == report.longest.map(\.bytes).sorted(by: >))
    #expect(report.overall.bytes == documents.reduce(0) { $0 + $1.text.count })
    #expect(report.bySource.values.reduce(0) { $0 + $1.tokens } == report.overall.tokens)
    #expect(Set(report.bySource.keys) == ["even", ""])
    #expect(report.used > 0 && report.used <= 1)
    #expect(report.specials.map(\.text) == ["<|endoftext|>"])
    let copy = try JSONFile.decode(TokenizerReport.self, from: try JSONFile.encode(report), place: "report")
    #expect(copy == report)
    #expect(TokenizerReport(tokenizer).overall.bytesPerToken == 0)
  }
}
