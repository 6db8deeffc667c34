import CKernels
import Documents
import Primitives

/// Finds the n-grams of evaluation texts in documents.
package struct EvaluationIndex: Sendable {
  /// The text that a document shares with an evaluation text.
  package struct Match: Sendable, Equatable {
    /// The number of the evaluation text.
    package var text: Int
    /// The number of consecutive words, or n where the share of n-grams decided.
    package var words: Int
    /// The fraction of the evaluation text's n-grams; nil where consecutive words decided.
    package var share: Double?
    /// The byte range of the first shared n-gram in the document.
    package var range: Range<Int>
  }

  /// The `path:line` of each evaluation text.
  package let origins: [String]
  /// The number of evaluation texts that are ignored because they are too short.
  package let tooShort: Int
  private let configuration: DecontaminationConfiguration
  /// The n-gram lengths in `runs`, longest first.
  private let lengths: [Int]
  private let runs: GramTable
  private let covers: GramTable
  /// The number of distinct n-grams of each evaluation text.
  private let coverCounts: [Int]
  /// Whether each n-gram in `runs` begins with one in `covers`, so that documents without any of these can be skipped.
  private let coversBeginRuns: Bool

  /// - Throws: `WeirError` if the configuration is out of range or every evaluation text is too short.
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
        remedy: "lower --minimum-words, or set --against-field to the member that holds the texts")
    }
  }

  /// The first match by consecutive words, of the longest length that matches; otherwise the evaluation text with the largest share of
  /// n-grams in `text`; nil if no rule applies. Linear in the length of `text`.
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

  /// The words of a text. The buffers are reused for the next text.
  struct Words {
    private(set) var count = 0
    private var hashes: [UInt64] = []
    private var starts: [Int] = []
    private var scratch: [UInt64] = []

    mutating func read(_ text: [UInt8]) {
      if hashes.count < text.count {
        hashes = [UInt64](repeating: 0, count: text.count)
        starts = [Int](repeating: 0, count: text.count)
        scratch = hashes
      }
      count = text.isEmpty ? 0 : weir_word_hashes(text, text.count, &hashes, &starts)
    }

    /// Calls `body` with the fingerprints of the n-grams of `length` words.
    mutating func withGrams(_ length: Int, _ body: (UnsafeBufferPointer<UInt64>) -> Void) {
      let made = weir_ngrams(hashes, count, length, &scratch)
      scratch.withUnsafeBufferPointer { body(UnsafeBufferPointer(rebasing: $0[..<made])) }
    }

    /// The fingerprints of the n-grams of `length` words.
    mutating func grams(_ length: Int) -> [UInt64] {
      var grams: [UInt64] = []
      withGrams(length) { grams = Array($0) }
      return grams
    }

    /// The byte range of `words` words from the word `first` on, without trailing whitespace.
    func range(_ first: Int, _ words: Int, in text: [UInt8]) -> Range<Int> {
      var end = first + words < count ? starts[first + words] : text.count
      while end > starts[first], text[end - 1] <= 0x20 { end -= 1 }
      return starts[first]..<end
    }
  }
}
