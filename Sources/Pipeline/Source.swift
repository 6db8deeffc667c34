/// Where the batches of a chain come from.
package protocol Source<Output> {
  /// What `next` returns, such as a block of lines.
  associatedtype Input: Sendable
  /// What goes into the chain, such as the documents in it.
  associatedtype Output: Sendable
  /// What turns one into the other, on several threads at once.
  var stages: Stages<Input, Output> { get }
  /// The next batch; nil at the end. Called by one thread at a time.
  func next() throws -> Input?
  /// Checks that everything was read.
  func finish() throws
  /// Bytes read so far, and in all where that is known.
  var bytesRead: Int { get }
  var totalBytes: Int? { get }
  /// What a user should know of, such as an empty file.
  var warnings: [String] { get }
}

extension Source where Input == Output {
  package var stages: Stages<Input, Output> { Stages() }
}

extension Source {
  package var bytesRead: Int { 0 }
  package var totalBytes: Int? { nil }
  package var warnings: [String] { [] }

  /// This source with one more stage.
  package func then<S: Stage>(_ stage: S) -> some Source<S.Output> where S.Input == Output {
    StagedSource(source: self, stages: stages.then(stage))
  }
}

private struct StagedSource<Base: Source, Output: Sendable>: Source {
  let source: Base
  let stages: Stages<Base.Input, Output>
  func next() throws -> Base.Input? { try source.next() }
  func finish() throws { try source.finish() }
  var bytesRead: Int { source.bytesRead }
  var totalBytes: Int? { source.totalBytes }
  var warnings: [String] { source.warnings }
}
