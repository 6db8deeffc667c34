import Documents
import Foundation
import Pipeline
import Primitives
import Synchronization
import Tokens

/// A barrier of a chain and the stages after it.
struct ChainSegment {
  var barrier: any ChainBarrier
  var stages: AnyStage<[Document], [Document]> = .identity

  mutating func append(_ stage: AnyStage<[Document], [Document]>) { stages = stages.appending(stage) }
}

/// Runs the parts of a chain side by side: what comes before the first barrier, with what it does to each batch, each barrier, and what is
/// between two of them or behind the last.
struct SegmentRun {
  var parse: AnyStage<LineBlock, [Document]>
  var segments: [ChainSegment]
  var end: any ChainEndWork
  var runner: OrderedRunner
  var rejects: RejectFile?
  var progress: Progress
  var resuming: Resuming?

  /// What runs on one thread, between two channels.
  private struct Work {
    var run: () throws -> [Account]
    /// Tells the source that nobody reads any more.
    var cancelSource: () -> Void
    /// Tells who reads that nothing more comes, or why.
    var finish: ((any Error)?) -> Void = { _ in }
  }

  private struct Results {
    var accounts: [Int: [Account]] = [:]
    var failures: [(Int, any Error)] = []
  }

  /// Runs everything from `source` to the end.
  func run(_ source: DocumentSource) throws -> [Account] {
    var works: [Work] = []
    add(parse, from: { try next(source) }, cancelSource: {}, before: segments[...], to: &works)
    let results = Mutex(Results())
    let group = DispatchGroup()
    // Every work runs on one thread of its own until `group.wait()`; nothing outlives this call.
    nonisolated(unsafe) let all = works
    @Sendable func perform(_ index: Int) {
      let work = all[index]
      do {
        let accounts = try work.run()
        work.finish(nil)
        results.withLock { $0.accounts[index] = accounts }
      } catch {
        work.finish(error)
        work.cancelSource()
        results.withLock { $0.failures.append((index, error)) }
      }
    }
    for index in all.indices.dropLast() {
      group.enter()
      let thread = Thread {
        perform(index)
        group.leave()
      }
      thread.stackSize = 8 << 20
      thread.start()
    }
    perform(all.count - 1)
    group.wait()
    let outcome = results.withLock { $0 }
    // A cancelled sender is not the cause; the first real error on the way of the data is.
    let failures = outcome.failures.sorted { $0.0 < $1.0 }.map { $0.1 }
    if let failure = failures.first(where: { !($0 is ChannelCancelled) }) ?? failures.first { throw failure }
    return all.indices.flatMap { outcome.accounts[$0] ?? [] }
  }

  /// Adds a stage that leads to the next barrier, the barrier, and what is behind it; or a stage that leads to the end.
  private func add<Input>(
    _ stage: AnyStage<Input, [Document]>, from source: @escaping () throws -> Input?, cancelSource: @escaping () -> Void,
    before rest: ArraySlice<ChainSegment>, to works: inout [Work]
  ) {
    guard let segment = rest.first else {
      works.append(
        Work(run: { try end.consume(stage, source: source) { try rejects?.write($0.rejects) } }, cancelSource: cancelSource))
      return
    }
    func lead<Barrier: ChainBarrier>(to barrier: Barrier) {
      let batches = Channel<Barrier.Batch>(capacity: 2 * runner.threads)
      let kept = Channel<[Document]>(capacity: 2 * runner.threads)
      works.append(
        Work(
          run: {
            try runner.run(stage.appending(try barrier.prepare()), source: source) { batch, ledger in
              try rejects?.write(ledger.rejects)
              try batches.send(batch)
            }
          }, cancelSource: cancelSource, finish: batches.finish))
      works.append(
        Work(
          run: {
            try barrier.run(
              ChainFlow(
                runner: runner, progress: progress, pull: batches.receive, push: kept.send,
                reject: rejects.map { file in { try file.write($0) } }))
          }, cancelSource: batches.cancel, finish: kept.finish))
      add(segment.stages, from: kept.receive, cancelSource: kept.cancel, before: rest.dropFirst(), to: &works)
    }
    lead(to: segment.barrier)
  }

  private func next(_ source: DocumentSource) throws -> LineBlock? {
    try progress.checkStop()
    progress.update(Double(source.bytesRead), of: source.totalBytes.map { Double($0) }, unit: "B")
    let position = source.position
    let block = try source.next()
    if block != nil { resuming?.push(position) }
    return block
  }
}

extension AnyStage where Input == Output {
  /// The stage that does nothing and has no account.
  static var identity: AnyStage { AnyStage(Identity<Input>()) }
}

private struct Identity<Value: Sendable>: Stage {
  var names: [String] { [] }
  func apply(_ batch: Value, ledger: inout Ledger, offset: Int) -> Value { batch }
}
