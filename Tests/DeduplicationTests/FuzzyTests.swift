import CKernels
import Deduplication
import Documents
import Foundation
import Pipeline
import Primitives
import Testing

/// Runs the first pass and decides.
func fuzzy(
  _ texts: [String], _ configuration: DeduplicationConfiguration = .init(), batch: Int = 1_000, threads: Int = 1,
  spillLimit: Int = DeduplicationConfiguration.defaultSpillLimit
) throws -> FuzzyDecision {
  let stage = try ShingleDocuments(configuration)
  let deduplicator = try FuzzyDeduplicator(configuration, spillLimit: spillLimit)
  let documents = texts.enumerated().map { Document(id: "\($0)", text: $1) }
  for start in stride(from: 0, to: documents.count, by: batch) {
    var tally = Tally(stage: stage.name ?? "")
    try deduplicator.add(stage.apply(Array(documents[start..<min(start + batch, documents.count)]), tally: &tally))
  }
  return try deduplicator.decide(threads: threads)
}

/// Texts of random words, and related texts.
struct TextMaker {
  var dice: Dice
  init(seed: UInt64) { dice = Dice(state: seed) }

  mutating func words(_ count: Int, vocabulary: UInt64 = 1 << 40) -> [String] {
    (0..<count).map { _ in
      var value = UInt64.random(in: 0..<vocabulary, using: &dice)
      var letters: [UInt8] = []
      repeat {
        letters.append(0x61 + UInt8(value % 26))
        value /= 26
      } while value > 0
      return String(decoding: letters, as: UTF8.self)
    }
  }

  /// Two texts whose sets of 5-grams have a Jaccard similarity close to `similarity`: a common beginning and different ends.
  mutating func pair(_ similarity: Double, shingles: Int = 120) -> (String, String) {
    // shared / (shared + 2 · own) = similarity, shared + own = shingles
    let shared = Int((2 * similarity / (1 + similarity) * Double(shingles)).rounded())
    let common = words(shared + 4)
    return ((common + words(shingles - shared)).joined(separator: " "), (common + words(shingles - shared)).joined(separator: " "))
  }
}

/// Sets of n-grams of words as strings; the texts have only letters, digits, blanks, and ASCII punctuation that is not beside a word on both
/// sides.
enum NaiveShingles {
  static func set(_ text: String, _ n: Int = 5) -> Set<[String]> {
    func isLetter(_ character: Character) -> Bool { character.isLetter || character.isNumber }
    let words = text.lowercased().split { !isLetter($0) }.map(String.init)
    if words.count >= n { return Set((0...(words.count - n)).map { Array(words[$0..<$0 + n]) }) }
    // A short text is one, with its punctuation.
    let all = text.lowercased().split(whereSeparator: \.isWhitespace).flatMap { piece in
      var runs: [String] = []
      for character in piece {
        if let last = runs.last?.last, isLetter(last) == isLetter(character) {
          runs[runs.count - 1].append(character)
        } else {
          runs.append(String(character))
        }
      }
      return runs
    }
    return all.isEmpty ? [] : [all]
  }

  static func similarity(_ a: String, _ b: String, _ n: Int = 5) -> Double { similarity(set(a, n), set(b, n)) }

  static func similarity(_ a: Set<[String]>, _ b: Set<[String]>) -> Double {
    guard !a.isEmpty, !b.isEmpty else { return 0 }
    return Double(a.intersection(b).count) / Double(a.union(b).count)
  }
}

@Suite struct SimilarityTests {
  @Test(arguments: 0..<20 as Range<UInt64>) func likeTheNaiveOne(seed: UInt64) {
    var maker = TextMaker(seed: seed)
    let n = Int.random(in: 1...7, using: &maker.dice)
    func text(_ maker: inout TextMaker) -> String {
      let count = Int.random(in: 0...400, using: &maker.dice)
      return maker.words(count, vocabulary: 12).map { word in
        [word, word.uppercased(), word + ",", "(\(word)", "-", "\(word)\(word.count)7", "'"].randomElement(using: &maker.dice) ?? word
      }.joined(separator: [" ", "\n", "\t "].randomElement(using: &maker.dice) ?? " ")
    }
    let (a, b) = (text(&maker), text(&maker))
    let (x, y) = (ShingleDocuments.shingles(Array(a.utf8), words: n), ShingleDocuments.shingles(Array(b.utf8), words: n))
    #expect(x.count == NaiveShingles.set(a, n).count)
    #expect(ShingleDocuments.similarity(x, y) == NaiveShingles.similarity(a, b, n))
  }

  /// Each pair of four bytes takes six while it is normalised, the most there is.
  @Test(arguments: [1, 20, 300, 100_000]) func lettersBetweenWordsOfOneCodePoint(pairs: Int) {
    let (tight, loose) = (String(repeating: "a漢", count: pairs), String(repeating: " a 漢 ", count: pairs))
    let shingles = ShingleDocuments.shingles(Array(tight.utf8), words: 2)
    #expect(shingles.count == min(pairs, 2))
    #expect(shingles == ShingleDocuments.shingles(Array(loose.utf8), words: 2))
  }

  @Test func largeSets() {
    var maker = TextMaker(seed: 5)
    let common = maker.words(6_000)
    let a = (common + maker.words(1_000)).joined(separator: " ")
    let b = (maker.words(1_000) + common).joined(separator: " ")
    let (x, y) = (ShingleDocuments.shingles(Array(a.utf8)), ShingleDocuments.shingles(Array(b.utf8)))
    #expect(zip(x, x.dropFirst()).allSatisfy { $0 < $1 })
    #expect(abs(ShingleDocuments.similarity(x, y) - NaiveShingles.similarity(a, b)) < 1e-4)
  }

  /// Texts of at least two words.
  @Test(arguments: [
    ("Don't stop, now!", "don’t  STOP\nnow"), ("Ünïcödé Łódź Ǆ", "unicode łodz ǆ"), ("ПРИВЕТ мир, край", "привет МИР краи\u{306}"),
    ("ΑΒΓ ὀδός", "αβγ ΟΔΟΣ"), ("“quoted” — dash", "quoted dash"), ("e\u{301}te\u{301} x", "ÉTÉ X"), ("a\u{A0}b\u{3000}c", "a b c"),
    ("日本語。", "日 本 語"), ("ｘ！ ａ", "x a"), ("ŁĹĻĽ x", "łlll x"), ("Ŋŋ ĸ", "ŋŊ ĸ"), ("Straße ﬁn", "STRASSE FIN"),
    ("ISPARTA kırık", "ısparta KIRIK"), ("thủ đô", "thu\u{309} \u{111}o\u{302}"), ("سَلَام عليكم", "سلام عليكـــم"),
    ("שָׁלוֹם עולם", "שלום עולם"),
    ("한국어 시험", "한국어 시험".decomposedStringWithCanonicalMapping), ("ﾊﾟｿｺﾝ", "パソコン"), ("क़लम है", "क\u{93C}लम है"), ("१२ का", "12 का"),
    ("x²+1", "x2 + 1"), ("state-of-the-art", "state of the art"), ("1,000,000 people", "1000000 people"),
    ("so\u{AD}ft hy\u{200B}phen", "soft hyphen"),
    ("[the house](there)", "the house there"), ("**bold** text", "bold text"), ("# Title here", "Title here"), ("a+b=c", "A + B = C"),
    ("м’ята і мʼята", "м'ята і м'ята"), ("ไม่กิน น้ำ", "ไม่กินน้ำ"), ("a\r\nb", "a\nb"),
  ]) func equalAfterNormalization(a: String, b: String) {
    #expect(ShingleDocuments.shingles(Array(a.utf8), words: 2) == ShingleDocuments.shingles(Array(b.utf8), words: 2), "\(a) and \(b)")
  }

  /// Whatever the length of shingles.
  @Test(arguments: [
    ("ab", "a b"), ("a1", "a"), ("ĸ", "ĺ"), ("ł", "l"), ("a b", "b a"), ("日本", "本日"), ("abcdefgh", "abcdefghi"), ("é", "ê e"),
    ("x != y", "x == y"), ("C++", "C#"), ("C#", "c"), ("a + b", "a - b"), ("a <= b", "a >= b"), ("!?", "?!"), (":-)", ":-("),
    ("(x)", "[x]"),
    ("12 + 30 = 42", "99 * 7 = 693"), ("if (a < b) return a; else return b;", "if (a > b) return a; else return b;"),
    ("the sum a + b of a and b", "the sum a * b of a and b"), ("if x && y then do z", "if x || y then do z"),
    ("-5 degrees at noon today", "5 degrees at noon today"),
    ("👍", "👎"), ("I love you so much 💔", "I love you so much 💚"), ("∀x", "∃x"), ("a ≠ b", "a = b"), ("→", "←"), ("1.5 kg", "15 kg"),
    ("an area of 10² meters", "an area of 102 meters"), ("1½ cups of flour", "11⁄2 cups of flour"), ("か", "が"),
    ("कि", "का"), ("กิน", "กัน"), ("do x if a != b now", "do x if a == b now"), ("I use C# at work today", "I use C at work today"),
  ]) func differentAfterNormalization(a: String, b: String) {
    for words in [2, 5] {
      #expect(
        ShingleDocuments.shingles(Array(a.utf8), words: words) != ShingleDocuments.shingles(Array(b.utf8), words: words), "\(a) and \(b)")
    }
  }

  @Test func numbersCountUnlessTheyAreIgnored() {
    let (a, b) = (Array("chapter 12 of 1,000.5 or ٣ parts".utf8), Array("chapter 7 of 3 or 10 parts".utf8))
    #expect(ShingleDocuments.similarity(ShingleDocuments.shingles(a), ShingleDocuments.shingles(b)) == 0)
    #expect(ShingleDocuments.shingles(a, numbersAlike: true) == ShingleDocuments.shingles(b, numbersAlike: true))
  }

  /// Long enough for vectors, with everything that interrupts them at every place in them.
  @Test(arguments: 0..<70) func theSameAtEveryPlaceOfAVector(place: Int) {
    let text = String(repeating: "a b ", count: 20) + "1,000 + x-ray é != 日本 !"
    let shifted = String(repeating: " ", count: place) + text
    for alike in [false, true] {
      #expect(
        ShingleDocuments.shingles(Array(shifted.utf8), numbersAlike: alike)
          == ShingleDocuments.shingles(Array(text.utf8), numbersAlike: alike))
    }
  }

  /// `weir_fold_bounds` goes from code point to code point, `weir_fold` takes shortcuts.
  @Test(arguments: 0..<8 as Range<UInt32>) func foldsAsCodePointByCodePoint(flags: UInt32) {
    let parts = [
      "a", "Zebra", "1", "123", "1,000", "1.5", "00", ",", ".", " ", "  ", "\n", "!", "!=", "#", " * ", "-", "-5", "$", "&amp;", "&", "+",
      "<b>",
      "<", "a<b", "](x)", "]", "(", "~", "é", "e\u{301}", "o\u{301}\u{323}", "слово", "中", "が", "한글", "½", "→", "+\u{338}", "😀", "٣",
      "sixteenletterswd",
    ]
    var dice = Dice(state: UInt64(flags))
    var (fast, slow) = ([UInt8](repeating: 0, count: 100_000), [UInt8](repeating: 0, count: 100_000))
    for _ in 0..<2_000 {
      let isASCII = Bool.random(using: &dice)
      let text = (0..<Int.random(in: 0...120, using: &dice)).reduce(into: [UInt8]()) { text, _ in
        if isASCII { text.append(UInt8.random(in: 0...127, using: &dice)) } else { text += (parts.randomElement(using: &dice) ?? "").utf8 }
      }
      var isUnspaced: Int32 = 0
      var bounds = [Int](repeating: 0, count: 2_000)
      let end = weir_fold(text, text.count, flags, &fast, fast.count, &isUnspaced)
      _ = weir_fold_bounds(text, text.count, flags, &slow, slow.count, &bounds)
      #expect(fast[..<(end - 1)] == slow[..<(end - 1)], "\(String(decoding: text, as: UTF8.self))")
    }
  }

  @Test(arguments: 0..<10 as Range<UInt64>) func anyBytes(seed: UInt64) throws {
    var dice = Dice(state: seed)
    let alphabet: [UInt8] = [
      0x0A, 0x20, 0x2E, 0x61, 0x41, 0x31, 0x80, 0xA6, 0xC2, 0xC3, 0xE2, 0xE6, 0xED, 0xEF, 0xF0, 0xF4, 0xFF, 0x85, 0xBF,
    ]
    let stage = try ShingleDocuments()
    var tally = Tally(stage: "")
    for length in [0, 1, 2, 3, 5, 50, 5_000] {
      let text = (0..<length).map { _ in alphabet.randomElement(using: &dice) ?? 0 }
      let hashed = HashDocuments(.paragraphs).apply([Document(id: "", text: text)], tally: &tally)
      #expect(hashed.documents.count == 1)
      _ = try stage.apply([Document(id: "", text: text)], tally: &tally)
    }
  }
}

@Suite struct RecallTests {
  static let levels = [0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.99]

  /// Pairs at each level, first members first, so that the members of a pair are far from each other.
  private func planted(_ seed: UInt64, each count: Int) -> (texts: [String], similarity: [Double]) {
    var maker = TextMaker(seed: seed)
    let pairs = Self.levels.flatMap { level in (0..<count).map { _ in maker.pair(level) } }
    let similarity = pairs.indices.map { $0 % count == 0 ? NaiveShingles.similarity(pairs[$0].0, pairs[$0].1) : -1 }
    // Every pair of a level has the same counts, hence the same similarity.
    return (pairs.map(\.0) + pairs.map(\.1), pairs.indices.map { similarity[$0 / count * count] })
  }

  @Test(arguments: [1, 2] as [UInt64]) func candidatesAsTheFormulaSays(seed: UInt64) throws {
    let count = 200
    let (texts, similarity) = planted(seed, each: count)
    var configuration = DeduplicationConfiguration()
    configuration.verify = false
    configuration.randomSeed = seed
    let decision = try fuzzy(texts, configuration)
    let pairs = texts.count / 2
    for (index, level) in Self.levels.enumerated() {
      let exact = similarity[index * count]
      #expect(abs(exact - level) < 0.01)
      let found = (index * count..<(index + 1) * count).reduce(0) { $0 + (decision.duplicateOf[pairs + $1] == Int32($1) ? 1 : 0) }
      let expected = configuration.recall(exact)
      let error = (expected * (1 - expected) / Double(count)).squareRoot()
      #expect(
        abs(Double(found) / Double(count) - expected) <= 4 * error + 1e-3, "similarity \(exact): \(found) of \(count), expected \(expected)"
      )
    }
  }

  @Test func nothingBelowTheThreshold() throws {
    let count = 100
    let (texts, similarity) = planted(9, each: count)
    let decision = try fuzzy(texts)
    let pairs = texts.count / 2
    for index in 0..<pairs {
      #expect(decision.kept[index])
      if similarity[index] < 0.7 { #expect(decision.kept[pairs + index]) }
      if !decision.kept[pairs + index] { #expect(decision.duplicateOf[pairs + index] == Int32(index)) }
    }
    #expect(decision.report.rejected > 0)
    for example in decision.report.examples { #expect((example.similarity ?? 0) >= 0.7) }
  }

  @Test func theFormula() {
    let configuration = DeduplicationConfiguration()
    #expect(abs(configuration.recall(0.8) - 0.924) < 5e-4)
    #expect(configuration.recall(0) == 0)
    #expect(configuration.recall(1) == 1)
  }
}

@Suite struct GroupTests {
  /// A corpus of families: texts that differ a little from one another, in random order.
  private func families(_ seed: UInt64) -> [String] {
    var maker = TextMaker(seed: seed)
    var texts: [String] = []
    for _ in 0..<12 {
      var words = maker.words(Int.random(in: 1...80, using: &maker.dice))
      for _ in 0..<Int.random(in: 1...12, using: &maker.dice) {
        texts.append(words.joined(separator: " "))
        // A drift: the ends of a chain are unlike, its neighbours alike.
        for _ in 0..<Int.random(in: 0...1, using: &maker.dice) {
          words[Int.random(in: 0..<words.count, using: &maker.dice)] = maker.words(1)[0]
        }
      }
    }
    return (texts + ["", " - ", "…"]).shuffled(using: &maker.dice)
  }

  /// The connected components of the pairs at or above the threshold, each by its least member.
  private func naiveGroups(_ texts: [String], _ threshold: Double) -> [Int] {
    var groups = Array(texts.indices)
    let sets = texts.map { NaiveShingles.set($0) }
    for a in texts.indices {
      for b in texts.indices where b > a && NaiveShingles.similarity(sets[a], sets[b]) >= threshold {
        let (old, new) = (max(groups[a], groups[b]), min(groups[a], groups[b]))
        for index in groups.indices where groups[index] == old { groups[index] = new }
      }
    }
    return groups
  }

  @Test(arguments: 0..<6 as Range<UInt64>) func connectedComponentsAndOneSurvivorEach(seed: UInt64) throws {
    let texts = families(seed)
    var configuration = DeduplicationConfiguration()
    // One row a band: every pair worth finding is a candidate, and many that are not.
    configuration.rows = 1
    configuration.bands = 60
    configuration.threshold = 0.6
    configuration.maximumComparisons = 1_000
    let groups = naiveGroups(texts, configuration.threshold)
    for keep in DeduplicationConfiguration.Keep.allCases {
      configuration.keep = keep
      let decision = try fuzzy(texts, configuration)
      for root in Set(groups) {
        let members = texts.indices.filter { groups[$0] == root }
        let survivor = keep == .first ? root : members.max { (texts[$0].utf8.count, -$0) < (texts[$1].utf8.count, -$1) } ?? -1
        #expect(members.filter { decision.kept[$0] } == [survivor])
        for member in members { #expect(Int(decision.duplicateOf[member]) == (member == survivor ? -1 : survivor)) }
      }
      #expect(decision.report.removed == texts.count - Set(groups).count)
      #expect(decision.report.groups.reduce(0) { $0 + ($1.key - 1) * $1.value } == decision.report.removed)
      #expect(decision.report.withoutWords == 1)
    }
  }

  @Test(arguments: 0..<3 as Range<UInt64>) func sameWhateverTheBatchesThreadsAndMemory(seed: UInt64) throws {
    let texts = families(seed) + families(seed) + families(seed + 100)
    let expected = try fuzzy(texts)
    for (batch, threads, limit) in [(1, 1, 0), (7, 2, 1_000), (64, 3, 100_000), (5_000, 4, 0)] {
      #expect(try fuzzy(texts, batch: batch, threads: threads, spillLimit: limit) == expected)
    }
    #expect(expected.report.removed >= texts.count / 3)
  }

  /// More shingles than one piece of a buffer holds, in memory, half of them, and in a file.
  @Test func sameInPiecesOfMemory() throws {
    var maker = TextMaker(seed: 12)
    let texts = (0..<120).map { _ in maker.words(900, vocabulary: 5_000).joined(separator: " ") }
    let more = texts.map { $0.replacing(" a", with: " b", maxReplacements: 12) }
    let expected = try fuzzy(texts + more)
    #expect(expected.report.removed > 60)
    for limit in [0, 700_000] { #expect(try fuzzy(texts + more, threads: 2, spillLimit: limit) == expected) }
  }

  @Test func largeGroupsOfCopiesInOneBand() throws {
    // Two families share half their words: with one row they share bands, and neither joins the other.
    var maker = TextMaker(seed: 3)
    let common = maker.words(60)
    let families = (0..<3).map { _ in (common + maker.words(40)).joined(separator: " ") }
    let texts = (0..<3_000).map { families[$0 % 3] }
    var configuration = DeduplicationConfiguration()
    configuration.rows = 1
    let decision = try fuzzy(texts, configuration)
    #expect(decision.kept.indices.filter { decision.kept[$0] } == [0, 1, 2])
    #expect(decision.report.groups == [1_000: 3])
    #expect(decision.report.compared < 20_000)
    let warning = try #require(decision.report.warnings.first { $0.contains("1000 near-duplicates") })
    #expect(warning.contains("--threshold cannot separate them; use --exact alone"))
  }

  @Test func theWarningAboutALargeGroupNamesWhatHelps() throws {
    func warning(_ texts: [String], _ change: (inout DeduplicationConfiguration) -> Void) throws -> String {
      var configuration = DeduplicationConfiguration()
      change(&configuration)
      return try fuzzy(texts, configuration).report.warnings.joined()
    }
    let problems = (0..<40).map { "Ann has \($0) apples and gives \($0 * 7 % 11) of them to Bob, so how many does Ann have?" }
    #expect(try warning(problems) { _ in } == "")
    #expect(try warning(problems) { $0.ignoresNumbers = true }.contains("leave out --ignore-numbers"))
    var maker = TextMaker(seed: 1)
    let words = maker.words(60)
    let similar = (0..<40).map { "\($0) " + words.joined(separator: " ") }
    #expect(try warning(similar) { _ in }.contains("raise --threshold"))
    #expect(try warning(similar) { $0.verify = false }.contains("leave out --no-verify"))
  }

  @Test func withoutWarningWhereGroupsAreSmall() throws {
    var maker = TextMaker(seed: 4)
    let texts = (0..<40).map { _ in maker.words(30).joined(separator: " ") }
    let decision = try fuzzy(texts + texts)
    #expect(decision.report.warnings.isEmpty)
    #expect(decision.report.groups == [2: 40])
    #expect(decision.report.recall.count == 10)
  }

  @Test func oddTexts() throws {
    let long = String(repeating: "x", count: 300_000)
    let texts = [
      "", "", " ", "word", "Word!", "two words", "two  words", "!?", "!?", long, long + "y", String(repeating: "a ", count: 50_000),
      "a a a a a a",
    ]
    let decision = try fuzzy(texts)
    #expect(decision.kept == [true, true, true, true, true, true, false, true, false, true, true, true, false])
    #expect(decision.report.withoutWords == 3)
    #expect(try fuzzy([]).kept.isEmpty)
  }

  @Test func secondPass() throws {
    var maker = TextMaker(seed: 8)
    let texts = (0..<30).map { _ in maker.words(20).joined(separator: " ") }
    let documents = (texts + texts.reversed()).enumerated().map {
      Document(id: "\($0)", text: Array($1.utf8), source: $0 % 2 == 0 ? "s" : nil, members: Array("\"a\": 1".utf8), origin: "f:\($0)")
    }
    let spool = try DocumentSpool()
    for start in stride(from: 0, to: 60, by: 11) {
      let batch = Array(documents[start..<min(60, start + 11)])
      try spool.append(DocumentSpool.encode(batch), count: batch.count)
    }
    #expect(try spool.documents([3, 59]) == [3: documents[3], 59: documents[59]])
    let replay = ReplayDocuments(try fuzzy(texts + texts.reversed()))
    var tally = Tally(stage: replay.name ?? "", keepsRejects: true)
    var kept: [Document] = []
    while let block = try spool.next() {
      var unused = Tally(stage: "")
      kept += try replay.apply(DecodeSpool().apply(block, tally: &unused), tally: &tally)
    }
    #expect(kept == Array(documents.prefix(30)))
    #expect(tally.account.dropped == ["near_duplicate": 30])
    #expect(tally.account.isBalanced)
    #expect(tally.rejects.map(\.origin) == (30..<60).map { "f:\($0)" })
  }

  @Test func bandingFindsNineInTenAtTheThreshold() {
    for threshold in [0.5, 0.7, 0.8, 0.9] {
      var configuration = DeduplicationConfiguration()
      (configuration.bands, configuration.rows) = DeduplicationConfiguration.banding(threshold: threshold)
      #expect(configuration.bands * configuration.rows <= 112)
      #expect(configuration.recall(threshold) >= 0.9)
      #expect(configuration.recall(threshold - 0.25) < 0.5)
    }
  }

  @Test func configurations() throws {
    var configuration = DeduplicationConfiguration()
    configuration.bands = 20
    configuration.keep = .longest
    for change: (inout DeduplicationConfiguration) -> Void in [
      { $0.rows = 0 }, { $0.bands = 1_001 }, { $0.threshold = 0 }, { $0.threshold = .nan }, { $0.shingleWords = 0 },
      { $0.maximumComparisons = 0 },
    ] {
      var wrong = DeduplicationConfiguration()
      change(&wrong)
      #expect(throws: WeirError.self) { try wrong.validate() }
    }
    #expect(configuration.estimate(documents: 1_000_000).memory > 57_000_000)
    #expect(configuration.estimate(documents: 10).disk == 0)
  }

  @Test func aFolderThatCannotBeWritten() throws {
    let stage = try ShingleDocuments()
    var tally = Tally(stage: "")
    let batch = try stage.apply([Document(id: "", text: "some words")], tally: &tally)
    let deduplicator = try FuzzyDeduplicator(spillLimit: 0, temporaryFolder: "/nowhere/at/all")
    #expect(throws: WeirError.self) { try deduplicator.add(batch) }
  }
}
