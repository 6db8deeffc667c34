/// A pure, concurrent transformation of one batch. The output and the counts depend on the batch alone, so that the order
/// kept by the runner makes the whole output independent of the number of threads.
package protocol Stage<Input, Output>: Sendable {
  /// What comes in, one batch.
  associatedtype Input: Sendable
  /// What goes out, one batch.
  associatedtype Output: Sendable
  /// The names of the accounts that `apply` fills, in order: one for a simple stage, several for a composed one.
  var names: [String] { get }
  /// Transforms one batch.
  /// - Parameters:
  ///   - batch: the input.
  ///   - ledger: accounts, one per name, and rejects; the stage counts into `ledger.accounts[offset…]`.
  ///   - offset: the index of the stage's first account.
  func apply(_ batch: Input, ledger: inout Ledger, offset: Int) throws -> Output
}

/// The accounts and rejects of one batch on its way through a stage.
package struct Ledger: Sendable {
  /// One account per stage name.
  package var accounts: [Account]
  /// What did not pass, in input order.
  package var rejects: [Reject] = []
  /// Whether rejects are to be kept; counted they are in any case.
  package var keepsRejects: Bool

  /// Creates empty accounts.
  package init(names: [String], keepsRejects: Bool = false) {
    accounts = names.map { Account(stage: $0) }
    self.keepsRejects = keepsRejects
  }

  /// Adds the counts of another batch.
  package mutating func merge(_ other: Ledger) {
    for index in accounts.indices { accounts[index].merge(other.accounts[index]) }
  }
}

/// Two stages, one after the other.
package struct Composed<First: Stage, Second: Stage>: Stage where First.Output == Second.Input {
  let first: First
  let second: Second

  /// The names of both.
  package var names: [String] { first.names + second.names }

  /// Applies both.
  package func apply(_ batch: First.Input, ledger: inout Ledger, offset: Int) throws -> Second.Output {
    let middle = try first.apply(batch, ledger: &ledger, offset: offset)
    return try second.apply(middle, ledger: &ledger, offset: offset + first.names.count)
  }
}

extension Stage {
  /// This stage followed by `next`.
  package func then<Next: Stage>(_ next: Next) -> Composed<Self, Next> where Next.Input == Output {
    Composed(first: self, second: next)
  }
}
