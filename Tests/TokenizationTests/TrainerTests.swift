import Documents
import Foundation
import Pipeline
import Primitives
import Storage
import TestSupport
import Testing
import Tokenization

@Suite struct TrainerTests {
  static func texts(seed: UInt64, count: Int, pieces: Int = 20) -> [[UInt8]] {
    var random = SequentialRandom(seed: seed, stream: 7)
    let syllables = ["ab", "aa", "ba", "b", "a", "the ", " an", "aaaa", "cab", " ", "\n", "1", "é", "baaa"]
    return (0..<count).map { index in
      index % 3 == 0
        ? Array(Reference.adversarial(&random, pieces: pieces).utf8)
        : Array((0..<pieces).map { _ in syllables.randomElement(using: &random) ?? "" }.joined().utf8)
    }
  }

  static func train(_ texts: [[UInt8]], vocabulary: Int, kind: Pretokenizer = .llama3, minimum: Int = 2) throws -> Tokenizer {
    var configuration = BytePairTrainer.Configuration()
    configuration.vocabulary = vocabulary
    configuration.pretokenizer = kind
    configuration.minimumFrequency = minimum
    var trainer = try BytePairTrainer(configuration)
    for text in texts { trainer.add(text) }
    return try trainer.finish()
  }

  @Test(arguments: Array(0..<6))
  func equalsRecountingEverything(seed: Int) throws {
    let texts = Self.texts(seed: UInt64(seed), count: 12)
    var configuration = BytePairTrainer.Configuration()
    configuration.vocabulary = 257 + 60
    configuration.pretokenizer = Pretokenizer.allCases[seed]
    configuration.minimumFrequency = 1 + seed % 3
    configuration.maximumTokenLength = [128, 4, 2][seed % 3]
    var trainer = try BytePairTrainer(configuration)
    for text in texts { trainer.add(text) }
    let tokenizer = try trainer.finish()
    let expected = Reference.train(texts, configuration)
    #expect(tokenizer.merges.map { [Array(tokenizer.bytes(of: $0.left)), Array(tokenizer.bytes(of: $0.right))] } == expected)
  }

  @Test func doesNotDependOnThreadsOrOrder() throws {
    let texts = Self.texts(seed: 3, count: 500, pieces: 4_000)
    let path = temporaryPath() + ".jsonl"
    let lines = try texts.map { try JSONEncoder().encode(["text": String(decoding: $0, as: UTF8.self)]) }
    try Files.write(Array(lines.joined(separator: Array("\n".utf8))), to: path)
    defer { try? FileManager.default.removeItem(atPath: path) }
    var all: [[Tokenizer.Merge]] = []
    for threads in [1, 3] {
      var configuration = BytePairTrainer.Configuration()
      configuration.vocabulary = 400
      var trainer = try BytePairTrainer(configuration)
      let accounts = try trainer.add(try DocumentSource(paths: [path]), threads: threads)
      #expect(accounts.map(\.output) == [texts.count])
      #expect(trainer.texts == texts.count)
      #expect(trainer.bytes == texts.reduce(0) { $0 + $1.count })
      all.append(try trainer.finish().merges)
    }
    all.append(try Self.train(texts.reversed(), vocabulary: 400).merges)
    #expect(all[0] == all[1] && all[0] == all[2])
  }

  @Test func idsAreSpecialsThenBytesThenMerges() throws {
    var configuration = BytePairTrainer.Configuration()
    configuration.vocabulary = 260
    configuration.specials = ["<|endoftext|>", "<|pad|>"]
    var trainer = try BytePairTrainer(configuration)
    trainer.add(Array("aaaa aaaa".utf8))
    let tokenizer = try trainer.finish()
    #expect(tokenizer.endOfDocument == 0)
    #expect(Array(tokenizer.bytes(of: 1)) == Array("<|pad|>".utf8))
    #expect(Array(tokenizer.bytes(of: 2)) == Array("!".utf8))
    #expect(Array(tokenizer.bytes(of: 257)) == [0xAD])
    #expect(Array(tokenizer.bytes(of: 258)) == Array("aa".utf8))
    #expect(tokenizer.vocabularySize == 260)
  }

  @Test func noMergeSpellsASpecialToken() throws {
    var configuration = BytePairTrainer.Configuration()
    configuration.vocabulary = 300
    configuration.specials = ["abab"]
    var trainer = try BytePairTrainer(configuration)
    for _ in 0..<50 { trainer.add(Array("abab ababab".utf8)) }
    let tokenizer = try trainer.finish()
    #expect(!tokenizer.encode("abab ababab abababab").contains(0))
    #expect(tokenizer.encode("abab", allowsSpecials: true) == [0])
  }

  @Test func forgetsTheRarestWords() throws {
    var configuration = BytePairTrainer.Configuration()
    configuration.maximumWords = 1_000
    configuration.vocabulary = 300
    var trainer = try BytePairTrainer(configuration)
    func word(_ index: Int) -> String { String(String(index, radix: 4).map { Character(Unicode.Scalar(UInt8($0.asciiValue ?? 48) + 49)) }) }
    for index in 0..<5_000 { trainer.add(Array("common \(word(index))".utf8)) }
    #expect(trainer.wordCount <= 1_000)
    #expect(trainer.forgotten > 0)
    #expect(try trainer.finish().token(of: Array("common".utf8)) != nil)
  }

  @Test func refusesWhatMakesNoSense() throws {
    var small = BytePairTrainer.Configuration()
    small.vocabulary = 256
    #expect(throws: WeirError.self) { _ = try BytePairTrainer(small) }
    var twice = BytePairTrainer.Configuration()
    twice.specials = ["<a>", "<a>"]
    #expect(throws: WeirError.self) { _ = try BytePairTrainer(twice) }
    #expect(throws: WeirError.self) { _ = try BytePairTrainer(.init()).finish() }
    var trainer = try BytePairTrainer(.init())
    trainer.add(Array("some words and some more words".utf8))
    let stopped = Progress(report: { _ in }, stopping: { true })
    #expect(throws: Stopped.self) { _ = try trainer.finish(progress: stopped) }
  }
}
