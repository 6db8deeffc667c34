import Documents
import Pipeline

/// The second pass of fuzzy deduplication: keeps the documents that the decision keeps, and drops their near-duplicates.
package struct ReplayDocuments: RecordStage {
  package let name: String? = "dedup.fuzzy"
  package let workers: WorkerPool<ReplayWorker>

  /// - Parameter decision: of the first pass over the same documents.
  package init(_ decision: FuzzyDecision) { workers = WorkerPool { ReplayWorker(decision: decision) } }
}

package struct ReplayWorker: RecordWorker {
  fileprivate let decision: FuzzyDecision

  package func decide(_ spooled: SpooledDocument) -> Decision<Document> {
    if decision.kept[spooled.number] { return .keep(spooled.document) }
    let other = decision.duplicateOf[spooled.number]
    return .drop("near_duplicate", detail: { "near_duplicate of document \(other)" })
  }
}
