import Synchronization

/// A stage that handles one record at a time: a filter, or a transformation of each record. Its worker decides; the loop over the batch, the
/// account and the rejects are here.
package protocol RecordStage: Stage where Input == [Worker.Input], Output == [Worker.Output] {
  associatedtype Worker: RecordWorker
  /// Workers between batches.
  var workers: WorkerPool<Worker> { get }
}

/// Decides about one record after another, and holds what records share: tables, caches, scratch memory. None of it may change a decision.
package protocol RecordWorker: Sendable {
  associatedtype Input: Record
  associatedtype Output: Record
  mutating func decide(_ record: Input) throws -> Decision<Output>
  /// The counts since the last call, for the account's `extra`.
  mutating func takeCounts() -> [String: Double]
}

extension RecordWorker {
  package mutating func takeCounts() -> [String: Double] { [:] }
}

extension RecordStage {
  @inlinable package func apply(_ batch: [Worker.Input], tally: inout Tally) throws -> [Worker.Output] {
    var worker = try workers.take()
    var output: [Worker.Output] = []
    output.reserveCapacity(batch.count)
    for record in batch { if let kept = try tally.settle(record, worker.decide(record)) { output.append(kept) } }
    tally.account.extra.merge(worker.takeCounts(), uniquingKeysWith: +)
    workers.giveBack(worker, after: tally.account.bytesIn)
    return output
  }
}

/// Workers that no batch uses at the moment, so that each thread finds one with warm tables.
package final class WorkerPool<Worker: Sendable>: Sendable {
  private let idle = Mutex<[Worker]>([])
  private let limit: Int
  private let make: @Sendable () throws -> Worker

  /// - Parameters:
  ///   - limit: bytes of a batch after which its worker is freed, for workers whose memory grows with the longest record.
  ///   - make: creates a worker where none is idle.
  package init(limit: Int = .max, make: @escaping @Sendable () throws -> Worker) {
    self.limit = limit
    self.make = make
  }

  package func take() throws -> Worker { try idle.withLock { $0.popLast() } ?? make() }

  package func giveBack(_ worker: Worker, after bytes: Int) { if bytes <= limit { idle.withLock { $0.append(worker) } } }
}
