import Primitives
import Testing
import Tokenization

@Suite struct EncoderTests {
  private static let trained: [Pretokenizer: Tokenizer] = {
    let texts = TrainerTests.texts(seed: 1, count: 120)
    return Dictionary(
      uniqueKeysWithValues: Pretokenizer.allCases.compactMap { kind in
        (try? TrainerTests.train(texts, vocabulary: 480, kind: kind)).map { (kind, $0) }
      })
  }()

  private func tokenizer(_ kind: Pretokenizer = .llama3) throws -> Tokenizer { try #require(Self.trained[kind]) }

  @Test(arguments: Pretokenizer.allCases)
  func equalsBPEByDefinition(kind: Pretokenizer) throws {
    let tokenizer = try tokenizer(kind)
    let ranks = Reference.ranks(tokenizer)
    var context = EncodeContext(cacheBits: 4)
    for seed in 0..<40 {
      var random = SequentialRandom(seed: UInt64(seed))
      let text = Array(Reference.adversarial(&random, pieces: 60).utf8) + TrainerTests.texts(seed: UInt64(seed), count: 2).flatMap { $0 }
      var ids: [UInt32] = []
      tokenizer.encode(text, into: &ids, context: &context)
      #expect(ids == kind.split(text).flatMap { Reference.merge(Array(text[$0]), tokenizer, ranks) })
      #expect(tokenizer.decode(ids) == text)
    }
  }

  @Test func longWordsEqualShortOnes() throws {
    let tokenizer = try tokenizer()
    let ranks = Reference.ranks(tokenizer)
    for (seed, length) in [2, 63, 64, 65, 66, 200, 999].enumerated() {
      var random = SequentialRandom(seed: UInt64(seed), stream: 3)
      let word = (0..<length).map { _ in UInt8(ascii: "a") + UInt8.random(in: 0...2, using: &random) }
      #expect(tokenizer.encode(word) == Reference.merge(word, tokenizer, ranks))
    }
  }

  /// Words in parts: of few letters, of one, and of a period, so that tokens at the seams change far into the parts.
  @Test func seamsOfLongWordsAreMended() throws {
    let corpus = (0..<60).map { index in
      Array(
        (String(repeating: "a", count: index) + String(repeating: "ab", count: index % 13) + String(repeating: "aabab", count: index % 7))
          .utf8)
    }
    let tokenizer = try TrainerTests.train(corpus + TrainerTests.texts(seed: 2, count: 40), vocabulary: 420)
    let ranks = Reference.ranks(tokenizer)
    for seed in 0..<60 {
      var random = SequentialRandom(seed: UInt64(seed), stream: 31)
      let period = (0..<Int.random(in: 1...9, using: &random)).map { _ in UInt8(ascii: "a") + UInt8.random(in: 0...1, using: &random) }
      var word: [UInt8] = []
      let length = Int.random(in: 60...400, using: &random)
      while word.count < length {
        word += period
        if seed % 3 == 0, Int.random(in: 0..<9, using: &random) == 0 { word.append(UInt8(ascii: "c")) }
      }
      #expect(tokenizer.encode(word) == Reference.merge(word, tokenizer, ranks))
    }
  }

  @Test func anyBytesRoundTrip() throws {
    let tokenizer = try tokenizer()
    var context = EncodeContext(cacheBits: 6)
    for seed in 0..<300 {
      var random = SequentialRandom(seed: UInt64(seed), stream: 4)
      let top: UInt8 = [255, 127, 40].randomElement(using: &random) ?? 255
      let text = (0..<Int.random(in: 0..<300, using: &random)).map { _ in UInt8.random(in: 0...top, using: &random) }
      var ids: [UInt32] = []
      tokenizer.encode(text, into: &ids, context: &context)
      #expect(tokenizer.decode(ids) == text)
    }
  }

  @Test func aLongTextWithoutABlank() throws {
    let tokenizer = try tokenizer()
    let word = [UInt8](repeating: UInt8(ascii: "a"), count: 1 << 17)
    let ids = tokenizer.encode(word)
    #expect(tokenizer.decode(ids) == word)
    #expect(ids.count < 1 << 16)
  }

  @Test func aContextServesOneTokenizerAfterAnother() throws {
    let first = try tokenizer()
    let second = try TrainerTests.train(TrainerTests.texts(seed: 9, count: 50), vocabulary: 280)
    var context = EncodeContext()
    let text = Array("the cab aaaa baaa the".utf8)
    for tokenizer in [first, second, first] {
      var ids: [UInt32] = []
      tokenizer.encode(text, into: &ids, context: &context)
      #expect(ids == tokenizer.encode(text))
    }
  }

  @Test func specialsAreTextUnlessAllowed() throws {
    let tokenizer = try tokenizer()
    let text = "a<|endoftext|>b<|endoftext|"
    #expect(!tokenizer.encode(text).contains(0))
    let ids = tokenizer.encode(text, allowsSpecials: true)
    #expect(ids.filter { $0 == 0 }.count == 1)
    #expect(tokenizer.decode(ids) == Array(text.utf8))
  }

  @Test func idsOutsideTheVocabularyAreFound() throws {
    let tokenizer = try tokenizer()
    let size = UInt32(tokenizer.vocabularySize)
    #expect(tokenizer.firstInvalid(in: [0, 1, size - 1]) == nil)
    #expect(tokenizer.firstInvalid(in: [0, size, .max]) == 1)
    #expect(tokenizer.decode([size, .max]).isEmpty)
  }

  @Test func wholeWordsWhereMergesAreIgnored() throws {
    var list = TokenList()
    for byte in UInt8.min...UInt8.max { list.append([byte], id: UInt32(byte)) }
    list.append(Array("ab".utf8), id: 256)
    list.append(Array("abc".utf8), id: 257)
    let merges: [(left: UInt32, right: UInt32)] = [(97, 98)]
    let plain = try Tokenizer(vocabulary: list, merges: merges, added: [], pretokenizer: .gpt2)
    #expect(plain.encode("abc") == [256, 99])
    let ignoring = try Tokenizer(vocabulary: list, merges: merges, added: [], pretokenizer: .gpt2, ignoresMerges: true)
    #expect(ignoring.encode("abc abcd") == [257, 32, 256, 99, 100])
  }

  @Test func copiesOfAContextDoNotDisturbEachOther() throws {
    let first = try tokenizer()
    let second = try TrainerTests.train(TrainerTests.texts(seed: 9, count: 50), vocabulary: 280)
    let text = Array("the cab aaaa baaa the".utf8)
    var a = EncodeContext(cacheBits: 6)
    var ids: [UInt32] = []
    first.encode(text, into: &ids, context: &a)
    var b = a
    var others: [UInt32] = []
    second.encode(text, into: &others, context: &b)
    var again: [UInt32] = []
    first.encode(text, into: &again, context: &a)
    #expect(again == ids && others == second.encode(text))
  }

  /// Words of every length around the cache's limits, of few and of many tokens, cold and warm, at the end of a text and within it.
  @Test(arguments: Pretokenizer.allCases)
  func theCacheDoesNotChangeTokens(kind: Pretokenizer) throws {
    let tokenizer = try tokenizer(kind)
    let ranks = Reference.ranks(tokenizer)
    for bits in [0, 4, 12] {
      var context = EncodeContext(cacheBits: bits)
      for seed in 0..<12 {
        var random = SequentialRandom(seed: UInt64(seed), stream: 12)
        var text: [UInt8] = []
        for length in [1, 2, 7, 8, 9, 14, 15, 16, 17, 31, 32, 33, 62, 63, 64, 70] {
          let bytes: [UInt8] = seed % 3 == 0 ? Array("ab".utf8) : seed % 3 == 1 ? [0x20, 0x09, 0x0A] : Array("xyzaqé!1".utf8)
          if Bool.random(using: &random) { text.append(0x20) }
          for _ in 0..<length { text.append(bytes.randomElement(using: &random) ?? 0) }
        }
        let expected = kind.split(text).flatMap { Reference.merge(Array(text[$0]), tokenizer, ranks) }
        for _ in 0..<3 {
          var ids: [UInt32] = []
          tokenizer.encode(text, into: &ids, context: &context)
          #expect(ids == expected)
        }
      }
    }
  }

  @Test func tokensForTheEye() throws {
    let view = TokenView(try tokenizer(), text: "a b\n\u{E9}\u{4E2D}")
    #expect(view.pieces.map(\.text).joined().hasPrefix("a·b␊"))
    #expect(view.lines(colored: false).count == 2 && !view.lines(colored: false)[0].contains("\u{1B}"))
    #expect(view.lines(colored: true)[0].contains("\u{1B}[30;48;5;153m"))
    #expect(TokenView(try tokenizer(), text: "<|endoftext|>", allowsSpecials: true).pieces.map(\.id) == [0])
  }
}
