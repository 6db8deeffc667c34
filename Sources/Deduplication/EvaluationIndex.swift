import Documents
import Primitives

/// Finds the n-grams of evaluation texts in documents.
///
/// Every n-gram that counts begins with a shorter one, its anchor. One pass over a document looks anchors up; only where one is found are
/// longer n-grams computed.
package struct EvaluationIndex: Sendable {
  /// The text that a document shares with an evaluation text.
  struct Match: Equatable {
    /// The number of the evaluation text.
    var text: Int
    /// The fraction of the evaluation text's n-grams; nil where consecutive words decided.
    var share: Double?
    /// The first word in the document that is shared.
    var first: Int
    /// The number of consecutive words; nil where the share decided.
    var length: Int?
  }

  /// The n-grams of evaluation texts in a document.
  struct Hits: Sendable {
    /// Consecutive words, longest n-grams first, those of one length in text order.
    var runs: [(word: UInt32, length: UInt32, gram: UInt32)] = []
    /// n-grams for the share, in text order.
    var covers: [(word: UInt32, gram: UInt32)] = []

    var count: Int { runs.count + covers.count }
  }

  /// The length of n-grams for consecutive words.
  private enum Length: Hashable {
    /// As many words as weigh `configuration.words` words.
    case full
    /// All words of an evaluation text that weighs less.
    case whole(Int)
  }

  /// The evaluation texts.
  package let texts: [Document]
  /// The number of evaluation texts that are ignored because they are too short.
  package let tooShort: Int
  /// How words are counted in scripts without spaces, where any of these is in one; otherwise empty.
  package let shortNote: String
  let configuration: DecontaminationConfiguration
  /// The lengths in `runs`, longest first.
  private let lengths: [Length]
  let runs: GramTable
  let covers: GramTable
  /// Beginnings of `runs` of `anchorWords` words; nil where `covers` are the anchors.
  private let anchors: GramTable?
  private let anchorWords: Int
  /// Per anchor, the lengths of the n-grams that begin with it: bit i stands for `lengths[i]`, the last bit for all from there on.
  private let lengthsOfAnchors: [UInt64]

  /// - Throws: `WeirError` if the configuration is out of range or every evaluation text is too short.
  package init(_ texts: [Document], configuration: DecontaminationConfiguration = .init()) throws {
    try configuration.validate()
    self.configuration = configuration
    self.texts = texts
    let least = min(configuration.minimumWords, max(configuration.words, configuration.coverWords))
    // Every n-gram in `runs` weighs at least this.
    let anchorWords = min(configuration.words, least)
    let coversAreAnchors = configuration.coverWords > 0 && configuration.coverWords <= anchorWords
    var words = FoldedText()
    var lengths: Set<Length> = []
    var runs = GramList()
    var covers = GramList()
    var anchors = GramList()
    // Where the beginnings of `runs` are among the anchors.
    var begun: [(anchors: Range<Int>, length: Length)] = []
    var tooShort = 0
    var shortAreUnspaced = false
    for (index, text) in texts.enumerated() {
      words.read(text.text)
      guard words.count > 0, words.weight >= least * FoldedText.wordWeight else {
        tooShort += 1
        shortAreUnspaced = shortAreUnspaced || words.isUnspaced
        continue
      }
      let owner = UInt32(index)
      let firstAnchor = coversAreAnchors ? covers.count : anchors.count
      if configuration.coverWords > 0 { words.withGrams(weighing: configuration.coverWords) { covers.append($0, of: owner) } }
      guard configuration.words > 0 else { continue }
      if !coversAreAnchors { words.withGrams(weighing: anchorWords) { anchors.append($0, of: owner) } }
      let end = coversAreAnchors ? covers.count : anchors.count
      let first = runs.count
      var length = Length.full
      words.withGrams(weighing: configuration.words) { runs.append($0, of: owner) }
      if runs.count == first, let whole = words.gram(from: 0, length: words.count) {
        length = .whole(words.count)
        withUnsafePointer(to: whole) { runs.append(UnsafeBufferPointer(start: $0, count: 1), of: owner) }
      }
      lengths.insert(length)
      begun.append((firstAnchor..<min(firstAnchor + runs.count - first, end), length))
    }
    self.tooShort = tooShort
    shortNote = shortAreUnspaced ? " (two Han characters, three kana or four Thai characters count as one word)" : ""
    self.lengths = lengths.sorted {
      switch ($0, $1) {
      case (.full, .whole): true
      case (.whole(let one), .whole(let other)): one > other
      default: false
      }
    }
    self.runs = GramTable(runs)
    self.covers = GramTable(covers)
    self.anchors = coversAreAnchors || configuration.words == 0 ? nil : GramTable(anchors)
    self.anchorWords = anchorWords
    let table = self.anchors ?? self.covers
    var masks = [UInt64](repeating: 0, count: table.count)
    let bits = Dictionary(uniqueKeysWithValues: self.lengths.enumerated().map { ($1, UInt64(1) << UInt64(min($0, 63))) })
    (coversAreAnchors ? covers : anchors).grams.withUnsafeBufferPointer { grams in
      for (range, length) in begun {
        let bit = bits[length] ?? 0
        table.search(UnsafeBufferPointer(rebasing: grams[range])) { masks[$1] |= bit }
      }
    }
    lengthsOfAnchors = masks
    guard self.runs.count + self.covers.count > 0 else {
      throw WeirError(
        texts.first?.origin ?? "--against", "no evaluation text has \(configuration.minimumWords) words\(shortNote)",
        remedy: "lower --minimum-words, or set --against-field to the member that holds the texts")
    }
  }

  /// The n-grams of evaluation texts in a text; nil if there are none. Linear in the length of `text`.
  func hits(_ text: [UInt8], _ words: inout FoldedText) -> Hits? {
    words.read(text)
    var hits = Hits()
    if configuration.coverWords > 0 {
      words.withGrams(weighing: configuration.coverWords) { covers.search($0) { hits.covers.append((UInt32($0), UInt32($1))) } }
    }
    var places = anchors == nil ? hits.covers : []
    if let anchors { words.withGrams(weighing: anchorWords) { anchors.search($0) { places.append((UInt32($0), UInt32($1))) } } }
    let begun = places.reduce(0) { $0 | lengthsOfAnchors[Int($1.gram)] }
    for (index, length) in lengths.enumerated() {
      let bit = UInt64(1) << UInt64(min(index, 63))
      guard begun & bit != 0 else { continue }
      let first = places.lazy.filter { lengthsOfAnchors[Int($0.gram)] & bit != 0 }.map(\.word)
      switch length {
      case .full: findFull(Array(first), &words, &hits)
      case .whole(let count):
        for word in first {
          guard let gram = words.gram(from: Int(word), length: count), let number = runs.number(of: gram) else { continue }
          hits.runs.append((word, UInt32(count), UInt32(number)))
        }
      }
    }
    return hits.count == 0 ? nil : hits
  }

  /// Adds the n-grams of full length from these words on that evaluation texts contain.
  private func findFull(_ first: [UInt32], _ words: inout FoldedText, _ hits: inout Hits) {
    let known = hits.runs.count
    words.withGrams(weighing: configuration.words) { grams in
      let wanted = first.prefix { $0 < grams.count }.map { grams[Int($0)] }
      wanted.withUnsafeBufferPointer { runs.search($0) { hits.runs.append((first[$0], 0, UInt32($1))) } }
    }
    for index in known..<hits.runs.count {
      hits.runs[index].length = UInt32(words.length(from: Int(hits.runs[index].word), weighing: configuration.words) ?? 0)
    }
  }

  /// The first shared n-gram of consecutive words, of the longest length that is shared; otherwise the evaluation text with the largest share
  /// of n-grams; nil if no rule applies.
  func match(_ hits: Hits, without common: CommonGrams) -> Match? {
    if let run = hits.runs.first(where: { !common.runs.contains($0.gram) }) {
      return Match(text: Int(runs.owners(of: Int(run.gram)).first ?? 0), first: Int(run.word), length: Int(run.length))
    }
    let covered = covered(hits, without: common)
    guard let best = covered.max(by: { ($0.share, $1.text) < ($1.share, $0.text) }) else { return nil }
    return Match(text: best.text, share: best.share, first: best.first)
  }

  /// The evaluation texts of which a document contains a large enough share, ascending, each with the first shared word.
  private func covered(_ hits: Hits, without common: CommonGrams) -> [(text: Int, share: Double, first: Int)] {
    var seen: Set<UInt32> = []
    var counts: [UInt32: (count: Int, first: Int)] = [:]
    for (word, gram) in hits.covers where !common.covers.contains(gram) && seen.insert(gram).inserted {
      for owner in covers.owners(of: Int(gram)) { counts[owner, default: (0, Int(word))].count += 1 }
    }
    return counts.sorted { $0.key < $1.key }.compactMap { owner, found in
      let share = Double(found.count) / Double(common.coverCounts[Int(owner)])
      return share >= configuration.coverShare ? (Int(owner), share, found.first) : nil
    }
  }

  /// The words that a document shares with evaluation texts, as far as a rule applies, and the text that the first of them are of: ascending,
  /// without overlaps.
  func shared(_ hits: Hits, _ words: FoldedText, without common: CommonGrams) -> [(words: Range<Int>, text: Int)] {
    var ranges = hits.runs.filter { !common.runs.contains($0.gram) }.map {
      (words: Int($0.word)..<Int($0.word + $0.length), text: Int(runs.owners(of: Int($0.gram)).first ?? 0))
    }
    let texts = Set(covered(hits, without: common).map { UInt32($0.text) })
    for (word, gram) in hits.covers where !texts.isEmpty && !common.covers.contains(gram) {
      guard let owner = covers.owners(of: Int(gram)).first(where: texts.contains) else { continue }
      ranges.append((Int(word)..<Int(word) + coverLength(words, Int(word)), Int(owner)))
    }
    var merged: [(words: Range<Int>, text: Int)] = []
    for range in ranges.sorted(by: { ($0.words.lowerBound, $0.text) < ($1.words.lowerBound, $1.text) }) {
      if let last = merged.last, range.words.lowerBound <= last.words.upperBound {
        merged[merged.count - 1].words = last.words.lowerBound..<max(last.words.upperBound, range.words.upperBound)
      } else {
        merged.append(range)
      }
    }
    return merged
  }

  /// The number of words of an n-gram for the share.
  func coverLength(_ words: FoldedText, _ first: Int) -> Int {
    words.length(from: first, weighing: configuration.coverWords) ?? words.count - first
  }

  /// The number of distinct n-grams of each evaluation text that count for its share.
  func coverCounts(without common: Set<UInt32> = []) -> [Int] {
    var counts = [Int](repeating: 0, count: texts.count)
    for gram in 0..<covers.count where !common.contains(UInt32(gram)) {
      for owner in covers.owners(of: gram) { counts[Int(owner)] += 1 }
    }
    return counts
  }

  /// The text of an n-gram in `runs`, or in `covers` if `isCover`, in its first evaluation text.
  func quote(_ gram: Int, isCover: Bool) -> (text: String, origin: String) {
    let table = isCover ? covers : runs
    let text = texts[Int(table.owners(of: gram).first ?? 0)]
    var words = FoldedText()
    words.read(text.text)
    let wanted = isCover ? configuration.coverWords : configuration.words
    for word in 0..<words.count {
      let length = words.length(from: word, weighing: wanted) ?? words.count - word
      guard words.gram(from: word, length: length) == table.gram(gram) else { continue }
      let bounds = words.bounds(text.text)
      return (Self.quote(text.text, bounds[word].lowerBound..<bounds[word + length - 1].upperBound), text.origin)
    }
    return ("", text.origin)
  }

  /// A part of a text on one line.
  static func quote(_ text: [UInt8], _ range: Range<Int>) -> String {
    String(decoding: text[range], as: UTF8.self).split(whereSeparator: \.isWhitespace).joined(separator: " ")
  }
}

/// N-grams of evaluation texts that too many documents contain to say anything.
struct CommonGrams: Sendable {
  /// Among the n-grams of consecutive words.
  var runs: Set<UInt32> = []
  /// Among the n-grams for the share.
  var covers: Set<UInt32> = []
  /// The number of other n-grams for the share, per evaluation text.
  var coverCounts: [Int]
}
