/// What has to see batches in order, or all of them before it hands on the first, such as deduplication.
package protocol Barrier<Batch> {
  /// What comes in and goes out.
  associatedtype Batch: Sendable
  /// A batch with what was computed for it.
  associatedtype Prepared: Sendable
  /// What is computed for every batch, together with the stages before the barrier; it has no accounts.
  var stages: Stages<Batch, Prepared> { get }
  /// Pulls batches and pushes what stays.
  func run(_ flow: BarrierFlow<Batch, Prepared>) throws -> Account
}

/// What a barrier works with.
package struct BarrierFlow<Batch: Sendable, Prepared: Sendable> {
  package let runner: OrderedRunner
  package let progress: Progress
  /// The next batch, in order; nil at the end.
  package let pull: () throws -> Prepared?
  /// Hands on a batch.
  package let push: (Batch) throws -> Void
  /// Writes rejects; does nothing unless `runner.keepsRejects`.
  package let reject: ([Reject]) throws -> Void
}
