import Deduplication
import Documents
import Pipeline
import Primitives

/// Documents to their MinHash signatures.
struct SignatureEnd: ChainEnd {
  var path: String
  var configuration: DeduplicationConfiguration

  func open(runner: OrderedRunner, resuming: Resuming?) throws -> any ChainEndWork {
    Work(runner: runner, sign: AnyStage(try SignDocuments(configuration)), file: try SignatureFile(path, configuration: configuration))
  }

  private struct Work: ChainEndWork {
    let runner: OrderedRunner
    let sign: AnyStage<[Document], [UInt64]>
    let file: SignatureFile

    func consume<Input>(
      _ stage: AnyStage<Input, [Document]>, source: () throws -> Input?, rejects: (Ledger) throws -> Void
    ) throws -> [Account] {
      try runner.run(stage.appending(sign), source: source) { signatures, ledger in
        try rejects(ledger)
        try file.append(signatures)
      }
    }

    func commit(_ accounts: [Account]) throws -> [Account] {
      try file.commit()
      return []
    }

    func discard() { file.discard() }
  }
}
