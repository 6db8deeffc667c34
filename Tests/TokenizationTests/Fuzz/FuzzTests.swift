import Foundation
import Primitives
import Testing
import Tokenization

@Suite struct FuzzTests {
  /// Trained tokenizers of each pattern, and some with what other families have.
  private static let tokenizers: [Tokenizer] = {
    let texts = TrainerTests.texts(seed: 1, count: 150) + (0..<40).map { Array(String(repeating: "ab", count: $0).utf8) }
    func trained(_ kind: Pretokenizer, _ size: Int) -> Tokenizer? { try? TrainerTests.train(texts, vocabulary: size, kind: kind) }
    var all = Pretokenizer.allCases.compactMap { trained($0, 500) }
    for (kind, prefix, ignores) in [(Pretokenizer.gpt2, true, false), (.llama3, false, true), (.cl100k, false, true)] {
      guard let base = trained(kind, 420) else { continue }
      var list = TokenList()
      for id in 1..<UInt32(base.vocabularySize) { list.append(base.bytes(of: id), id: id) }
      let next = UInt32(base.vocabularySize)
      // Tokens that no merge makes, and added ones, of which one begins with another.
      for (offset, word) in ["baaaab", " zz", "zzzz"].enumerated() { list.append(Array(word.utf8), id: next + UInt32(offset)) }
      let added: [Tokenizer.AddedToken] = [
        .init(id: 0, content: "<|endoftext|>"), .init(id: next + 3, content: "<|x"),
        .init(id: next + 4, content: "<|x|>", isSpecial: false),
        .init(id: next + 5, content: "Ω", isSpecial: false),
      ]
      if let made = try? Tokenizer(
        vocabulary: list, merges: base.merges.map { ($0.left, $0.right) }, added: added, pretokenizer: kind, addsPrefixSpace: prefix,
        ignoresMerges: ignores)
      {
        all.append(made)
      }
    }
    return all
  }()

  private static let pieces = [
    "<|endoftext|>", "<|x", "<|x|>", "|>", " ", "  ", "\n", "\r\n", "\t", "\u{A0}", "\u{3000}", "\u{85}", "'s", "'LL", "'\u{17F}", "'re",
    "'", "1", "12345",
    "½", "a", "b", "ab", "aa", "the", " the", "baaaab", "zzzz", " zz", "é", "e\u{301}", "中文", "😀", "👨‍👩‍👧", "!", "...", "ن", "\u{200B}", "\0",
    "Ω", "ǅ",
  ].map { Array($0.utf8) }

  private static func text(_ random: inout SequentialRandom) -> [UInt8] {
    func draw(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &random) }
    let kind = draw(100)
    var text: [UInt8] = []
    switch kind {
    case 0..<45: for _ in 0..<draw(24) { text += pieces[draw(pieces.count)] }
    case 45..<60:
      let top: UInt8 = [255, 0x7F, 0x2F][draw(3)]
      text = (0..<draw(40)).map { _ in UInt8.random(in: 0...top, using: &random) }
    case 60..<75:
      let bound = [0x80, 0x800, 0x3100, 0x1_0000, 0x11_0000][draw(5)]
      for _ in 0..<draw(16) { text += Unicode.Scalar(UInt32(draw(bound))).map { Array(String($0).utf8) } ?? [0xED, 0xA0, 0x80] }
    case 75..<90:
      let letters = [Array("ab".utf8), Array("a b".utf8), [0x20, 0x0A], [0x20, 0x09, 0x61], Array("zé".utf8)][draw(5)]
      text = (0..<draw(80)).map { _ in letters[draw(letters.count)] }
    case 90..<98:
      for _ in 0..<draw(20) { text += pieces[draw(pieces.count)] }
      for _ in 0...draw(3) { Mutation.apply(&text, words: pieces, &random) }
    default:
      // A word in parts, of a period.
      let period = (0...draw(7)).map { _ in UInt8(ascii: "a") + UInt8(draw(2)) }
      while text.count < 50 + draw(250) { text += period }
    }
    return text
  }

  @Test func theEncoderEqualsTheNaiveOne() {
    let naive = Self.tokenizers.map { NaiveEncoder($0) }
    #expect(naive.count == 11)
    // Contexts live from run to run: what they remember must not change anything.
    var contexts = Self.tokenizers.map { _ in [EncodeContext(cacheBits: 3), EncodeContext(cacheBits: 14)] }
    Fuzz.run("encoder", stream: 101) { run, random in
      let text = Self.text(&random)
      let which = run % naive.count
      let allowsSpecials = run % 3 == 0
      let expected = naive[which].encode(text, allowsSpecials: allowsSpecials)
      for index in 0..<2 {
        var ids: [UInt32] = [7]
        Self.tokenizers[which].encode(text, into: &ids, context: &contexts[which][index], allowsSpecials: allowsSpecials)
        if ids[1...] != expected[...] { Issue.record("run \(run): \(text) gives \(ids.dropFirst()), not \(expected)") }
      }
      if !Self.tokenizers[which].addsPrefixSpace, Self.tokenizers[which].decode(expected) != text {
        Issue.record("run \(run): \(text) comes back as \(Self.tokenizers[which].decode(expected))")
      }
    }
  }

  /// A tokenizer that was read encodes and writes itself; what was not is one line.
  private func check(_ run: Int, _ random: inout SequentialRandom, _ read: () throws -> Tokenizer) {
    do {
      let tokenizer = try read()
      guard run % 5 == 0 else { return }
      let text = Self.text(&random)
      let ids = tokenizer.encode(text)
      if tokenizer.firstInvalid(in: ids) != nil { Issue.record("run \(run): an id that no token has") }
      let isExact = tokenizer.isByteLevel && !tokenizer.normalizes && !tokenizer.addsPrefixSpace
      // A vocabulary may lack bytes that UTF-8 never has; added tokens may take white space with them.
      let isWhole =
        (UInt8.min...UInt8.max).allSatisfy { tokenizer.token(of: [$0]) != nil } && tokenizer.addedTokens.allSatisfy { $0.options.isEmpty }
      if isExact, isWhole, tokenizer.decode(ids) != text {
        Issue.record("run \(run): \(text) does not come back")
      }
      let again = try Tokenizer(json: tokenizer.json(), path: "again")
      if again.fingerprint != tokenizer.fingerprint || again.template != tokenizer.template {
        Issue.record("run \(run): it does not come back from its own file")
      }
    } catch let error as WeirError {
      if error.description.isEmpty || error.description.contains("\n") { Issue.record("run \(run): \(error)") }
    } catch {
      Issue.record("run \(run): \(error)")
    }
  }

  @Test func theReaderOfTokenizerFilesTakesAnything() {
    let words = [
      "{", "}", "[", "]", ",", ":", "\"", "null", "true", "false", "\"a\"", "[\"a\", \"b\"]", "\"ab\": 256", "\"type\"", "\"BPE\"",
      "\"ByteLevel\"",
      "\"Sequence\"", "\"Split\"", "\"id\": 258", "\"content\": \"<x>\"", "\"special\": true", "\"ignore_merges\": true", "\"NFC\"",
      "\\u0000", "\\ud800", "Ġ",
      "\"Metaspace\"", "\"byte_fallback\": true", "\"normalized\": true", "\"lstrip\": true", "\\\\p{L}", "(?=", "++", "[^", "&&", "{2,}",
      "▁",
      "\u{143}", "\u{144}", "<|endoftext|>", "\"merges\": ", "\"vocab\": ", "\"model\": ", "é", "\\\"",
    ].map { Array($0.utf8) }
    let text = #"{"Sequence": {"id": "A", "type_id": 0}}"#
    let seeds = [
      TokenizerText.file(), TokenizerText.file(model: #""type": "BPE", "ignore_merges": true, "#, normalizer: #"{"type": "NFC"}"#),
      TokenizerText.file(
        added: #"{"id": 258, "content": "<|endoftext|>", "special": true}, {"id": 259, "content": "<x", "special": false}"#,
        more: TokenizerText.template(
          #"{"SpecialToken": {"id": "<|endoftext|>", "type_id": 0}}, "# + text, tokens: #""<|endoftext|>": {"ids": [258]}"#)),
      TokenizerText.file(merges: #""a b", "ab Ġ""#), FamilyTests.file(), FamilyTests.file(model: #""unk_token": "<unk>", "#, bytes: false),
      TokenizerText.file(
        normalizer:
          #"{"type": "Sequence", "normalizers": [{"type": "NFKC"}, {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}]}"#,
        pretokenizer: #"""
          {"type": "Sequence", "pretokenizers": [{"type": "Digits", "individual_digits": false}, {"type": "Split", "pattern":
           {"Regex": " ?[\\p{L}&&[^a-c]]+(?!\\S)|\\s++|(?i:'s)?x{1,3}"}, "behavior": "Isolated", "invert": false},
           {"type": "ByteLevel", "add_prefix_space": false, "use_regex": false}]}
          """#),
    ].map { Array($0.utf8) }
    for seed in seeds { #expect(throws: Never.self) { _ = try Tokenizer(json: seed, path: "seed") } }
    // Most of the file is the vocabulary: half of the runs change what stands around it.
    let parts = seeds.map { seed -> (around: [UInt8], vocabulary: [UInt8]) in
      let head = seed.firstRange(of: Array("\"vocab\"".utf8))?.lowerBound ?? 0
      let tail = seed.firstRange(of: Array("\"merges\"".utf8))?.lowerBound ?? seed.count
      return (seed[..<head] + [0] + seed[tail...], Array(seed[head..<tail]))
    }
    Fuzz.run("tokenizer.json", stream: 102) { run, random in
      let part = parts[run % seeds.count]
      let isAround = run % 8 < 4
      var bytes = isAround ? part.around : seeds[run % seeds.count]
      for _ in 0..<Int.random(in: 1...4, using: &random) { Mutation.apply(&bytes, words: words, &random) }
      if isAround, let gap = bytes.firstIndex(of: 0) { bytes.replaceSubrange(gap...gap, with: part.vocabulary) }
      check(run, &random) { try Tokenizer(json: bytes, path: "fuzz.json") }
    }
  }

  @Test func theReaderOfRanksTakesAnything() {
    func line(_ bytes: [UInt8], _ rank: Int) -> String { "\(Data(bytes).base64EncodedString()) \(rank)\n" }
    let seed = Array(
      ((0..<256).map { line([UInt8($0)], $0) }
        + ["ab", "abc", "the", " the", "aa", "aaaa"].enumerated().map { line(Array($1.utf8), 256 + $0) })
        .joined().utf8)
    let words = ["\n", " ", "=", "= 262\n", "YWI= 256\n", "YWI=", "\r\n", "262", "!", "\0"].map { Array($0.utf8) }
    Fuzz.run("ranks", stream: 103) { run, random in
      var bytes = seed
      // The last lines alone, where a change does not lose one of the 256 bytes.
      let kept = run % 2 == 0 ? Array(bytes[..<(bytes.count - 60)]) : []
      bytes.removeFirst(kept.count)
      for _ in 0..<Int.random(in: 1...3, using: &random) { Mutation.apply(&bytes, words: words, &random) }
      let kind = Pretokenizer.allCases[run % Pretokenizer.allCases.count]
      check(run, &random) {
        try Tokenizer(
          tiktoken: kept + bytes, path: "fuzz.tiktoken", pretokenizer: kind, specials: [.init(id: 300, content: "<|endoftext|>")])
      }
    }
  }
}
