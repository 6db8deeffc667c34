import Primitives
import Testing
import Tokenization

@Suite struct PretokenizerTests {
  private func pieces(_ text: String, _ kind: Pretokenizer) -> [String] {
    let bytes = Array(text.utf8)
    return kind.split(bytes).map { String(decoding: bytes[$0], as: UTF8.self) }
  }

  @Test(arguments: Pretokenizer.allCases)
  func equalsThePatternOnHardText(kind: Pretokenizer) {
    for seed in 0..<400 {
      var random = SequentialRandom(seed: UInt64(seed))
      let text = Reference.adversarial(&random, pieces: 1 + seed % 40)
      #expect(pieces(text, kind) == Reference.split(text, kind))
    }
  }

  @Test(arguments: Pretokenizer.allCases)
  func equalsThePatternOnRandomScalars(kind: Pretokenizer) {
    for seed in 0..<60 {
      var random = SequentialRandom(seed: UInt64(seed), stream: 1)
      var text = String.UnicodeScalarView()
      for _ in 0..<60 {
        let bound: UInt32 = [0x80, 0x800, 0x10000, 0x32000, 0x110000].randomElement(using: &random) ?? 0x80
        if let scalar = Unicode.Scalar(UInt32.random(in: 0..<bound, using: &random)) { text.append(scalar) }
      }
      #expect(pieces(String(text), kind) == Reference.split(String(text), kind))
    }
  }

  /// All strings of four characters of every class, between words: the short way and the plain way cut alike.
  @Test(arguments: Pretokenizer.allCases)
  func equalsThePatternOnAllNeighbours(kind: Pretokenizer) {
    let characters = ["a", "'", "s", " ", "\t", "\n", "\r", "1", "!", "é", "٣", "\u{A0}", "\u{301}"]
    var wrong: [String] = []
    for first in characters {
      for second in characters {
        for third in characters {
          for fourth in characters {
            let middle = first + second + third + fourth
            // Far from the end of the text, and at it.
            for text in ["x" + middle + "abcdefghijklmnopqrstuvwxyz 0123456789 tail", middle] {
              if wrong.count < 5, pieces(text, kind) != Reference.split(text, kind) { wrong.append(text) }
            }
          }
        }
      }
    }
    #expect(wrong.isEmpty, "\(wrong)")
  }

  /// Runs of one class of every length around the sixteen bytes that are looked at together.
  @Test(arguments: Pretokenizer.allCases)
  func equalsThePatternOnRunsOfAnyLength(kind: Pretokenizer) {
    for part in ["a", "1", "!", " ", "\n", "\t", "!\n", " \n", "é", "中", "A"] {
      for length in 1...40 {
        let run = String(repeating: part, count: length)
        let texts = [
          " \(run)b some more words to fill", "\(run) and more words that follow it", "x \(run)é", "x\(run)",
          "\(run)1 2 3 and words and words",
        ]
        for text in texts {
          #expect(pieces(text, kind) == Reference.split(text, kind), "\(text)")
        }
      }
    }
  }

  @Test func knownCuts() {
    #expect(pieces("I'll  go\n", .gpt2) == ["I", "'ll", " ", " go", "\n"])
    #expect(pieces("year 12345", .llama3) == ["year", " ", "123", "45"])
    #expect(pieces("12", .qwen2) == ["1", "2"])
    #expect(pieces("a\n\n  b", .cl100k) == ["a", "\n\n", " ", " b"])
    #expect(pieces("a \n ", .cl100k) == ["a", " \n "])
    #expect(pieces("a  12", .starcoder) == ["a", "  ", "1", "2"])
    #expect(pieces("HelloWorld's path//", .o200k) == ["Hello", "World's", " path", "//"])
    #expect(pieces("a \n ", .llama3) == ["a", " \n", " "])
  }

  @Test(arguments: Pretokenizer.allCases)
  func coversAnyBytes(kind: Pretokenizer) {
    for seed in 0..<100 {
      var random = SequentialRandom(seed: UInt64(seed), stream: 2)
      let bytes = (0..<200).map { _ in UInt8.random(in: 0...255, using: &random) }
      var end = 0
      for range in kind.split(bytes) {
        #expect(range.lowerBound == end && !range.isEmpty)
        end = range.upperBound
      }
      #expect(end == bytes.count)
    }
    #expect(kind.split([]).isEmpty)
    #expect(kind.split([0xE4, 0xB8]) == [0..<2])
  }

  @Test func patternsNameTheirKinds() {
    for kind in Pretokenizer.allCases where kind != .starcoder { #expect(Pretokenizer(patterns: kind.patterns) == kind) }
    let original = #"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s"#
    #expect(Pretokenizer(patterns: [original]) == .cl100k)
    #expect(Pretokenizer(patterns: ["[a-z]+"]) == nil)
  }
}
