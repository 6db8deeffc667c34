import Pipeline
import Primitives
import Testing

private func run(
  _ stages: Stages<[Int], [Int]>, count: Int, batch: Int, threads: Int
) throws -> (output: [Int], accounts: [Account], rejects: [Reject]) {
  let source = Numbers(count, batch: batch)
  var output: [Int] = []
  var rejects: [Reject] = []
  let accounts = try OrderedRunner(threads: threads, keepsRejects: true).run(stages, source: source.next) {
    output += $0.output
    rejects += $0.rejects
  }
  return (output, accounts, rejects)
}

@Test(arguments: [1, 2, 3, 8], [1, 7, 64]) func orderAndAccountsDoNotDependOnThreads(threads: Int, batch: Int) throws {
  let expected = (0..<1000).filter { $0 % 3 != 0 && $0 % 7 != 0 }.map { $0 * $0 }
  let (output, accounts, rejects) = try run(Stages(Square()).then(Pass()), count: 1000, batch: batch, threads: threads)
  #expect(output == expected)
  #expect(accounts.map { $0.stage } == ["square", "pass"])
  #expect(accounts.allSatisfy { $0.isBalanced })
  #expect(accounts[0].input == 1000 && accounts[0].output == expected.count && accounts[1].input == expected.count)
  #expect(accounts[0].extra["evens"] == Double(expected.count { $0 % 2 == 0 }))
  #expect(accounts[0].firstQuarantined == "in:7")
  #expect(rejects.map(\.origin) == (0..<1000).filter { $0 % 3 == 0 || $0 % 7 == 0 }.map { "in:\($0)" })
  #expect(rejects[1] == Reject(origin: "in:3", stage: "square", reason: "three times 1", record: [0x33]))
}

@Test(arguments: [1, 2, 5]) func theFirstErrorInOrderStopsTheRun(threads: Int) {
  for bad in [1, 500, 998] {
    #expect(throws: WeirError("\(bad)", "is bad")) {
      _ = try run(Stages(Square(bad: bad)), count: 1000, batch: 4, threads: threads)
    }
  }
}

@Test(arguments: [1, 2, 5]) func aFailingSinkOrSourceStopsTheRun(threads: Int) {
  var read = 0
  #expect(throws: WeirError("sink", "full")) {
    _ = try OrderedRunner(threads: threads).run(
      Stages(Pass()),
      source: {
        read += 1
        return read < 1_000_000 ? [read] : nil
      },
      sink: { if $0.output[0] == 10 { throw WeirError("sink", "full") } })
  }
  #expect(read < 1000)
  var delivered = 0
  #expect(throws: WeirError("source", "broken")) {
    var read = 0
    _ = try OrderedRunner(threads: threads).run(
      Stages(Pass()),
      source: {
        read += 1
        if read == 20 { throw WeirError("source", "broken") }
        return [read]
      },
      sink: { _ in delivered += 1 })
  }
  #expect(delivered == 19)
}

@Test func anAccountKnowsWhenSomethingIsLost() {
  var account = Account(stage: "x")
  account.input = 3
  account.output = 1
  account.drop("short")
  #expect(!account.isBalanced)
  account.quarantine("broken JSON")
  #expect(account.isBalanced)
}
