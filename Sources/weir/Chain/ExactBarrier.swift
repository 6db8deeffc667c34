import Deduplication
import Documents
import Pipeline

/// A link with a barrier.
struct BarrierLink: ChainLink {
  let work: ChainWork
  init(_ barrier: any ChainBarrier) { work = .barrier(barrier) }
}

/// Exact deduplication: fingerprints on all threads, admission in order.
struct ExactBarrier: ChainBarrier {
  var unit: ExactUnit
  var configuration: DeduplicationConfiguration
  /// Bytes that what was seen may take.
  var memory: Int

  func prepare() -> AnyStage<[Document], HashedDocuments> { AnyStage(HashDocuments(unit, configuration: configuration)) }

  func run(_ flow: ChainFlow<HashedDocuments>) throws -> [Account] {
    let record: (@Sendable (Document) -> [UInt8])? = flow.reject == nil ? nil : { @Sendable document in SerializeDocuments.line(document) }
    let deduplicator = ExactDeduplicator(unit, memory: memory, record: record)
    let start = ContinuousClock.now
    func hand(on kept: [Document]) throws {
      try flow.reject?(deduplicator.takeRejects())
      if !kept.isEmpty { try flow.push(kept) }
    }
    while let batch = try flow.pull() { try hand(on: deduplicator.admit(batch)) }
    try deduplicator.finish(progress: flow.progress, push: hand)
    var account = deduplicator.account
    account.seconds = (ContinuousClock.now - start).seconds
    return [account]
  }
}
