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
  /// Whether any of these is in a script without spaces between words.
  package let shortAreUnspaced: Bool
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
    var runs: [(UInt64, UInt32)] = []
    var covers: [(UInt64, UInt32)] = []
    var anchors: [(UInt64, UInt32)] = []
    var begun: [(gram: UInt64, length: Length)] = []
    var tooShort = 0
    var shortAreUnspaced = false
    var hasWords = false
    for (index, text) in texts.enumerated() {
      words.read(text.text)
      hasWords = hasWords || words.count >= max(1, least)
      guard words.count > 0, words.weight >= least * FoldedText.wordWeight else {
        tooShort += 1
        shortAreUnspaced = shortAreUnspaced || words.isUnspaced
        continue
      }
      let owner = UInt32(index)
      if configuration.words > 0 {
        if words.length(from: 0, weighing: configuration.words) != nil {
          lengths.insert(.full)
          var count = 0
          words.withGrams(weighing: configuration.words) {
            runs += $0.map { ($0, owner) }
            count = $0.count
          }
          words.withGrams(weighing: coversAreAnchors ? configuration.coverWords : anchorWords) {
            begun += $0.prefix(count).map { ($0, .full) }
          }
        } else if let whole = words.gram(from: 0, length: words.count) {
          let length = words.count
          lengths.insert(.whole(length))
          runs.append((whole, owner))
          words.withGrams(weighing: coversAreAnchors ? configuration.coverWords : anchorWords) {
            begun += $0.prefix(1).map { ($0, .whole(length)) }
          }
        }
        if !coversAreAnchors { words.withGrams(weighing: anchorWords) { anchors += $0.map { ($0, owner) } } }
      }
      if configuration.coverWords > 0 { words.withGrams(weighing: configuration.coverWords) { covers += $0.map { ($0, owner) } } }
    }
    self.tooShort = tooShort
    self.shortAreUnspaced = shortAreUnspaced
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
    for (gram, length) in begun { if let number = table.number(of: gram) { masks[number] |= bits[length] ?? 0 } }
    lengthsOfAnchors = masks
    // Texts that are too short only because of their script do not mean a wrong field.
    guard self.runs.count + self.covers.count > 0 || hasWords else {
      throw WeirError(
        texts.first?.origin ?? "--against", "no evaluation text has \(configuration.minimumWords) words",
        remedy: "lower --minimum-words, or set --against-field to the member that holds the texts")
    }
  }

  /// The n-grams of evaluation texts in a text; nil if there are none. Linear in the length of `text`.
  /// - Parameter stops: whether the first n-gram of consecutive words is enough, because none is common and nothing is cut.
  func hits(_ text: [UInt8], _ words: inout FoldedText, stops: Bool = false) -> Hits? {
    words.read(text)
    var hits = Hits()
    var places: [(word: Int, anchor: Int)] = []
    if configuration.coverWords > 0 {
      words.withGrams(weighing: configuration.coverWords) {
        covers.search($0) { word, gram in
          hits.covers.append((UInt32(word), UInt32(gram)))
          if anchors == nil, lengthsOfAnchors[gram] != 0 { places.append((word, gram)) }
        }
      }
    }
    if let anchors {
      words.withGrams(weighing: anchorWords) { anchors.search($0) { word, anchor in places.append((word, anchor)) } }
    }
    for (index, length) in lengths.enumerated() {
      let bit = UInt64(1) << UInt64(min(index, 63))
      for (place, anchor) in places where lengthsOfAnchors[anchor] & bit != 0 {
        let count: Int
        switch length {
        case .full:
          guard let full = words.length(from: place, weighing: configuration.words) else { continue }
          count = full
        case .whole(let whole): count = whole
        }
        guard let gram = words.gram(from: place, length: count), let number = runs.number(of: gram) else { continue }
        hits.runs.append((UInt32(place), UInt32(count), UInt32(number)))
        if stops { return hits }
      }
    }
    return hits.count == 0 ? nil : hits
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

  /// The words that a document shares with evaluation texts, as far as a rule applies: ascending, without overlaps.
  func shared(_ hits: Hits, _ words: FoldedText, without common: CommonGrams) -> [Range<Int>] {
    var ranges = hits.runs.filter { !common.runs.contains($0.gram) }.map { Int($0.word)..<Int($0.word + $0.length) }
    let texts = Set(covered(hits, without: common).map { UInt32($0.text) })
    for (word, gram) in hits.covers where !texts.isEmpty && !common.covers.contains(gram) {
      guard covers.owners(of: Int(gram)).contains(where: texts.contains) else { continue }
      ranges.append(Int(word)..<Int(word) + coverLength(words, Int(word)))
    }
    var merged: [Range<Int>] = []
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if let last = merged.last, range.lowerBound <= last.upperBound {
        merged[merged.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
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
