/// A stage whose type is forgotten, so that a chain can be put together at run time; it also takes the time.
package struct AnyStage<Input: Sendable, Output: Sendable>: Stage {
  /// The accounts of the wrapped stage, in their order.
  package let names: [String]
  private let body: @Sendable (Input, inout Ledger, Int) throws -> Output

  /// Wraps `stage`; its thread-seconds go to its first account.
  package init<S: Stage>(_ stage: S) where S.Input == Input, S.Output == Output {
    names = stage.names
    body = { batch, ledger, offset in
      let start = ContinuousClock.now
      let output = try stage.apply(batch, ledger: &ledger, offset: offset)
      if !stage.names.isEmpty { ledger.accounts[offset].seconds += (ContinuousClock.now - start).seconds }
      return output
    }
  }

  private init(names: [String], body: @escaping @Sendable (Input, inout Ledger, Int) throws -> Output) {
    self.names = names
    self.body = body
  }

  /// Applies the stage.
  package func apply(_ batch: Input, ledger: inout Ledger, offset: Int) throws -> Output { try body(batch, &ledger, offset) }

  /// This stage followed by `next`, each with its own time.
  package func appending<Next>(_ next: AnyStage<Output, Next>) -> AnyStage<Input, Next> {
    let first = body
    let second = next.body
    let count = names.count
    return AnyStage<Input, Next>(names: names + next.names) { batch, ledger, offset in
      try second(first(batch, &ledger, offset), &ledger, offset + count)
    }
  }
}

extension Duration {
  /// The duration in seconds.
  package var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
