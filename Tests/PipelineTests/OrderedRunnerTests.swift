import Pipeline
import Primitives
import Testing

/// Squares numbers, drops multiples of three, quarantines multiples of seven, fails on `bad`; slower on some batches.
private struct Square: Stage {
  var bad: Int?
  var names: [String] { ["square"] }
  func apply(_ batch: [Int], ledger: inout Ledger, offset: Int) throws -> [Int] {
    var result: [Int] = []
    for value in batch {
      ledger.accounts[offset].input += 1
      if value == bad { throw WeirError("\(value)", "is bad") }
      if value % 3 == 0 {
        ledger.accounts[offset].drop("three")
      } else if value % 7 == 0 {
        ledger.accounts[offset].quarantine("seven")
        if ledger.keepsRejects { ledger.rejects.append(Reject(origin: "\(value)", stage: "square", reason: "seven", record: [])) }
      } else {
        var spin = value
        for _ in 0..<(value % 11) * 200 { spin = spin &* 31 &+ 7 }
        ledger.accounts[offset].output += 1
        result.append(spin == .min ? 0 : value * value)
      }
    }
    return result
  }
}

/// Counts what it sees, passes it on.
private struct Pass: Stage {
  var names: [String] { ["pass"] }
  func apply(_ batch: [Int], ledger: inout Ledger, offset: Int) -> [Int] {
    ledger.accounts[offset].input += batch.count
    ledger.accounts[offset].output += batch.count
    return batch
  }
}

private func run<S: Stage>(_ stage: S, count: Int, batch: Int, threads: Int) throws -> ([Int], [Account], Int)
where S.Input == [Int], S.Output == [Int] {
  var next = 0
  var output: [Int] = []
  var rejects = 0
  let accounts = try OrderedRunner(threads: threads, keepsRejects: true).run(
    stage,
    source: {
      guard next < count else { return nil }
      defer { next += batch }
      return Array(next..<min(count, next + batch))
    },
    sink: {
      output += $0
      rejects += $1.rejects.count
    })
  return (output, accounts, rejects)
}

@Test(arguments: [1, 2, 3, 8], [1, 7, 64]) func orderAndAccountsDoNotDependOnThreads(threads: Int, batch: Int) throws {
  let expected = (0..<1000).filter { $0 % 3 != 0 && $0 % 7 != 0 }.map { $0 * $0 }
  let (output, accounts, rejects) = try run(Square().then(Pass()), count: 1000, batch: batch, threads: threads)
  #expect(output == expected)
  #expect(accounts.map { $0.stage } == ["square", "pass"])
  #expect(accounts.allSatisfy { $0.isBalanced })
  #expect(accounts[0].input == 1000 && accounts[0].output == expected.count && accounts[1].input == expected.count)
  #expect(rejects == accounts[0].quarantinedTotal && rejects > 0)
}

@Test(arguments: [1, 2, 5]) func theFirstErrorInOrderStopsTheRun(threads: Int) {
  for bad in [1, 500, 998] {
    #expect(throws: WeirError("\(bad)", "is bad")) {
      _ = try run(Square(bad: bad), count: 1000, batch: 4, threads: threads)
    }
  }
}

@Test(arguments: [1, 2, 5]) func aFailingSinkOrSourceStopsTheRun(threads: Int) {
  var read = 0
  #expect(throws: WeirError("sink", "full")) {
    _ = try OrderedRunner(threads: threads).run(
      Pass(),
      source: {
        read += 1
        return read < 1_000_000 ? [read] : nil
      },
      sink: { output, _ in if output[0] == 10 { throw WeirError("sink", "full") } })
  }
  #expect(read < 1000)
  var delivered = 0
  #expect(throws: WeirError("source", "broken")) {
    var read = 0
    _ = try OrderedRunner(threads: threads).run(
      Pass(),
      source: {
        read += 1
        if read == 20 { throw WeirError("source", "broken") }
        return [read]
      },
      sink: { _, _ in delivered += 1 })
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
