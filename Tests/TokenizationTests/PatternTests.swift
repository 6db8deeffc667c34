import Primitives
import Testing
import Tokenization

/// Regular expressions as automata, beside a matcher that tries all ways one after another.
@Suite struct PatternTests {
  /// The end of the first match in order of preference, by trying everything.
  private func end(_ pattern: Pattern, _ text: [Unicode.Scalar], _ at: Int, _ next: @escaping (Int) -> Int?) -> Int? {
    switch pattern {
    case .set(let set): at < text.count && set.contains(text[at]) ? next(at + 1) : nil
    case .ahead(let set, let orEnd): (at < text.count ? set.contains(text[at]) : orEnd) ? next(at) : nil
    case .alternatives(let parts): parts.lazy.compactMap { end($0, text, at, next) }.first
    case .sequence(let parts):
      parts.isEmpty ? next(at) : end(parts[0], text, at) { end(.sequence(Array(parts.dropFirst())), text, $0, next) }
    case .repeated(let body, let least, let most, let isLazy):
      if least > 0 {
        end(body, text, at) {
          end(.repeated(body, least: least - 1, most: most.map { $0 - 1 }, isLazy: isLazy), text, $0, next)
        }
      } else {
        {
          let more = {
            most == 0
              ? nil : end(body, text, at) { end(.repeated(body, least: 0, most: most.map { $0 - 1 }, isLazy: isLazy), text, $0, next) }
          }
          return isLazy ? next(at) ?? more() : more() ?? next(at)
        }()
      }
    }
  }

  /// The pieces of a text: matches, and what is between them.
  private func pieces(_ patterns: [Pattern], _ text: [Unicode.Scalar]) -> [[Unicode.Scalar]] {
    guard let pattern = patterns.first else { return text.isEmpty ? [] : [text] }
    var pieces: [[Unicode.Scalar]] = []
    var start = 0
    var at = 0
    while at < text.count {
      guard let end = end(pattern, text, at, { $0 }), end > at else {
        at += 1
        continue
      }
      pieces += [Array(text[start..<at]), Array(text[at..<end])]
      (start, at) = (end, end)
    }
    pieces.append(Array(text[start...]))
    return pieces.filter { !$0.isEmpty }.flatMap { self.pieces(Array(patterns.dropFirst()), $0) }
  }

  private static let lists: [[String]] = [
    [Pretokenizer.gpt2.pattern], [Pretokenizer.cl100k.pattern], [Pretokenizer.llama3.pattern], [Pretokenizer.o200k.pattern],
    [#"\p{N}"#, Pretokenizer.gpt2.pattern],
    [
      #"\p{N}{1,3}"#, "[一-龥぀-ゟ゠-ヿ]+",
      ##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"##,
    ],
    ["[\r\n]", #"\s?\p{L}+"#, #"\s?\p{P}+"#, #"\p{N}"#], [#"a+?b|a|b{2,3}"#], [#"(?:a|ab)(?:c|bcd)?|\s++$|b*+a"#], [#"(ab|a)+(?=b|$)|b"#],
    [#"[\p{L}&&[^\p{Lu}]]+|[^\P{N}1]"#], [#"(?i:ab|k's)|\u0061\x62|\x{1F600}"#], [#"[^a]*?b"#, #"\p{Han}+|!"#], ["a{2}b?"],
  ]

  @Test func cutsAsTryingEverything() throws {
    let parts = [
      "a", "b", "ab", "c", "A", "É", "é", "k", "\u{212A}", "'s", "'S", "'\u{17F}", " ", "  ", "\n", "\r\n", "\t", "1", "12", "٣", "½", "!",
      "...",
      "$", "中", "中文", "カ", "・", "\u{3099}", "e\u{301}", "😀", "ǅ", "ʰ", "/", "//", "\u{A0}", "\u{FFFD}",
    ]
    for list in Self.lists {
      let patterns = try list.map { try PatternParser.parse($0) }
      let splitter = try Splitter(patterns)
      for seed in 0..<60 {
        var random = SequentialRandom(seed: UInt64(seed), stream: 51)
        let text = (0..<Int.random(in: 0..<40, using: &random)).map { _ in parts.randomElement(using: &random) ?? "" }.joined()
        let bytes = Array(text.utf8)
        let made = splitter.split(bytes).map { String(decoding: bytes[$0], as: UTF8.self) }
        let expected = pieces(patterns, Array(text.unicodeScalars)).map { String(String.UnicodeScalarView($0)) }
        #expect(made.map { Array($0.utf8) } == expected.map { Array($0.utf8) }, "\(list): \(text)")
      }
    }
  }

  @Test(arguments: Pretokenizer.allCases)
  func equalsTheSplittersWrittenByHand(kind: Pretokenizer) throws {
    let splitter = try Splitter(try kind.patterns.map { try PatternParser.parse($0) })
    for seed in 0..<200 {
      var random = SequentialRandom(seed: UInt64(seed), stream: 52)
      let text =
        seed % 4 == 0
        ? (0..<200).map { _ in UInt8.random(in: 0...255, using: &random) } : Array(Reference.adversarial(&random, pieces: 40).utf8)
      #expect(splitter.split(text) == kind.split(text))
    }
  }

  @Test func whatIsNotSupportedIsSaid() {
    let table = [
      ("a*", "matches the empty string"), ("(?<=a)b", "a lookbehind at character 0"), ("^a", "^ at character 0"),
      (#"a\b"#, #"\b at character 2"#),
      ("(a", "is incomplete"), ("a)", "an unmatched )"), ("[a", "is incomplete"), (#"(a)\1"#, #"\1"#),
      ("(?!ab)a", "a lookahead of more than one"),
      ("(?:ab)++", "a possessive repetition"), ("(?>ab|a)c", "an atomic group"), (#"\p{Klingon}"#, #"\p{Klingon}"#),
      ("[[:alpha:]]", "POSIX"),
      ("a{1001}", "more than 1000"), ("(?i)straße", "in any case"), ("(?i)ss", "\"ss\" in any case"), ("a{,}", "{,}"),
      ("*a", "without anything"),
      ("(?x)a", "an option x"), ("[b-a]", "an empty range"), ("a{x}", "{x}"), ("(?:a{1000}){1000}", "too long"),
    ]
    for (text, says) in table {
      do {
        _ = try PatternAutomaton(try PatternParser.parse(text))
        Issue.record("\(text) is read although: \(says)")
      } catch {
        #expect((error as? PatternError)?.reason.contains(says) == true, "\(text): \(error)")
      }
    }
  }

  @Test func setsAreAlgebra() {
    let letters = ScalarSet(["a".unicodeScalars.first!.value..<0x7B])
    #expect(
      letters.inverted.inverted == letters && letters.union(letters.inverted) == .all && letters.intersection(letters.inverted).isEmpty)
    #expect(letters.subtracting(ScalarSet("c")).ranges == [0x61..<0x63, 0x64..<0x7B])
    // Categories part all scalars.
    let names = Set(ScalarSet.categories.keys.filter { $0.count == 2 })
    #expect(names.count == 30 || names.count == 29)
    #expect(names.reduce(0) { $0 + (ScalarSet.categories[$1]?.ranges.reduce(0) { $0 + $1.count } ?? 0) } == 0x110000)
  }
}
