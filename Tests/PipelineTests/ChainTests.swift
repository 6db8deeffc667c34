import Pipeline
import Primitives
import Synchronization
import Testing

/// Collects rejects.
private final class Rejects: RejectWriter {
  private let state = Mutex<(rejects: [Reject], isCommitted: Bool)>(([], false))
  var rejects: [Reject] { state.withLock { $0.rejects } }
  var isCommitted: Bool { state.withLock { $0.isCommitted } }
  func write(_ rejects: [Reject]) { state.withLock { $0.rejects += rejects } }
  func commit() { state.withLock { $0.isCommitted = true } }
}

@Suite struct ChainTests {
  private func chain(reverse: Reverse = Reverse()) -> Chain<[Int]> {
    var chain = Chain<[Int]>()
    chain.append(Square())
    chain.append(reverse)
    chain.append(Pass())
    chain.append(Reverse())
    return chain
  }

  @Test(arguments: [1, 2, 3, 8], [1, 7, 64]) func stagesAndBarriersKeepOrderAndAccounts(threads: Int, batch: Int) throws {
    let squares = (0..<200).filter { $0 % 3 != 0 && $0 % 7 != 0 }.map { $0 * $0 }
    let expected = Array(squares.dropFirst().dropLast())
    let (sink, rejects) = (Collector(), Rejects())
    let notes = Mutex<[String]>([])
    let accounts = try chain().run(
      from: Numbers(200, batch: batch).then(Pass(name: "read")), to: sink.after(Pass(name: "write")), threads: threads,
      progress: Progress(report: { _ in }, notice: { note in notes.withLock { $0.append(note) } }), rejects: rejects)
    #expect(sink.numbers == expected)
    #expect(sink.isCommitted && !sink.isDiscarded && rejects.isCommitted)
    #expect(accounts.map(\.stage) == ["read", "square", "reverse", "pass", "reverse", "write", "collect"])
    #expect(accounts.allSatisfy { $0.isBalanced })
    for (first, second) in zip(accounts, accounts.dropFirst()) { #expect(first.output == second.input) }
    #expect(rejects.rejects.count == 200 - expected.count)
    #expect(notes.withLock { $0 } == ["warning: odd numbers"])
  }

  @Test(arguments: [1, 2, 5]) func anyFailureDiscardsTheOutput(threads: Int) {
    func expectFailure(_ place: String, _ chain: Chain<[Int]>, source: Numbers = Numbers(500, batch: 3), sink: Collector = Collector()) {
      let error = #expect(throws: WeirError.self) { try chain.run(from: source, to: sink, threads: threads) }
      #expect(error?.place == place)
      #expect(sink.isDiscarded && !sink.isCommitted)
    }
    expectFailure("source", chain(), source: Numbers(500, batch: 3, bad: 300))
    expectFailure("barrier", chain(reverse: Reverse(bad: 400)))
    expectFailure("sink", chain(), sink: Collector(bad: 400))
    var failing = chain()
    failing.append(Square(bad: 16))
    expectFailure("16", failing)
  }

  @Test func theCheckComesBeforeTheCommit() {
    let (sink, rejects) = (Collector(), Rejects())
    #expect(throws: WeirError("input", "no numbers")) {
      try Chain().run(from: Numbers(0, batch: 1).then(Pass()), to: sink, threads: 2, rejects: rejects) { accounts in
        if accounts[0].input == 0 { throw WeirError("input", "no numbers") }
      }
    }
    #expect(sink.isDiscarded && !sink.isCommitted && !rejects.isCommitted)
  }

  @Test func aStopDiscardsTheOutput() {
    let sink = Collector()
    #expect(throws: Stopped.self) {
      try chain().run(from: Numbers(9, batch: 1), to: sink, threads: 2, progress: Progress(report: { _ in }, stopping: { true }))
    }
    #expect(sink.isDiscarded)
  }

  @Test(arguments: [1, 3]) func aResumedRunContinuesTheAccounts(threads: Int) throws {
    var earlier = Account(stage: "pass")
    (earlier.input, earlier.output) = (100, 100)
    let sink = Collector(resuming: [earlier])
    var chain = Chain<[Int]>()
    #expect(chain.isEmpty)
    chain.append(Pass())
    #expect(!chain.isEmpty)
    let accounts = try chain.run(from: Numbers(10, batch: 4), to: sink, threads: threads)
    #expect(accounts.map(\.input) == [110, 10])
    #expect(sink.before == [100, 104, 108])
  }
}

@Test func aWorkerThatSawALongBatchIsFreed() throws {
  let made = Mutex(0)
  let pool = WorkerPool(limit: 10) { made.withLock { $0 += 1 } }
  pool.giveBack(try pool.take(), after: 10)
  pool.giveBack(try pool.take(), after: 11)
  try pool.take()
  #expect(made.withLock { $0 } == 2)
}
