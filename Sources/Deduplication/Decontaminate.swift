import Documents
import Pipeline
import Primitives

/// Removes text that documents share with evaluation texts, counting every shared n-gram; `DecontaminationBarrier` leaves common ones out.
package struct Decontaminate: Stage {
  package let name: String? = DecontaminationWorker.stage
  private let workers: WorkerPool<DecontaminationWorker>
  private let losses: DomainLosses

  /// - Parameters:
  ///   - index: of the evaluation texts.
  ///   - losses: counts what happens to documents.
  package init(_ index: EvaluationIndex, losses: DomainLosses = DomainLosses()) {
    let none = CommonGrams(coverCounts: index.coverCounts())
    workers = WorkerPool(limit: 1 << 24) { DecontaminationWorker(index: index, common: none) }
    self.losses = losses
  }

  package func apply(_ batch: [Document], tally: inout Tally) throws -> [Document] {
    try losses.count(batch)
    var worker = try workers.take()
    var kept: [Document] = []
    kept.reserveCapacity(batch.count)
    for document in batch {
      if let document = try tally.settle(document, worker.decide(document)) { kept.append(document) }
    }
    tally.account.extra.merge(worker.report(to: losses), uniquingKeysWith: +)
    workers.giveBack(worker, after: tally.account.bytesIn)
    return kept
  }
}

/// Decides about one document after another.
struct DecontaminationWorker: Sendable {
  static let stage = "decontaminate"

  private let index: EvaluationIndex
  private let common: CommonGrams
  private var words = FoldedText()
  private var counts: [String: Double] = [:]
  private var losses: [(document: Document, kept: Document?)] = []

  init(index: EvaluationIndex, common: CommonGrams) {
    self.index = index
    self.common = common
  }

  /// - Parameter known: what `EvaluationIndex.hits` found in the document; nil to look now.
  mutating func decide(_ document: Document, known: EvaluationIndex.Hits? = nil) -> Decision<Document> {
    guard let hits = known ?? index.hits(document.text, &words) else { return .keep(document) }
    guard let match = index.match(hits, without: common) else {
      counts["kept with common n-grams only", default: 0] += 1
      return .keep(document)
    }
    let decision = index.configuration.cuts ? cut(document, hits) : drop(document, match)
    if case .shorten(let kept, _) = decision {
      counts["cut", default: 0] += 1
      losses.append((document, kept))
    } else {
      losses.append((document, nil))
    }
    counts["from \(Self.file(index.texts[match.text].origin))", default: 0] += 1
    return decision
  }

  /// Hands over the losses since the last call, and returns the counts for the account's `extra`.
  mutating func report(to table: DomainLosses) -> [String: Double] {
    defer { (counts, losses) = ([:], []) }
    table.add(losses)
    return counts
  }

  private func drop(_ document: Document, _ match: EvaluationIndex.Match) -> Decision<Document> {
    let reason = match.share == nil ? "words_in_a_row" : "share_of_ngrams"
    return .drop(reason) { [index] in
      var words = FoldedText()
      words.read(document.text)
      let bounds = words.bounds(document.text)
      let length = match.length ?? index.coverLength(words, match.first)
      let quote = EvaluationIndex.quote(document.text, bounds[match.first].lowerBound..<bounds[match.first + length - 1].upperBound)
      let origin = index.texts[match.text].origin
      guard let share = match.share else {
        return "\(reason): \(length) \(words.isUnspaced ? "words or characters" : "words") of \(origin): \"\(quote)\""
      }
      let percent = Int((100 * share).rounded(.down))
      return "\(reason): \(percent) % of the \(index.configuration.coverWords)-grams of \(origin), the first: \"\(quote)\""
    }
  }

  /// Cuts the shared text out, with a margin (Brown et al. 2005.14165, appendix C). A blank line joins the pieces that stay.
  private mutating func cut(_ document: Document, _ hits: EvaluationIndex.Hits) -> Decision<Document> {
    let (text, configuration) = (document.text, index.configuration)
    words.read(text)
    let bounds = words.bounds(text)
    let shared = index.shared(hits, words, without: common)
    var pieces: [Range<Int>] = []
    var end = 0
    for words in shared.map(\.words) {
      let first = Self.step(text, from: bounds[words.lowerBound].lowerBound, by: -configuration.margin)
      if first > end { pieces.append(end..<first) }
      end = max(end, Self.step(text, from: bounds[words.upperBound - 1].upperBound, by: configuration.margin))
    }
    if end < text.count { pieces.append(end..<text.count) }
    let count = words.isUnspaced ? "words or characters" : "words"
    let matches = { [index] in
      let named = shared.prefix(Self.quotes).map { words, evaluation in
        let quote = EvaluationIndex.quote(text, bounds[words.lowerBound].lowerBound..<bounds[words.upperBound - 1].upperBound)
        return "\(words.count) \(count) of \(index.texts[evaluation].origin): \"\(quote)\""
      }
      return (named + Format.more(shared.count - named.count, "matches")).joined(separator: "; ")
    }
    func drop(_ reason: String) -> Decision<Document> { .drop(reason) { "\(reason): \(matches())" } }
    guard pieces.count <= configuration.maximumPieces else { return drop("too_many_pieces") }
    pieces.removeAll { Self.step(text, from: $0.lowerBound, by: configuration.minimumPiece, end: $0.upperBound) == nil }
    guard !pieces.isEmpty else { return drop("short_pieces") }
    var kept = document
    kept.text = Array(pieces.map { text[$0] }.joined(separator: [0x0A, 0x0A]))
    return .shorten(kept) { "cut: \(matches())" }
  }

  /// The most matches of a document that its reject quotes.
  private static let quotes = 20

  /// The byte that is `characters` code points after `start`, or before it; at most the end of the text.
  private static func step(_ text: [UInt8], from start: Int, by characters: Int) -> Int {
    step(text, from: start, by: characters, end: characters < 0 ? 0 : text.count) ?? (characters < 0 ? 0 : text.count)
  }

  /// The same; nil where `end` comes before.
  private static func step(_ text: [UInt8], from start: Int, by characters: Int, end: Int) -> Int? {
    var (place, left) = (start, abs(characters))
    while left > 0 {
      if place == end { return nil }
      if characters > 0 {
        repeat { place += 1 } while place < end && text[place] & 0xC0 == 0x80
      } else {
        repeat { place -= 1 } while place > end && text[place] & 0xC0 == 0x80
      }
      left -= 1
    }
    return place
  }

  /// The file of `path:line`, without its folder.
  static func file(_ origin: String) -> String {
    let path = origin.lastIndex(of: ":").map { origin[..<$0] } ?? origin[...]
    return String(path.split(separator: "/").last ?? path)
  }
}
