import Documents
import Pipeline

/// Drops the documents that share too much with an evaluation text; the reason of a reject says with which, and quotes what.
///
/// Whole documents go. (GPT-3 cut out 200 characters around a match and kept the rest.)
package struct Decontaminate: Stage {
  private let index: EvaluationIndex
  private let record: @Sendable (Document) -> [UInt8]

  /// Creates the stage.
  /// - Parameters:
  ///   - index: what to look for.
  ///   - record: a document as a line for `--rejects`; called only where rejects are kept.
  package init(_ index: EvaluationIndex, record: @escaping @Sendable (Document) -> [UInt8] = { SerializeDocuments.line($0) }) {
    self.index = index
    self.record = record
  }

  /// One account, `decontaminate`.
  package var names: [String] { ["decontaminate"] }

  /// Looks through one batch.
  package func apply(_ batch: [Document], ledger: inout Ledger, offset: Int) -> [Document] {
    var words = EvaluationIndex.Words()
    var account = Account(stage: names[0])
    var kept: [Document] = []
    kept.reserveCapacity(batch.count)
    for document in batch {
      account.input += 1
      account.bytesIn += document.text.count
      guard let match = index.match(document.text, &words) else {
        account.output += 1
        account.bytesOut += document.text.count
        kept.append(document)
        continue
      }
      let reason = match.share == nil ? "words_in_a_row" : "share_of_ngrams"
      account.drop(reason)
      let origin = index.origins[match.text]
      account.extra["from \(Self.file(origin))", default: 0] += 1
      if ledger.keepsRejects {
        ledger.rejects.append(
          Reject(
            origin: document.origin, stage: names[0], reason: "\(reason): \(explain(match, origin, document.text))",
            record: record(document)))
      }
    }
    ledger.accounts[offset].merge(account)
    return kept
  }

  /// The file of `path:line`, without its folder.
  private static func file(_ origin: String) -> String {
    let path = origin.lastIndex(of: ":").map { origin[..<$0] } ?? origin[...]
    return String(path.split(separator: "/").last ?? path)
  }

  private func explain(_ match: EvaluationIndex.Match, _ origin: String, _ text: [UInt8]) -> String {
    let quote = String(decoding: text[match.range], as: UTF8.self).split(whereSeparator: \.isWhitespace).joined(separator: " ")
    guard let share = match.share else { return "\(match.words) words of \(origin): \"\(quote)\"" }
    return "\(Int((100 * share).rounded(.down))) % of the \(match.words)-grams of \(origin), the first: \"\(quote)\""
  }
}
