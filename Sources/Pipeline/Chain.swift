/// Stages and barriers between a source and a sink, in one process.
///
/// Stages run together on all threads, with the preparation for the barrier or sink that follows them; barriers run beside them. Batches are
/// handed on in order, and what happens to a record depends on the sequence of records alone: a chain writes the same bytes as the same
/// stages in a shell pipe.
package struct Chain<Batch: Sendable> {
  /// Stages before the first barrier.
  var stages = Stages<Batch, Batch>()
  /// The barriers, each with the stages after it.
  var segments: [Segment] = []

  struct Segment {
    var barrier: any Barrier<Batch>
    var stages = Stages<Batch, Batch>()
  }

  package init() {}

  /// Whether batches pass unchanged.
  package private(set) var isEmpty = true

  /// Adds a stage.
  package mutating func append<S: Stage>(_ stage: S) where S.Input == Batch, S.Output == Batch {
    isEmpty = false
    if segments.isEmpty {
      stages = stages.then(stage)
    } else {
      segments[segments.count - 1].stages = segments[segments.count - 1].stages.then(stage)
    }
  }

  /// Adds a barrier.
  package mutating func append(_ barrier: any Barrier<Batch>) {
    isEmpty = false
    segments.append(Segment(barrier: barrier))
  }

  /// Runs everything from `source` to `sink`, and commits or discards the output.
  /// - Parameters:
  ///   - rejects: where dropped and quarantined records go; nil to only count them.
  ///   - check: called with the accounts before anything is committed; throws to discard the output.
  /// - Returns: the accounts of all stages, in order.
  package func run(
    from source: any Source<Batch>, to sink: any Sink<Batch>, threads: Int, progress: Progress = .silent,
    rejects: (any RejectWriter)? = nil, check: ([Account]) throws -> Void = { _ in }
  ) throws -> [Account] {
    do {
      let runner = OrderedRunner(threads: threads, keepsRejects: rejects != nil)
      let accounts = try ChainRun(runner: runner, progress: progress, rejects: rejects).accounts(of: self, from: source, to: sink)
      try source.finish()
      try check(accounts)
      for warning in source.warnings { progress.note("warning: \(warning)") }
      // The rejects first: an output never appears without the record of what is missing from it.
      try rejects?.commit()
      return accounts + (try sink.commit())
    } catch {
      sink.discard()
      throw error
    }
  }
}
