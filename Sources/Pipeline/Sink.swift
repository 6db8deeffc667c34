/// Where the batches of a chain go.
package protocol Sink<Input> {
  /// What comes out of the chain, such as documents.
  associatedtype Input: Sendable
  /// What `write` takes, such as their lines.
  associatedtype Output: Sendable
  /// What turns one into the other, on several threads at once.
  var stages: Stages<Input, Output> { get }
  /// The accounts of the stages that share a run with the sink, where it resumes an earlier run; empty where it does not.
  var resumedAccounts: [Account] { get }
  /// Writes the next batch.
  /// - Parameter accounts: of the stages that share a run with the sink, without this batch.
  func write(_ batch: Output, accounts: [Account]) throws
  /// Makes the output appear under its final name.
  /// - Returns: accounts of what the sink itself did.
  func commit() throws -> [Account]
  /// Removes what was written.
  func discard()
}

extension Sink where Input == Output {
  package var stages: Stages<Input, Output> { Stages() }
}

extension Sink {
  package var resumedAccounts: [Account] { [] }

  /// This sink behind one more stage.
  package func after<S: Stage>(_ stage: S) -> some Sink<S.Input> where S.Output == Input {
    StagedSink(sink: self, stages: Stages(stage).then(stages))
  }
}

private struct StagedSink<Input: Sendable, Base: Sink>: Sink {
  let sink: Base
  let stages: Stages<Input, Base.Output>
  var resumedAccounts: [Account] { sink.resumedAccounts }
  func write(_ batch: Base.Output, accounts: [Account]) throws { try sink.write(batch, accounts: accounts) }
  func commit() throws -> [Account] { try sink.commit() }
  func discard() { sink.discard() }
}
