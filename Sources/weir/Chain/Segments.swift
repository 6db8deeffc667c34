import Corpus
import Foundation
import Pipeline
import Primitives
import Synchronization

/// A part of a chain that runs on its own thread: a barrier (except in the first), and the stages after it.
struct ChainSegment {
  var parse: AnyStage<LineBlock, [Document]>?
  var barrier: (any ChainBarrier)?
  var stages: AnyStage<[Document], [Document]>?

  init(stage: AnyStage<LineBlock, [Document]>) { parse = stage }
  init(barrier: any ChainBarrier) { self.barrier = barrier }

  mutating func append(_ stage: AnyStage<[Document], [Document]>) {
    if let parse {
      self.parse = parse.appending(stage)
    } else {
      stages = stages.map { $0.appending(stage) } ?? stage
    }
  }
}

/// Runs segments side by side.
struct SegmentRun {
  var segments: [ChainSegment]
  var end: any ChainEndWork
  var runner: OrderedRunner
  var rejects: RejectFile?
  var progress: Progress
  var resuming: Resuming?

  private struct Results {
    var accounts: [Int: [Account]] = [:]
    var failures: [(Int, any Error)] = []
  }

  /// Runs everything from `source` to the end.
  func run(_ source: DocumentSource) throws -> [Account] {
    // Channel i leads from work i to work i + 1; works are: parse, then for each barrier the barrier and the stages after it.
    var works: [(Channel<[Document]>?, Channel<[Document]>?) throws -> [Account]] = []
    let parse = segments[0].parse
    works.append { _, output in
      guard let parse else { return [] }
      return try finish(parse, source: { try next(source) }, output: output)
    }
    for segment in segments.dropFirst() {
      if let barrier = segment.barrier {
        works.append { input, output in
          try barrier.run(
            ChainFlow(
              runner: runner, progress: progress, pull: { try input?.receive() }, push: { try output?.send($0) },
              reject: rejects.map { file in { try file.write($0) } }))
        }
      }
      let stages = segment.stages
      works.append { input, output in
        try finish(stages ?? .identity, source: { try input?.receive() }, output: output)
      }
    }
    let channels = (1..<max(1, works.count)).map { _ in Channel<[Document]>(capacity: 2 * runner.threads) }
    let results = Mutex(Results())
    let group = DispatchGroup()
    // Every work runs on one thread of its own until `group.wait()`; nothing outlives this call.
    nonisolated(unsafe) let all = works
    @Sendable func perform(_ index: Int) {
      let input = index > 0 ? channels[index - 1] : nil
      let output = index < channels.count ? channels[index] : nil
      do {
        let accounts = try all[index](input, output)
        output?.finish()
        results.withLock { $0.accounts[index] = accounts }
      } catch {
        output?.finish(error)
        input?.cancel()
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
    if let failure = failures.first(where: { !($0 is Channel<[Document]>.Cancelled) }) ?? failures.first { throw failure }
    return all.indices.flatMap { outcome.accounts[$0] ?? [] }
  }

  private func next(_ source: DocumentSource) throws -> LineBlock? {
    try progress.checkStop()
    progress.update(Double(source.bytesRead), of: source.totalBytes.map { Double($0) }, unit: "B")
    let position = source.position
    let block = try source.next()
    if block != nil { resuming?.push(position) }
    return block
  }

  /// Runs stages into the next channel, or into the end of the chain.
  private func finish<Input: Sendable>(
    _ stage: AnyStage<Input, [Document]>, source: () throws -> Input?, output: Channel<[Document]>?
  ) throws -> [Account] {
    guard let output else { return try end.consume(stage, source: source) { try rejects?.write($0.rejects) } }
    return try runner.run(stage, source: source) { documents, ledger in
      try rejects?.write(ledger.rejects)
      if !documents.isEmpty { try output.send(documents) }
    }
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
