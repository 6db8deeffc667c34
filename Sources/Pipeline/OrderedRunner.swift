import Dispatch

/// Runs stages over the batches of a source on several threads and hands the results on in the order of the source, so that the output does
/// not depend on the number of threads.
///
/// Each thread takes the next batch (one at a time, under a lock), transforms it (concurrently), and delivers what is next in order (one at a
/// time, under a lock). At most `2 × threads` batches are in flight, including those done but not yet delivered. The first error in the order
/// of the source stops the run, whichever thread meets it.
package struct OrderedRunner: Sendable {
  package var threads: Int
  /// Whether rejects are kept for the sink; they are counted in any case.
  package var keepsRejects: Bool

  package init(threads: Int, keepsRejects: Bool = false) {
    self.threads = max(1, threads)
    self.keepsRejects = keepsRejects
  }

  /// One batch as the sink receives it.
  package struct Delivery<Output> {
    package let output: Output
    /// What the stages rejected of this batch.
    package let rejects: [Reject]
    /// The accounts of all batches before this one.
    package let accounts: [Account]
  }

  private struct State<Output: Sendable>: Sendable {
    var next = 0
    var waiting: [Int: (output: Output, ledger: Ledger)] = [:]
    var accounts: [Account]
    var failure: (index: Int, error: any Error)?
  }

  /// Runs `stages`.
  /// - Parameters:
  ///   - accounts: of an earlier run that this one resumes; empty for a run from the start.
  ///   - source: returns the next batch, nil at the end; called by one thread at a time.
  ///   - sink: receives each result in order; called by one thread at a time.
  /// - Returns: the accounts of the whole run.
  /// - Throws: the first error, in the order of the source, of source, stages or sink.
  package func run<Input, Output>(
    _ stages: Stages<Input, Output>, resuming accounts: [Account] = [], source: () throws -> Input?,
    sink: (Delivery<Output>) throws -> Void
  ) throws -> [Account] {
    try withoutActuallyEscaping(source) { source in
      try withoutActuallyEscaping(sink) { sink in
        // Both closures are called under their own lock only.
        nonisolated(unsafe) let source = source
        nonisolated(unsafe) let sink = sink
        return try runEscaping(
          stages, accounts.isEmpty ? stages.names.map { Account(stage: $0) } : accounts, source: { try unsafe source() },
          sink: { try unsafe sink($0) })
      }
    }
  }

  private func runEscaping<Input, Output>(
    _ stages: Stages<Input, Output>, _ accounts: [Account], source: @escaping @Sendable () throws -> Input?,
    sink: @escaping @Sendable (Delivery<Output>) throws -> Void
  ) throws -> [Account] {
    let taken = SleepingLock((index: 0, ended: false))
    let delivery = SleepingLock(State<Output>(accounts: accounts))
    // Starts at 0 and is filled: a semaphore may not end below what it was created with, and after an error it would.
    let window = DispatchSemaphore(value: 0)
    for _ in 0..<2 * threads { window.signal() }

    /// Takes the next batch with its number; nil at the end or after an error.
    @Sendable func take() -> (Int, Input)? {
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
    @Sendable func deliver(_ index: Int, _ output: Output, _ ledger: Ledger) {
      let failed = delivery.withLock { state in
        state.waiting[index] = (output, ledger)
        while let (output, ledger) = state.waiting.removeValue(forKey: state.next) {
          // What comes before a failure is still delivered: the error is then the same on any number of threads.
          if state.next < state.failure?.index ?? Int.max {
            do {
              try sink(Delivery(output: output, rejects: ledger.rejects, accounts: state.accounts))
              for (index, account) in ledger.accounts.enumerated() { state.accounts[index].merge(account) }
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
        do {
          let (output, ledger) = try stages.apply(batch, keepsRejects: keepsRejects)
          deliver(index, output, ledger)
        } catch {
          fail(index, error)
          taken.withLock { $0.ended = true }
          // Wakes all threads to end: nothing after this batch can be delivered.
          for _ in 0..<threads { window.signal() }
          return
        }
      }
    }
    BackgroundThread.perform(threads, work)
    let state = delivery.withLock { ($0.failure, $0.accounts) }
    if let failure = state.0 { throw failure.error }
    return state.1
  }
}
