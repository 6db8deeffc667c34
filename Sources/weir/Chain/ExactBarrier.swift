import Corpus
import Deduplication
import Pipeline

/// A link with a barrier.
struct BarrierLink: ChainLink {
  let work: ChainWork
  init(_ barrier: any ChainBarrier) { work = .barrier(barrier) }
}

/// Exact deduplication: keys on all threads, admission in order.
struct ExactBarrier: ChainBarrier {
  var unit: ExactUnit
  var configuration: DeduplicationConfiguration
  /// Bytes that what was seen may take.
  var memory: Int

  func run(_ flow: ChainFlow) throws -> [Account] {
    let record: (@Sendable (Document) -> [UInt8])? = flow.reject == nil ? nil : { @Sendable document in SerializeDocuments.line(document) }
    let deduplicator = ExactDeduplicator(unit, memory: memory, record: record)
    let stage = AnyStage(HashDocuments(unit, configuration: configuration))
    let start = ContinuousClock.now
    func hand(on kept: [Document]) throws {
      try flow.reject?(deduplicator.takeRejects())
      if !kept.isEmpty { try flow.push(kept) }
    }
    _ = try flow.runner.run(stage, source: flow.pull) { batch, _ in try hand(on: deduplicator.admit(batch)) }
    try deduplicator.finish(progress: flow.progress, push: hand)
    var account = deduplicator.account
    account.seconds = (ContinuousClock.now - start).seconds
    return [account]
  }
}
