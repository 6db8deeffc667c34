import CKernels
import Documents
import Primitives

/// The n-grams of evaluation texts, to be looked for in a corpus.
package struct EvaluationIndex: Sendable {
  /// What a document shares with an evaluation text.
  package struct Match: Sendable, Equatable {
    /// Which of the texts.
    package var text: Int
    /// Words in a row, or words of the n-grams whose share was taken.
    package var words: Int
    /// The share of the text's n-grams; nil where words in a row decided.
    package var share: Double?
    /// The bytes of the document where the first shared n-gram stands.
    package var range: Range<Int>
  }

  /// Where the texts stand, `path:line`.
  package let origins: [String]
  /// The texts that are too short to be looked for.
  package let tooShort: Int
  private let configuration: DecontaminationConfiguration
  /// The lengths of n-grams in `runs`, the longest first.
  private let lengths: [Int]
  private let runs: GramTable
  private let covers: GramTable
  /// Different n-grams of each text.
  private let coverCounts: [Int]
  /// Whether each n-gram in `runs` begins with one in `covers`, so that only a document that shares one of these needs a closer look.
  private let coversBeginRuns: Bool

  /// Creates an index.
  /// - Parameters:
  ///   - texts: the evaluation texts.
  ///   - configuration: the rules.
  /// - Throws: `WeirError` for a configuration out of range, or where every text is too short.
  package init(_ texts: [Document], configuration: DecontaminationConfiguration = .init()) throws {
    try configuration.validate()
    self.configuration = configuration
    origins = texts.map(\.origin)
    var words = Words()
    var lengths: Set<Int> = []
    var runs: [(UInt64, UInt32)] = []
    var covers: [(UInt64, UInt32)] = []
    var counts: [Int] = []
    var tooShort = 0
    for (index, text) in texts.enumerated() {
      words.read(text.text)
      let isShort = words.count < min(configuration.minimumWords, max(configuration.words, configuration.coverWords))
      if isShort { tooShort += 1 }
      if configuration.words > 0, !isShort, words.count > 0 {
        let length = min(words.count, configuration.words)
        lengths.insert(length)
        runs += words.grams(length).map { ($0, UInt32(index)) }
      }
      let different = configuration.coverWords > 0 && !isShort ? Set(words.grams(configuration.coverWords)) : []
      covers += different.map { ($0, UInt32(index)) }
      counts.append(different.count)
    }
    self.tooShort = tooShort
    self.lengths = lengths.sorted(by: >)
    coversBeginRuns = configuration.coverWords > 0 && lengths.allSatisfy { $0 >= configuration.coverWords }
    self.runs = GramTable(runs)
    self.covers = GramTable(covers)
    coverCounts = counts
    guard !self.runs.isEmpty || !self.covers.isEmpty else {
      throw WeirError(
        origins.first ?? "--against", "no evaluation text has \(configuration.minimumWords) words",
        remedy: "lower --minimum-words, or name the member that holds the texts with --against-field")
    }
  }

  /// What a text shares with an evaluation text, in time linear in its length; nil where that is too little.
  ///
  /// Words in a row come first, the longest first, and of those the first in the text; then the text with the largest share.
  func match(_ text: [UInt8], _ words: inout Words) -> Match? {
    words.read(text)
    var shared: [(place: Int, gram: UInt64)] = []
    words.withGrams(configuration.coverWords) { grams in
      covers.search(grams) { place, gram in
        shared.append((place, gram))
        return false
      }
    }
    if coversBeginRuns, shared.isEmpty { return nil }
    for length in lengths {
      var hit: (place: Int, gram: UInt64)?
      words.withGrams(length) { grams in
        if coversBeginRuns {
          hit = shared.lazy.map(\.place).prefix { $0 < grams.count }.first { runs.contains(grams[$0]) }.map { ($0, grams[$0]) }
        } else {
          runs.search(grams) { place, gram in
            hit = (place, gram)
            return true
          }
        }
      }
      guard let hit else { continue }
      return Match(text: Int(runs.owners(of: hit.gram).first ?? 0), words: length, range: words.range(hit.place, length, in: text))
    }
    var found: Match?
    var seen: Set<UInt64> = []
    var counts: [UInt32: (count: Int, place: Int)] = [:]
    for (place, gram) in shared where seen.insert(gram).inserted {
      for owner in covers.owners(of: gram) { counts[owner, default: (0, place)].count += 1 }
    }
    for (owner, (count, place)) in counts.sorted(by: { $0.key < $1.key }) {
      let share = Double(count) / Double(coverCounts[Int(owner)])
      guard share >= configuration.coverShare, share > found?.share ?? 0 else { continue }
      found = Match(
        text: Int(owner), words: configuration.coverWords, share: share,
        range: words.range(place, configuration.coverWords, in: text))
    }
    return found
  }

  /// The words of a text, with room that lasts from text to text.
  struct Words {
    private(set) var count = 0
    private var hashes: [UInt64] = []
    private var starts: [Int] = []
    private var scratch: [UInt64] = []

    /// Reads the words of a text.
    mutating func read(_ text: [UInt8]) {
      if hashes.count < text.count {
        hashes = [UInt64](repeating: 0, count: text.count)
        starts = [Int](repeating: 0, count: text.count)
        scratch = hashes
      }
      count = text.isEmpty ? 0 : weir_word_hashes(text, text.count, &hashes, &starts)
    }

    /// The fingerprints of the n-grams.
    mutating func withGrams(_ length: Int, _ body: (UnsafeBufferPointer<UInt64>) -> Void) {
      let made = weir_ngrams(hashes, count, length, &scratch)
      scratch.withUnsafeBufferPointer { body(UnsafeBufferPointer(rebasing: $0[..<made])) }
    }

    /// The fingerprints of the n-grams.
    mutating func grams(_ length: Int) -> [UInt64] {
      var grams: [UInt64] = []
      withGrams(length) { grams = Array($0) }
      return grams
    }

    /// The bytes of some words, without white space at the end.
    func range(_ first: Int, _ words: Int, in text: [UInt8]) -> Range<Int> {
      var end = first + words < count ? starts[first + words] : text.count
      while end > starts[first], text[end - 1] <= 0x20 { end -= 1 }
      return starts[first]..<end
    }
  }
}
