import Documents
import Foundation
import Pipeline
import Primitives
import Storage
import Tokenization

/// Documents to standard output or to a file.
struct DocumentEnd: ChainEnd {
  var output: OutputOptions

  func open(runner: OrderedRunner, resuming: Resuming? = nil) throws -> any ChainEndWork {
    let plain = output.plain || Terminal.outputIsInteractive
    return Work(runner: runner, sink: try DocumentSink(path: output.output ?? "-", plain: plain, threads: runner.threads))
  }

  private struct Work: ChainEndWork {
    let runner: OrderedRunner
    let sink: DocumentSink

    func consume<Input>(
      _ stage: AnyStage<Input, [Document]>, source: () throws -> Input?, rejects: (Ledger) throws -> Void
    ) throws -> [Account] {
      try runner.run(stage.appending(AnyStage(SerializeCounted())), source: source) { output, ledger in
        try rejects(ledger)
        try sink.write(output.bytes, records: output.count)
      }
    }

    func commit(_ accounts: [Account]) throws -> [Account] {
      try sink.finish()
      return []
    }

    func discard() { sink.discard() }
  }
}

/// Serialises without an account of its own: nothing can be lost on the way.
private struct SerializeCounted: Stage {
  struct Lines: Sendable {
    var bytes: [UInt8]
    var count: Int
  }
  var names: [String] { [] }
  func apply(_ batch: [Document], ledger: inout Ledger, offset: Int) throws -> Lines {
    Lines(bytes: SerializeDocuments.lines(batch), count: batch.count)
  }
}
