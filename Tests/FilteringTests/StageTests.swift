import Documents
import Filtering
import Foundation
import Pipeline
import Primitives
import TestSupport
import Testing

@Suite struct RulesTests {
  @Test func names() throws {
    #expect(try FilterRules(parsing: "gopher") == FilterRules(parsing: "gopher-quality,gopher-repetition"))
    #expect(try FilterRules(parsing: "length, c4,-c4.policy").contains(.policy) == false)
    #expect(try FilterRules(parsing: "c4.policy").enabled == [.policy])
    #expect(FilterRules.finewebRecipe.contains(.noTerminalPunctuation) == false)
    #expect(try FilterRules(parsing: "gopher,c4,fineweb,length").enabled.count == FilterRule.allCases.count)
  }

  @Test(arguments: ["gohper", "", ",", "c4.nothing", "-x"]) func unknownNames(list: String) {
    let error = #expect(throws: WeirErrorDescription.self) {
      do { _ = try FilterRules(parsing: list) } catch { throw WeirErrorDescription(text: "\(error)") }
    }
    #expect(error?.text.contains("gopher-repetition") == true)
    #expect(error?.text.hasPrefix("--rules: ") == true)
  }

  @Test func configurationRoundTrip() throws {
    var configuration = FilterConfiguration(rules: try FilterRules(parsing: "length,gopher,c4,fineweb"))
    try configuration.set("gopherQuality.minimumWords", to: "20")
    try configuration.set("c4.removesLines", to: "false")
    try configuration.set("fineweb.maximumShortLineShare", to: "0.5")
    let copy = try JSONDecoder().decode(FilterConfiguration.self, from: JSONEncoder().encode(configuration))
    #expect(copy == configuration)
    #expect(copy.gopherQuality.minimumWords == 20)
    let partial = try FilterConfiguration(json: Data(#"{"rules":["c4"],"c4":{"minimumSentences":3}}"#.utf8))
    #expect(partial.c4.minimumSentences == 3)
    #expect(partial.c4.maximumWordLength == 1_000)
    #expect(partial.rules.contains(.policy))
    #expect(throws: (any Error).self) { try configuration.set("c4.minimumSentence", to: "1") }
    #expect(throws: (any Error).self) { try configuration.set("c4.minimumSentences", to: "many") }
    #expect(throws: (any Error).self) { try configuration.set("length.minimumCharacters", to: "99999999999") }
  }
}

struct WeirErrorDescription: Error { var text: String }

@Suite struct FilterStageTests {
  private func documents(_ seed: UInt64, _ count: Int) -> [Document] {
    var dice = Dice(state: seed)
    return (0..<count).map { index in
      let lines = (0..<Int.random(in: 0...20, using: &dice)).map { _ in
        (0..<Int.random(in: 0...12, using: &dice)).map { _ in
          ["the", "of", "and", "word", "längst", "日本語", "x", "{", "javascript", "7", "end.", "why?"].randomElement(using: &dice) ?? ""
        }.joined(separator: " ")
      }
      return Document(id: "\(index)", text: lines.joined(separator: "\n"))
    }
  }

  @Test(arguments: 0..<10 as Range<UInt64>) func accountsForEverything(seed: UInt64) throws {
    var configuration = FilterConfiguration(rules: try FilterRules(parsing: "length,gopher,c4,fineweb"))
    configuration.gopherQuality.minimumWords = 10
    configuration.c4.minimumSentences = 1
    configuration.fineweb.maximumDuplicateCharacterShare = 0.5
    let stage = try FilterDocuments(configuration)
    let documents = documents(seed, 100)
    var whole = Tally(stage: stage.name ?? "", keepsRejects: true)
    let kept = try stage.apply(documents, tally: &whole)
    #expect(whole.account.isBalanced)
    #expect(whole.account.output == kept.count)
    #expect(whole.rejects.count == whole.account.droppedTotal)
    #expect(whole.account.bytesOut == kept.reduce(0) { $0 + $1.text.count })
    // One document at a time gives the same.
    var parts = Tally(stage: stage.name ?? "", keepsRejects: true)
    var single: [Document] = []
    for document in documents { single += try stage.apply([document], tally: &parts) }
    #expect(single == kept)
    #expect(parts.account == whole.account)
    #expect(parts.rejects == whole.rejects)
  }

  @Test func lossesByRuleAndDomainDoNotDependOnBatches() throws {
    var configuration = FilterConfiguration()
    configuration.gopherQuality.minimumWords = 5
    var documents = documents(3, 120)
    for index in documents.indices {
      documents[index].origin = "in/\(index % 3).jsonl:\(index)"
      documents[index].members = Array(#""metadata": {"domain": "d\#(index % 2)"}"#.utf8)
    }
    func report(_ size: Int, by: String = "file", seed: UInt64 = 1) throws -> FilterReport {
      let losses = FilterLosses(by: by, samples: 2, randomSeed: seed)
      let stage = try FilterDocuments(configuration, losses: losses)
      // Backward, as threads may be.
      for start in stride(from: 0, to: documents.count, by: size).reversed() {
        var tally = Tally(stage: "filter")
        _ = try stage.apply(Array(documents[start..<min(documents.count, start + size)]), tally: &tally)
      }
      return losses.report
    }
    let whole = try report(120)
    #expect(try report(7) == whole)
    #expect(whole.domains.map(\.name).sorted() == ["in/0.jsonl", "in/1.jsonl", "in/2.jsonl"])
    #expect(whole.documents == 120 && whole.dropped > 0)
    for rule in whole.rules {
      #expect(rule.dropped == rule.byDomain.values.reduce(0, +))
      #expect(rule.samples.count == min(2, rule.dropped))
      for sample in rule.samples {
        if let minimum = rule.minimum, let measured = sample.measured { #expect(measured < minimum) }
        if let maximum = rule.maximum, let measured = sample.measured { #expect(measured > maximum) }
      }
    }
    #expect(try report(120, by: "metadata.domain").domains.map(\.name).sorted() == ["d0", "d1"])
    #expect(try report(120, by: "nothing").domains.map(\.name) == ["(none)"])
    #expect(try report(120, seed: 2).rules.map(\.dropped) == whole.rules.map(\.dropped))
  }

  @Test func aRuleNamesItsThreshold() throws {
    var configuration = FilterConfiguration(rules: try FilterRules(parsing: "gopher-quality,gopher-repetition"))
    try configuration.set("gopher.too_few_words", to: "3")
    #expect(configuration.gopherQuality.minimumWords == 3)
    try configuration.set("gopher.top_2_grams", to: "0.5")
    try configuration.set("gopher.duplicate_12_grams", to: "0.05")
    #expect(configuration.gopherRepetition.topNGrams.first { $0.n == 2 }?.share == 0.5)
    #expect(configuration.gopherRepetition.duplicateNGrams.first { $0.n == 12 }?.share == 0.05)
    #expect(throws: WeirError.self) { try configuration.set("gopher.top_2_grams", to: "many") }
    #expect(throws: WeirError.self) { try configuration.set("gopher.top_0_grams", to: "0.5") }
    let refused = [
      ("gopher.too_few_words", "-1", "is below 0"), ("gopher.too_few_words", "2.5", "give a whole number"),
      ("gopher.too_few_words", "true", "give a number"), ("gopher.duplicate_lines", "1.5", "1.5 is not a share"),
      ("gopher.top_2_grams", "-0.1", "is not a share"), ("gopher.words_too_long", "2", "is above the maximum"),
      ("c4.too_few_sentences", "2", "c4.too_few_sentences has no effect: c4.too_few_sentences is not on; add it to --rules"),
      ("fineweb.shortLineCharacters", "2", "fineweb.many_short_lines is not on"), ("gopherQuality.stopWords", "1", "give a JSON array"),
    ]
    for (name, value, message) in refused {
      let found = errorMessage { try configuration.set(name, to: value) }
      #expect(found.contains(message), "\(found)")
    }
    #expect(FilterConfiguration.threshold("gopher.too_many_hashes") == FilterConfiguration.threshold("gopher.too_many_ellipses"))
    configuration.rules = try FilterRules(parsing: "gopher-quality")
    var judge = DocumentJudge(configuration)
    let violation = try #require(judge.judge(Array("Two words".utf8)).violation)
    #expect(violation.reason == "gopher.too_few_words")
    #expect(violation.measured == 2)
    #expect(violation.limit == 3)
    // Every reason but those without a threshold is a name that --set knows.
    let others: [FilterRule] = [
      .loremIpsum, .curlyBracket, .noTerminalPunctuation, .javascript, .policy, .citations, .topNGrams, .duplicateNGrams,
    ]
    configuration.rules = FilterRules(Set(FilterRule.allCases))
    for rule in FilterRule.allCases where !others.contains(rule) {
      #expect(throws: Never.self) { try configuration.set(rule.rawValue, to: "1") }
    }
  }

  @Test func oddTexts() throws {
    var judge = DocumentJudge(FilterConfiguration(rules: try FilterRules(parsing: "gopher-repetition,c4,fineweb,length")))
    let texts: [[UInt8]] = [
      [], [0x0A], [0x20], [0xFF], [0xE2, 0x80], [0xF0, 0x9F, 0x98], [0xC2], [0x61, 0xE2, 0x80, 0x0A, 0x61], Array("\r\n\r\n".utf8),
      [0xED, 0xA0, 0x80],
      [UInt8](repeating: 0x61, count: 1_000_000), [UInt8](repeating: 0x0A, count: 100_000),
      Array(String(repeating: "a ", count: 100_000).utf8),
    ]
    for text in texts { _ = judge.judge(text) }
    #expect(judge.judge([]).reason == "length.too_short")
    #expect(try reason("", "gopher-repetition") == nil)
    #expect(try reason("", "gopher-quality") == "gopher.too_few_words")
    #expect(try reason("word", "gopher-repetition") == nil)
  }

  @Test(arguments: 0..<20 as Range<UInt64>) func anyBytes(seed: UInt64) throws {
    var dice = Dice(state: seed)
    var judge = DocumentJudge(FilterConfiguration(rules: try FilterRules(parsing: "gopher,c4,fineweb,length")))
    let alphabet: [UInt8] = [0x0A, 0x20, 0x2E, 0x5B, 0x5D, 0x61, 0x7B, 0x80, 0xA6, 0xC2, 0xE2, 0xED, 0xF0, 0xF4, 0xFF, 0x85, 0x31]
    for _ in 0..<100 {
      let text = (0..<Int.random(in: 0...60, using: &dice)).map { _ in alphabet.randomElement(using: &dice) ?? 0 }
      _ = judge.judge(text)
    }
  }

  @Test func unicodeWhiteSpace() throws {
    // U+00A0, U+2003, U+3000 and U+0085 separate words; U+200B does not.
    #expect(try reason("a\u{A0}b\u{2003}c\u{3000}d\u{85}e\u{200B}f", "gopher.too_few_words") { $0.gopherQuality.minimumWords = 5 } == nil)
    #expect(try reason("a\u{A0}b\u{2003}c\u{3000}d\u{85}e\u{200B}f", "gopher.too_few_words") { $0.gopherQuality.minimumWords = 6 } != nil)
    #expect(try reason("é😀", "length") { $0.length.minimumCharacters = 2 } == nil)
    #expect(try reason("é😀", "length") { $0.length.minimumCharacters = 3 } == "length.too_short")
    #expect(try reason("é😀", "length") { $0.length.maximumCharacters = 1 } == "length.too_long")
  }
}
