import Primitives
import Testing
import Tokenization

@Suite struct WordPieceTests {
  private static let words = ["[UNK]", "un", "##aff", "##able", "the", "a", "##b", "!", "中", "##文", "cafe", ",", "##a", "é"]

  private func pieces(longest: Int = 100, lower: Bool = true) throws -> WordPiece {
    var options = WordPiece.Options()
    options.longestWord = longest
    options.lowercases = lower
    options.stripsAccents = lower
    return try WordPiece(
      pieces: Self.words.enumerated().map { (piece: Array($0.element.utf8), id: UInt32($0.offset)) }, unknown: "[UNK]", options: options,
      place: "t")
  }

  private func shown(_ text: String, longest: Int = 100, lower: Bool = true) throws -> [String] {
    try pieces(longest: longest, lower: lower).encode(text).map { Self.words[Int($0)] }
  }

  @Test func knownWords() throws {
    #expect(try shown("unaffable the") == ["un", "##aff", "##able", "the"])
    #expect(try shown("UNaffable,The!") == ["un", "##aff", "##able", ",", "the", "!"])
    #expect(try shown("Café\u{301}") == ["cafe"])
    #expect(try shown("Cafe", lower: false) == ["[UNK]"])
    #expect(try shown("unknowable") == ["[UNK]"])
    #expect(try shown("a中文") == ["a", "中", "[UNK]"])
    #expect(try shown("th\u{200B}e\u{0}\u{FFFD} a") == ["the", "a"])
    #expect(try shown("a\u{00A0}ab\u{3000}\t\n") == ["a", "a", "##b"])
    #expect(try shown("") == [])
    #expect(try shown("aba", longest: 2) == ["[UNK]"])
    #expect(try shown("aba", longest: 3) == ["a", "##b", "##a"])
  }

  @Test func filesAreReadAndBadOnesNamed() throws {
    let head = #"{"normalizer": {"type": "BertNormalizer"}, "pre_tokenizer": {"type": "BertPreTokenizer"}, "#
    let good = head + ###""model": {"type": "WordPiece", "vocab": {"[UNK]": 0, "a": 1, "##b": 2}}}"###
    #expect(try WordPiece(json: Array(good.utf8), path: "t").encode("AB") == [1, 2])
    let table: [(String, String)] = [
      (#"{}"#, "model is missing"), (#"{"model": {"type": "BPE"}}"#, "model.type is BPE"),
      (#"{"normalizer": {"type": "NFC"}, "model": {"type": "WordPiece"}}"#, "normalizer is NFC"),
      (#"{"model": {"type": "WordPiece"}}"#, "pre_tokenizer is missing"),
      (head + #""model": {"type": "WordPiece"}}"#, "model.vocab is missing"),
      (head + #""model": {"type": "WordPiece", "vocab": {"a": 0}}}"#, "model.unk_token"),
      (head + #""model": {"type": "WordPiece", "vocab": {"[UNK]": 0, "a": 0}}}"#, "the id 0 twice"),
      (head + #""model": {"type": "WordPiece", "vocab": {"[UNK]": 0, "a": -1}}}"#, "is not an id"),
      (head + #""model": {"type": "WordPiece", "max_input_chars_per_word": "x", "vocab": {"[UNK]": 0}}}"#, "max_input_chars_per_word"),
      (String(good.dropLast(3)), "JSON"),
    ]
    for (text, says) in table {
      do {
        _ = try WordPiece(json: Array(text.utf8), path: "t")
        Issue.record("read although: \(says)")
      } catch let error as WeirError {
        #expect(error.description.contains(says), "\(error)")
      }
    }
  }
}
