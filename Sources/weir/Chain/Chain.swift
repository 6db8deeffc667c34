import Documents
import Foundation
import Pipeline
import Primitives
import Storage
import Tokens

/// Document stages one after another, from a source to an end, in one process.
///
/// Stages that look at one document at a time are composed and run together on all threads, with what the next barrier (deduplication) does
/// to each batch; the barrier itself runs beside them. Batches are handed on in order. What each stage does depends on the sequence
/// of documents alone, so a chain in one process gives the same bytes as the same stages in a shell pipe.
struct Chain {
  /// Where documents come from.
  var input: InputOptions
  /// The stages in order.
  var links: [any ChainLink] = []
  /// What becomes of the documents.
  var end: any ChainEnd
  /// Where rejects go.
  var rejects: String?

  /// Runs the chain.
  /// - Returns: the accounts of every stage, in order.
  func run(_ session: Session, label: String) throws -> [Account] {
    let source = try DocumentSource(paths: input.resolvedPaths(), limit: input.maxDocument.value)
    let rejects = try self.rejects.map { try RejectFile($0) }
    let runner = OrderedRunner(threads: session.threads, keepsRejects: rejects != nil)
    let bar = session.bar(label)
    defer { bar.clear() }
    let progress = bar.progress

    var parse = AnyStage(ParseDocuments(textField: input.textField, idField: input.idField))
    var segments: [ChainSegment] = []
    for link in links {
      switch link.work {
      case .stage(let stage) where segments.isEmpty: parse = parse.appending(stage)
      case .stage(let stage): segments[segments.count - 1].append(stage)
      case .barrier(let barrier): segments.append(ChainSegment(barrier: barrier))
      }
    }
    let resuming = try resuming(source)
    let endWork = try end.open(runner: runner, resuming: resuming)
    let accounts: [Account]
    do {
      if let resumption = endWork.resumption {
        try source.start(at: resumption.position)
        session.say("  goes on behind \(Format.count(resumption.shards)) whole shards of an earlier run")
      }
      accounts = try SegmentRun(
        parse: parse, segments: segments, end: endWork, runner: runner, rejects: rejects, progress: progress, resuming: resuming
      ).run(source)
      try source.finish()
    } catch {
      endWork.discard()
      throw error
    }
    guard accounts.first.map({ $0.input > 0 }) ?? false else {
      endWork.discard()
      throw WeirError(
        input.place, "no documents", remedy: "name files or folders with JSON lines that have a \"\(input.textField)\" member")
    }
    for warning in source.warnings { session.say("weir: warning: \(warning)") }
    // The rejects first: an output does not appear without the record of what is missing from it.
    do {
      try rejects?.commit()
      return accounts + (try endWork.commit(accounts))
    } catch {
      endWork.discard()
      throw error
    }
  }
}

/// One stage of a chain.
protocol ChainLink {
  /// What it does with documents.
  var work: ChainWork { get }
}

/// What a link does with documents.
enum ChainWork {
  /// One document at a time, on any thread.
  case stage(AnyStage<[Document], [Document]>)
  /// All documents in order.
  case barrier(any ChainBarrier)
}

/// A link that has to see the documents in order, or all of them before it hands on the first.
protocol ChainBarrier {
  /// A batch of documents with what was made of each.
  associatedtype Batch: Sendable
  /// What is done with every batch on the threads of the stages before; it counts nothing.
  func prepare() throws -> AnyStage<[Document], Batch>
  /// Takes batches from `pull`, hands on documents to `push`.
  func run(_ flow: ChainFlow<Batch>) throws -> [Account]
}

/// What a barrier works with.
struct ChainFlow<Batch: Sendable> {
  var runner: OrderedRunner
  var progress: Progress
  var pull: () throws -> Batch?
  var push: ([Document]) throws -> Void
  /// Where rejects go; nil where nobody wants them.
  var reject: (([Reject]) throws -> Void)?
}

/// What becomes of the documents at the end of a chain.
protocol ChainEnd {
  /// Opens the output under a temporary name.
  /// - Parameter resuming: how to go on with what an earlier run left, where that is possible.
  func open(runner: OrderedRunner, resuming: Resuming?) throws -> any ChainEndWork
}

/// An open end: takes documents in order, and commits or discards.
protocol ChainEndWork {
  /// Where the input is to go on that an earlier run began; nil: at its beginning.
  var resumption: TokenDatasetWriter.Resumption? { get }
  /// Composes the last stages with `stage`, runs them over `source`, and writes.
  func consume<Input>(
    _ stage: AnyStage<Input, [Document]>, source: () throws -> Input?, rejects: (Ledger) throws -> Void
  ) throws -> [Account]
  /// Puts the output under its final name.
  /// - Returns: further accounts, of what the end itself did.
  func commit(_ accounts: [Account]) throws -> [Account]
  /// Removes what was written.
  func discard()
}

extension ChainEndWork {
  var resumption: TokenDatasetWriter.Resumption? { nil }
}

/// A link that looks at one document at a time.
struct StageLink: ChainLink {
  let work: ChainWork

  init<S: Stage>(_ stage: S) where S.Input == [Document], S.Output == [Document] {
    work = .stage(AnyStage(stage))
  }
}
