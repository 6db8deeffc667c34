import Pipeline
import Primitives

extension Int: Record {
  package var origin: String { "in:\(self)" }
  package var byteCount: Int { 1 }
  package func rejectedForm() -> [UInt8] { Array("\(self)".utf8) }
}

/// Squares numbers, drops multiples of three, quarantines multiples of seven, fails on `bad`; slower for some numbers.
struct Square: RecordStage {
  let name: String? = "square"
  let workers: WorkerPool<Worker>

  init(bad: Int? = nil) { workers = WorkerPool { Worker(bad: bad) } }

  struct Worker: RecordWorker {
    let bad: Int?
    private var evens = 0

    init(bad: Int?) { self.bad = bad }

    mutating func decide(_ value: Int) throws -> Decision<Int> {
      if value == bad { throw WeirError("\(value)", "is bad") }
      if value % 3 == 0 { return .drop("three", detail: { "three times \(value / 3)" }) }
      if value % 7 == 0 { return .quarantine("seven") }
      var spin = value
      for _ in 0..<(value % 11) * 200 { spin = spin &* 31 &+ 7 }
      if value % 2 == 0 { evens += 1 }
      return .keep(spin == .min ? 0 : value * value)
    }

    mutating func takeCounts() -> [String: Double] {
      defer { evens = 0 }
      return ["evens": Double(evens)]
    }
  }
}

/// Counts what it sees and passes it on.
struct Pass: Stage {
  var name: String? = "pass"
  func apply(_ batch: [Int], tally: inout Tally) -> [Int] {
    tally.keep(batch)
    return batch
  }
}

/// The numbers below `count`, in batches.
final class Numbers: Source {
  typealias Input = [Int]
  typealias Output = [Int]
  private let count: Int
  private let batch: Int
  private let bad: Int?
  private(set) var taken = 0
  let warnings = ["odd numbers"]

  init(_ count: Int, batch: Int, bad: Int? = nil) {
    self.count = count
    self.batch = batch
    self.bad = bad
  }

  func next() throws -> [Int]? {
    guard taken < count else { return nil }
    let numbers = Array(taken..<min(count, taken + batch))
    if let bad, numbers.contains(bad) { throw WeirError("source", "broken") }
    taken += numbers.count
    return numbers
  }

  func finish() throws {
    guard taken == count else { throw WeirError("source", "was not read to its end") }
  }
}

/// Collects numbers.
final class Collector: Sink {
  typealias Input = [Int]
  typealias Output = [Int]
  private let bad: Int?
  let resumedAccounts: [Account]
  private(set) var numbers: [Int] = []
  /// The records that were read before each batch.
  private(set) var before: [Int] = []
  private(set) var isCommitted = false
  private(set) var isDiscarded = false

  init(bad: Int? = nil, resuming accounts: [Account] = []) {
    self.bad = bad
    resumedAccounts = accounts
  }

  func write(_ batch: [Int], accounts: [Account]) throws {
    if let bad, batch.contains(bad) { throw WeirError("sink", "full") }
    numbers += batch
    before.append(accounts.first?.input ?? 0)
  }

  func commit() -> [Account] {
    isCommitted = true
    var account = Account(stage: "collect")
    (account.input, account.output) = (numbers.count, numbers.count)
    return [account]
  }

  func discard() { isDiscarded = true }
}

/// Hands on everything in reverse at the end, but drops the first number.
struct Reverse: Barrier {
  let stages = Stages<[Int], [Int]>().then(Pass(name: nil))
  var bad: Int?

  func run(_ flow: BarrierFlow<[Int], [Int]>) throws -> Account {
    var tally = Tally(stage: "reverse", keepsRejects: flow.runner.keepsRejects)
    var numbers: [Int] = []
    while let batch = try flow.pull() { numbers += batch }
    for number in numbers.reversed() {
      if number == bad { throw WeirError("barrier", "broken") }
      let isFirst = number == numbers.first
      if let kept = try tally.settle(number, isFirst ? .drop("first") : .keep(number)) { try flow.push([kept]) }
    }
    try flow.reject(tally.takeRejects())
    return tally.account
  }
}
