import Documents
import Pipeline
import Primitives
import Storage
import Testing
import Tokenization
import Tokens

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
    var tally = Tally(stage: there.name ?? "")
    let tokens = try there.apply(documents, tally: &tally)
    #expect(tally.account.isBalanced)
    #expect(tally.account.input == documents.count)
    #expect(tally.account.extra["tokens"] == Double(tokens.reduce(0) { $0 + $1.tokens.count }))
    #expect(zip(documents, tokens).allSatisfy { $1.tokens == tokenizer.encode($0.text) && $1.bytes == $0.text.count })
    // A second batch finds a warm cache: same tokens.
    #expect(try there.apply(documents, tally: &tally) == tokens)

    // Special tokens in a text are text unless they are allowed.
    let special = [Document(id: "s", text: Array("ab<|endoftext|>".utf8))]
    #expect(try !there.apply(special, tally: &tally)[0].tokens.contains(0))
    let marked = try TokenizeDocuments(tokenizer, allowsSpecials: true).apply(special, tally: &tally)
    #expect(marked[0].tokens.last == 0)

    let back = DetokenizeDocuments(tokenizer)
    tally = Tally(stage: back.name ?? "")
    // A special token at the end is part of the text.
    #expect(try back.apply(marked, tally: &tally) == special)
    tally = Tally(stage: back.name ?? "")
    #expect(try back.apply(tokens, tally: &tally) == documents)
    #expect(tally.account.isBalanced)
  }

  @Test func theTemplateGoesOnAndComesOff() throws {
    let bare = try tokenizer()
    var list = TokenList()
    for id in 1..<UInt32(bare.vocabularySize) { list.append(bare.bytes(of: id), id: id) }
    let tokenizer = try Tokenizer(
      vocabulary: list, merges: bare.merges.map { ($0.left, $0.right) }, added: bare.addedTokens,
      pretokenizer: try #require(bare.publishedPretokenizer),
      template: Template(prefix: [0, 0], suffix: [0]))
    let documents = documents() + [Document(id: "none", text: [])]
    var tally = Tally(stage: "tokenize")
    let plain = try TokenizeDocuments(tokenizer).apply(documents, tally: &tally)
    let framed = try TokenizeDocuments(tokenizer, addsTemplate: true).apply(documents, tally: &tally)
    #expect(plain.map { $0.tokens.isEmpty ? [] : [0, 0] + $0.tokens + [0] } == framed.map(\.tokens))
    var back = Tally(stage: "detokenize")
    let stage = DetokenizeDocuments(tokenizer, removesTemplate: true)
    #expect(try stage.apply(framed, tally: &back) == documents)
  }

  @Test func documentsOfAnotherTokenizerAreQuarantined() throws {
    let tokenizer = try tokenizer()
    let lone = try #require(tokenizer.token(of: [0xC3]))
    let letter = try #require(tokenizer.token(of: [97]))
    let end = try #require(tokenizer.endOfDocument)
    let stage = DetokenizeDocuments(tokenizer)
    var tally = Tally(stage: stage.name ?? "", keepsRejects: true)
    let documents = [[letter], [letter, 70_000], [lone], [letter, end]].enumerated().map {
      TokenDocument(id: "d\($0.offset)", origin: "f:\($0.offset)", bytes: 0, tokens: $0.element)
    }
    let output = try stage.apply(documents, tally: &tally)
    #expect(output.map(\.text) == [[97], Array("a<|endoftext|>".utf8)])
    #expect(tally.account.quarantined == ["token outside the vocabulary": 1, "tokens are not UTF-8": 1])
    #expect(tally.account.isBalanced)
    #expect(tally.rejects.map(\.origin) == ["f:1", "f:2"])
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
    #expect(report.byDomain == nil)
    let byDomain = TokenizerReport(tokenizer, documents: documents) { $0.origin == "f:0" ? "first" : "rest" }
    #expect(byDomain.byDomain?["first"]?.documents == 1 && byDomain.byDomain?["rest"]?.documents == 29)
    // Kinds part the vocabulary; coverage is what sorting and adding up says.
    #expect(report.kinds.reduce(0) { $0 + $1.tokens } == tokenizer.vocabularySize)
    #expect(report.kinds.first { $0.kind == .bytes }?.tokens == 256 && report.kinds.first { $0.kind == .added }?.used == 0)
    #expect(abs(report.kinds.reduce(0) { $0 + $1.share } - 1) < 1e-9)
    var uses: [UInt32: Int] = [:]
    for document in documents { for id in tokenizer.encode(document.text) { uses[id, default: 0] += 1 } }
    let sorted = uses.values.sorted(by: >)
    for (name, count) in try #require(report.coverage) {
      let share = try #require(Int(name))
      #expect(100 * sorted.prefix(count).reduce(0, +) >= share * report.overall.tokens)
      #expect(100 * sorted.prefix(count - 1).reduce(0, +) < share * report.overall.tokens)
    }
    #expect(Double(uses.count) / Double(tokenizer.vocabularySize - 1) == report.used)
    let copy = try JSONFile.decode(TokenizerReport.self, from: try JSONFile.encode(report), place: "report")
    #expect(copy == report)
    #expect(TokenizerReport(tokenizer).overall.bytesPerToken == 0)
  }
}
