import Documents
import Pipeline

/// The second pass of fuzzy deduplication: of the documents that come back from the spool those that stay.
package struct ReplayDocuments: Stage {
  private let decision: FuzzyDecision
  private let record: @Sendable (Document) -> [UInt8]

  /// Creates the stage.
  /// - Parameters:
  ///   - decision: of the first pass over the same documents.
  ///   - record: a document as a line for `--rejects`; called only where rejects are kept.
  package init(_ decision: FuzzyDecision, record: @escaping @Sendable (Document) -> [UInt8] = { SerializeDocuments.line($0) }) {
    self.decision = decision
    self.record = record
  }

  /// One account, `dedup.fuzzy`.
  package var names: [String] { ["dedup.fuzzy"] }

  /// Decodes and divides one block.
  /// - Throws: `WeirError` where the spool is damaged.
  package func apply(_ block: SpooledDocuments, ledger: inout Ledger, offset: Int) throws -> [Document] {
    var account = Account(stage: names[0])
    var kept: [Document] = []
    kept.reserveCapacity(block.range.count)
    try block.decode { number, document in
      account.input += 1
      account.bytesIn += document.text.count
      if decision.kept[number] {
        account.output += 1
        account.bytesOut += document.text.count
        kept.append(document)
        return
      }
      account.drop("near_duplicate")
      if ledger.keepsRejects {
        ledger.rejects.append(
          Reject(
            origin: document.origin, stage: account.stage, reason: "near_duplicate of document \(decision.duplicateOf[number])",
            record: record(document)))
      }
    }
    ledger.accounts[offset].merge(account)
    return kept
  }
}
