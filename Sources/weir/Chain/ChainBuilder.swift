import ArgumentParser
import Deduplication
import Documents
import Pipeline
import Primitives
import Storage
import Tokenization

/// Builds one chain from the flags of one or more commands, and runs it.
struct ChainBuilder {
  /// What happens to the documents at the end, where they are not written as documents.
  private enum End {
    case signatures(String, DeduplicationConfiguration)
    case tokens(TokenizingSink, TokenDestination)
  }

  private var chain = Chain<[Document]>()
  private var end: End?
  /// What the first command reads.
  private var input: InputOptions?
  /// Where the last command writes.
  private var output: OutputOptions?
  /// Of the first command: it is the one that reads input from outside, as in a shell pipe.
  private var maxBad = 1.0
  private var rejects: String?
  private var reports: [(inout Outcome) throws -> Void] = []
  /// The commands so far; the last one is being added.
  private var names: [String] = []

  init(_ commands: [any WeirCommand]) throws {
    for command in commands {
      names.append(Self.name(command))
      guard let command = command as? any ChainCommand else { throw WeirError(names[names.count - 1], "cannot be part of a pipe") }
      try command.extend(&self)
    }
  }

  /// What the command is called on a command line.
  static func name(_ command: any WeirCommand) -> String { type(of: command).configuration.commandName ?? "command" }

  /// Adds a command that reads documents. Every command but `shard` calls this first.
  mutating func add(input: InputOptions, output: OutputOptions, stream: StreamOptions) throws {
    if self.input == nil {
      self.input = input
      maxBad = stream.maxBad
    } else {
      guard end == nil, self.output?.output == nil else { throw endsHere() }
      guard input.paths.isEmpty else {
        throw WeirError(names[names.count - 1], "names files, but reads from the pipe", remedy: "name the files in the first command")
      }
    }
    self.output = output
    if let file = stream.rejects {
      guard rejects == nil || rejects == file else {
        throw WeirError("--rejects", "two files, \(rejects ?? "") and \(file)", remedy: "name one file for the whole pipe")
      }
      rejects = file
    }
  }

  /// Adds a stage that handles documents.
  mutating func append<S: Stage>(_ stage: S) where S.Input == [Document], S.Output == [Document] { chain.append(stage) }

  /// Adds a barrier.
  mutating func append(_ barrier: any Barrier<[Document]>) { chain.append(barrier) }

  /// Adds to the outcome after the chain has run.
  mutating func report(_ add: @escaping (inout Outcome) throws -> Void) { reports.append(add) }

  /// Writes MinHash signatures instead of documents.
  mutating func sign(into path: String, _ configuration: DeduplicationConfiguration) { end = .signatures(path, configuration) }

  /// Tokenizes the documents: into a dataset, or as a stream to the command's output.
  mutating func tokenize(_ tokenizing: TokenizingSink, into dataset: TokenDestination?) {
    let path = output?.output ?? "-"
    let isPlain = path == "-" ? Terminal.outputIsInteractive : OutputCoding.isLines(path)
    end = .tokens(tokenizing, dataset ?? .stream(path, plain: isPlain || output?.plain ?? false))
  }

  /// Turns the token stream of the command before into a dataset.
  mutating func shard(into dataset: TokenDestination) throws {
    guard output?.output == nil else { throw endsHere() }
    guard case .tokens(let tokenizing, .stream) = end else { throw WeirError("shard", "needs tokens", remedy: "put tokenize before it") }
    end = .tokens(tokenizing, dataset)
  }

  private func endsHere() -> WeirError {
    WeirError(names[names.count - 1], "cannot follow \(names[names.count - 2]), which writes to a file")
  }

  /// Runs the chain.
  func perform(_ session: Session) throws -> Outcome {
    guard let input else { throw WeirError("pipe", "the first command does not read documents") }
    let source = try DocumentSource(paths: input.resolvedPaths(), limit: input.maxDocument.value)
    let rejects = try self.rejects.map { try RejectFile($0) }
    var outcome = Outcome(maxBad: maxBad)
    outcome.accounts = try session.with(names.joined(separator: " | ")) { progress in
      try chain.run(
        from: source.then(ParseDocuments(textField: input.textField, idField: input.idField)),
        to: try sink(reading: source, input, threads: session.threads, progress), threads: session.threads, progress: progress,
        rejects: rejects
      ) { accounts in
        guard accounts.first.map({ $0.input > 0 }) ?? false else {
          throw WeirError(
            input.place, "no documents", remedy: "name files or folders with JSON lines that have a \"\(input.textField)\" member")
        }
      }
    }
    for account in outcome.accounts.dropFirst() where account.input > 100 && account.changedNothing {
      outcome.lines.append("  note: \(account.stage) changed nothing in \(Format.count(account.input)) documents")
    }
    outcome.report = try JSONValue(encoding: ["accounts": outcome.accounts])
    for report in reports { try report(&outcome) }
    return outcome
  }

  private func sink(
    reading source: DocumentSource, _ input: InputOptions, threads: Int, _ progress: Progress
  ) throws -> any Sink<[Document]> {
    switch end {
    case nil: try DocumentSink(path: output?.output ?? "-", plain: output?.plain ?? false, threads: threads)
    case .signatures(let path, let configuration):
      try SignatureFile(path, configuration: configuration).after(SignDocuments(configuration))
    case .tokens(let tokenizing, let destination):
      try tokenizing.open(
        destination, source: source, job: job(reading: source, input), threads: threads, tool: Weir.tool, progress: progress)
    }
  }

  /// Everything that the documents depend on, so that a run can resume an interrupted one; nil where it cannot: a barrier would have to
  /// remember all it has seen, the rejects of the interrupted run are lost, and standard input cannot be read twice.
  private func job(reading source: DocumentSource, _ input: InputOptions) throws -> JSONValue? {
    guard chain.isEmpty, rejects == nil, let files = try source.identity() else { return nil }
    return [
      "tool": .string(Weir.tool), "files": files, "text_field": .string(input.textField), "id_field": .string(input.idField),
      "max_document": .number(Double(input.maxDocument.value)),
    ]
  }
}

extension Account {
  fileprivate var changedNothing: Bool { input == output && bytesIn == bytesOut && extra.isEmpty }
}

extension InputOptions {
  /// The paths; standard input where there are none.
  /// - Throws: where standard input is a terminal: nobody wants to type a corpus.
  func resolvedPaths() throws -> [String] {
    if !paths.isEmpty { return paths }
    guard !Terminal.inputIsInteractive else { throw ValidationError("Name files or folders, or pipe documents into standard input.") }
    return ["-"]
  }

  /// How an error names the input.
  var place: String { paths.isEmpty ? "standard input" : paths.joined(separator: " ") }
}
