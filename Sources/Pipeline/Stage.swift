/// A pure transformation of one batch, run on several threads at once. Output and counts depend on the batch alone; since the runner keeps
/// the order of batches, the whole output does not depend on the number of threads.
///
/// A stage that handles records one at a time conforms to `RecordStage`, which owns the loop and the counting.
package protocol Stage<Input, Output>: Sendable {
  /// One batch that comes in.
  associatedtype Input: Sendable
  /// One batch that goes out.
  associatedtype Output: Sendable
  /// The name of the stage's account; nil for a stage that has none, because it neither drops nor changes a record.
  var name: String? { get }
  /// Transforms one batch.
  /// - Parameter tally: empty, under the stage's name; ignored where the stage has none.
  func apply(_ batch: Input, tally: inout Tally) throws -> Output
}

extension Stage {
  package var name: String? { nil }
}

/// Stages one after another. Each is timed and has an account of its own.
package struct Stages<Input: Sendable, Output: Sendable>: Sendable {
  /// The names of the accounts, in order.
  package let names: [String]
  private let body: @Sendable (Input, inout Ledger) throws -> Output

  private init(names: [String], body: @escaping @Sendable (Input, inout Ledger) throws -> Output) {
    self.names = names
    self.body = body
  }

  /// One stage.
  package init<S: Stage>(_ stage: S) where S.Input == Input, S.Output == Output {
    let name = stage.name
    self.init(names: name.map { [$0] } ?? []) { batch, ledger in
      var tally = Tally(stage: name ?? "", keepsRejects: ledger.keepsRejects)
      guard name != nil else { return try stage.apply(batch, tally: &tally) }
      let start = ContinuousClock.now
      let output = try stage.apply(batch, tally: &tally)
      tally.account.seconds += (ContinuousClock.now - start).seconds
      ledger.add(tally)
      return output
    }
  }

  /// No stage: batches pass unchanged.
  package init() where Input == Output { self.init(names: []) { batch, _ in batch } }

  /// These stages followed by one more.
  package func then<S: Stage>(_ next: S) -> Stages<Input, S.Output> where S.Input == Output { then(Stages<Output, S.Output>(next)) }

  /// These stages followed by others.
  package func then<Next>(_ next: Stages<Output, Next>) -> Stages<Input, Next> {
    let (first, second) = (body, next.body)
    return Stages<Input, Next>(names: names + next.names) { batch, ledger in try second(first(batch, &ledger), &ledger) }
  }

  /// Applies all stages to one batch.
  package func apply(_ batch: Input, keepsRejects: Bool = false) throws -> (output: Output, ledger: Ledger) {
    var ledger = Ledger(keepsRejects: keepsRejects)
    let output = try body(batch, &ledger)
    return (output, ledger)
  }
}

/// The accounts and rejects of one batch on its way through `Stages`.
package struct Ledger: Sendable {
  /// One account per name, in order.
  package private(set) var accounts: [Account] = []
  /// In the order of the stages, those of one stage in input order.
  package private(set) var rejects: [Reject] = []
  fileprivate let keepsRejects: Bool

  fileprivate init(keepsRejects: Bool) { self.keepsRejects = keepsRejects }

  fileprivate mutating func add(_ tally: Tally) {
    accounts.append(tally.account)
    rejects += tally.rejects
  }
}

extension Duration {
  /// The duration in seconds.
  package var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
