import Dispatch

/// Runs a stage over the batches of a source on several threads and hands the results on in the order of the source, so
/// that the output does not depend on the number of threads.
///
/// Each thread takes the next batch (one at a time, under a lock), transforms it (concurrently), and delivers what is next
/// in order (one at a time, under a lock). At most `2 × threads` batches are under way, those done but not yet delivered
/// included. The first error in the order of the source stops the run, whichever thread meets it.
package struct OrderedRunner: Sendable {
  /// The number of threads.
  package var threads: Int
  /// Whether rejects are handed to the sink.
  package var keepsRejects: Bool

  /// Creates a runner.
  package init(threads: Int, keepsRejects: Bool = false) {
    self.threads = max(1, threads)
    self.keepsRejects = keepsRejects
  }

  private struct Delivery<Output: Sendable>: Sendable {
    var next = 0
    var waiting: [Int: (Output, Ledger)] = [:]
    var total: Ledger
    var failure: (index: Int, error: any Error)?
  }

  /// Runs `stage`.
  /// - Parameters:
  ///   - stage: a pure transformation of one batch.
  ///   - source: gives the next batch, nil at the end; called by one thread at a time.
  ///   - sink: takes each result with the batch's own accounts and rejects, in order; called by one thread at a time.
  /// - Returns: the accounts of the whole run.
  /// - Throws: the first error, in the order of the source, of source, stage or sink.
  package func run<S: Stage>(
    _ stage: S, source: () throws -> S.Input?, sink: (S.Output, Ledger) throws -> Void
  ) throws -> [Account] {
    try withoutActuallyEscaping(source) { source in
      try withoutActuallyEscaping(sink) { sink in
        // Both closures are called under their own lock only.
        nonisolated(unsafe) let source = source
        nonisolated(unsafe) let sink = sink
        return try runEscaping(stage, source: { try unsafe source() }, sink: { try unsafe sink($0, $1) })
      }
    }
  }

  private func runEscaping<S: Stage>(
    _ stage: S, source: @escaping @Sendable () throws -> S.Input?, sink: @escaping @Sendable (S.Output, Ledger) throws -> Void
  ) throws -> [Account] {
    let names = stage.names
    let taken = SleepingLock((index: 0, ended: false))
    let delivery = SleepingLock(Delivery<S.Output>(total: Ledger(names: names)))
    // Starts at 0 and is filled: a semaphore may not end below what it was created with, and after an error it would.
    let window = DispatchSemaphore(value: 0)
    for _ in 0..<2 * threads { window.signal() }

    /// Takes the next batch with its number; nil at the end or after an error.
    @Sendable func take() -> (Int, S.Input)? {
      taken.withLock { state in
        guard !state.ended else { return nil }
        do {
          guard let batch = try source() else {
            state.ended = true
            return nil
          }
          defer { state.index += 1 }
          return (state.index, batch)
        } catch {
          state.ended = true
          fail(state.index, error)
          return nil
        }
      }
    }
    @Sendable func fail(_ index: Int, _ error: any Error) {
      delivery.withLock { state in
        if index < state.failure?.index ?? Int.max { state.failure = (index, error) }
      }
    }
    @Sendable func deliver(_ index: Int, _ output: S.Output, _ ledger: Ledger) {
      let failed = delivery.withLock { state in
        state.waiting[index] = (output, ledger)
        while let (output, ledger) = state.waiting.removeValue(forKey: state.next) {
          // What comes before a failure is still delivered: the error is then the same on any number of threads.
          if state.next < state.failure?.index ?? Int.max {
            do {
              try sink(output, ledger)
              state.total.merge(ledger)
            } catch {
              state.failure = (state.next, error)
            }
          }
          state.next += 1
          window.signal()
        }
        return state.failure != nil
      }
      if failed { taken.withLock { $0.ended = true } }
    }
    @Sendable func work() {
      while true {
        window.wait()
        guard let (index, batch) = take() else {
          window.signal()
          return
        }
        var ledger = Ledger(names: names, keepsRejects: keepsRejects)
        do {
          let output = try stage.apply(batch, ledger: &ledger, offset: 0)
          deliver(index, output, ledger)
        } catch {
          fail(index, error)
          taken.withLock { $0.ended = true }
          // The window is not given back: nothing after this batch can be delivered.
          for _ in 0..<threads { window.signal() }
          return
        }
      }
    }
    if threads == 1 {
      work()
    } else {
      DispatchQueue.concurrentPerform(iterations: threads) { _ in work() }
    }
    let state = delivery.withLock { ($0.failure, $0.total) }
    if let failure = state.0 { throw failure.error }
    return state.1.accounts
  }
}
