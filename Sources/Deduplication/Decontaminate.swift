import Documents
import Pipeline

/// Drops documents that share too much text with an evaluation text. The reject quotes the shared text and names the evaluation text.
///
/// The whole document is dropped. (GPT-3 cut out 200 characters around a match and kept the rest.)
package struct Decontaminate: RecordStage {
  package let name: String? = "decontaminate"
  package let workers: WorkerPool<DecontaminationWorker>

  /// - Parameter index: of the evaluation texts.
  package init(_ index: EvaluationIndex) { workers = WorkerPool(limit: 1 << 24) { DecontaminationWorker(index: index) } }
}

package struct DecontaminationWorker: RecordWorker {
  fileprivate let index: EvaluationIndex
  private var words = EvaluationIndex.Words()
  private var counts: [String: Double] = [:]

  fileprivate init(index: EvaluationIndex) { self.index = index }

  package mutating func decide(_ document: Document) -> Decision<Document> {
    guard let match = index.match(document.text, &words) else { return .keep(document) }
    let reason = match.share == nil ? "words_in_a_row" : "share_of_ngrams"
    let origin = index.origins[match.text]
    counts["from \(Self.file(origin))", default: 0] += 1
    return .drop(reason, detail: { "\(reason): \(Self.explain(match, origin, document.text))" })
  }

  package mutating func takeCounts() -> [String: Double] {
    defer { counts = [:] }
    return counts
  }

  /// The file of `path:line`, without its folder.
  private static func file(_ origin: String) -> String {
    let path = origin.lastIndex(of: ":").map { origin[..<$0] } ?? origin[...]
    return String(path.split(separator: "/").last ?? path)
  }

  private static func explain(_ match: EvaluationIndex.Match, _ origin: String, _ text: [UInt8]) -> String {
    let quote = String(decoding: text[match.range], as: UTF8.self).split(whereSeparator: \.isWhitespace).joined(separator: " ")
    guard let share = match.share else { return "\(match.words) words of \(origin): \"\(quote)\"" }
    return "\(Int((100 * share).rounded(.down))) % of the \(match.words)-grams of \(origin), the first: \"\(quote)\""
  }
}
