import Primitives
import Synchronization

/// Runs the parts of a chain side by side, each on a thread of its own with channels between: the stages before a barrier, the barrier, and so
/// on to the sink.
struct ChainRun {
  let runner: OrderedRunner
  let progress: Progress
  let rejects: (any RejectWriter)?

  /// What runs on one thread, between two channels.
  private struct Part {
    var run: () throws -> [Account]
    /// Tells the part before that nothing is received from now on.
    var cancel: () -> Void
    /// Tells the part after that nothing more comes, or why.
    var finish: ((any Error)?) -> Void = { _ in }
  }

  /// Runs everything from `source` to `sink`.
  /// - Returns: the accounts in the order of the stages.
  func accounts<Batch, From: Source<Batch>, To: Sink<Batch>>(of chain: Chain<Batch>, from source: From, to sink: To) throws -> [Account] {
    func next() throws -> From.Input? {
      try progress.checkStop()
      progress.update(Double(source.bytesRead), of: source.totalBytes.map { Double($0) }, unit: "bytes")
      return try source.next()
    }
    var parts: [Part] = []
    add(source.stages.then(chain.stages), pull: next, cancel: {}, before: chain.segments[...], sink, to: &parts)
    return try run(parts)
  }

  /// Adds the stages that lead to the next barrier, the barrier, and what is after it; or the stages that lead to the sink.
  private func add<Input, Batch, To: Sink<Batch>>(
    _ stages: Stages<Input, Batch>, pull: @escaping () throws -> Input?, cancel: @escaping () -> Void,
    before rest: ArraySlice<Chain<Batch>.Segment>, _ sink: To, to parts: inout [Part]
  ) {
    guard let segment = rest.first else {
      let all = stages.then(sink.stages)
      parts.append(
        Part(
          run: {
            try runner.run(all, resuming: sink.resumedAccounts, source: pull) { delivery in
              try rejects?.write(delivery.rejects)
              try sink.write(delivery.output, accounts: delivery.accounts)
            }
          }, cancel: cancel))
      return
    }
    func add<B: Barrier<Batch>>(_ barrier: B) {
      let prepared = Channel<B.Prepared>(capacity: 2 * runner.threads)
      let kept = Channel<Batch>(capacity: 2 * runner.threads)
      let all = stages.then(barrier.stages)
      parts.append(
        Part(
          run: {
            try runner.run(all, source: pull) { delivery in
              try rejects?.write(delivery.rejects)
              try prepared.send(delivery.output)
            }
          }, cancel: cancel, finish: prepared.finish))
      let flow = BarrierFlow(
        runner: runner, progress: progress, pull: prepared.receive, push: kept.send, reject: { try rejects?.write($0) })
      parts.append(Part(run: { [try barrier.run(flow)] }, cancel: prepared.cancel, finish: kept.finish))
      self.add(segment.stages, pull: kept.receive, cancel: kept.cancel, before: rest.dropFirst(), sink, to: &parts)
    }
    add(segment.barrier)
  }

  /// Runs all parts to their ends.
  private func run(_ parts: [Part]) throws -> [Account] {
    let results = Mutex([Result<[Account], any Error>?](repeating: nil, count: parts.count))
    // Each part runs on one thread, and none outlives this call.
    nonisolated(unsafe) let parts = parts
    @Sendable func perform(_ index: Int, _ refused: (any Error)? = nil) {
      let part = unsafe parts[index]
      let result = Result { if let refused { throw refused } else { try part.run() } }
      if case .failure(let error) = result {
        part.finish(error)
        part.cancel()
      } else {
        part.finish(nil)
      }
      results.withLock { $0[index] = result }
    }
    let count = unsafe parts.count
    var threads: [BackgroundThread] = []
    for index in 0..<count - 1 {
      if let thread = BackgroundThread({ perform(index) }) {
        threads.append(thread)
      } else {
        // The parts need each other, so that none can wait for its turn.
        let needed = "the \(count) parts of the pipeline need a thread each, and the system refuses one"
        perform(index, WeirError("threads", needed, remedy: "raise the limits (ulimit -u, ulimit -v)"))
      }
    }
    perform(count - 1)
    for thread in threads { thread.join() }
    let outcomes = results.withLock { $0.compactMap(\.self) }
    // A canceled sender is not the cause; the first other error in the order of the parts is.
    let failures = outcomes.compactMap { if case .failure(let error) = $0 { error } else { nil } }
    if let failure = failures.first(where: { !($0 is ChannelCanceled) }) ?? failures.first { throw failure }
    return try outcomes.flatMap { try $0.get() }
  }
}
