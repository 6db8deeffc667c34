import Documents
import Pipeline

/// Exact deduplication: fingerprints on all threads, admission in order.
package struct ExactBarrier: Barrier {
  package let stages: Stages<[Document], HashedDocuments>
  private let unit: ExactUnit
  private let memory: Int

  /// - Parameter memory: the most bytes for fingerprints.
  package init(_ unit: ExactUnit, configuration: DeduplicationConfiguration, memory: Int) {
    stages = Stages(HashDocuments(unit, configuration: configuration))
    self.unit = unit
    self.memory = memory
  }

  package func run(_ flow: BarrierFlow<[Document], HashedDocuments>) throws -> Account {
    let start = ContinuousClock.now
    let deduplicator = ExactDeduplicator(unit, memory: memory, keepsRejects: flow.runner.keepsRejects)
    func push(_ kept: [Document]) throws {
      try flow.reject(deduplicator.takeRejects())
      if !kept.isEmpty { try flow.push(kept) }
    }
    while let batch = try flow.pull() { try push(deduplicator.admit(batch)) }
    try deduplicator.finish(progress: flow.progress, push: push)
    var account = deduplicator.account
    account.seconds = (ContinuousClock.now - start).seconds
    return account
  }
}
