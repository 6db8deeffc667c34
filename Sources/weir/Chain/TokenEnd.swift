import Documents
import Pipeline
import Primitives
import Storage
import Tokenization
import Tokens

/// Documents to tokens: into a dataset, or onto standard output.
struct TokenEnd: ChainEnd {
  /// Where tokens go.
  enum Place {
    /// A token dataset.
    case dataset(String, shardTokens: Int)
    /// A stream of token documents.
    case stream(OutputOptions)
  }

  var tokenizer: Tokenizer
  /// The tokenizer's file, which goes along.
  var tokenizerFile: [UInt8]
  var place: Place
  /// Whether special tokens that stand in a text become their ids.
  var allowsSpecials = false
  /// Whether the tokenizer's template stands round each text.
  var addsTemplate = false

  func open(runner: OrderedRunner, resuming: Resuming? = nil) throws -> any ChainEndWork {
    if allowsSpecials, let token = tokenizer.addedTokens.first(where: { $0.isSpecial && !$0.ignored.isEmpty }) {
      throw WeirError(
        "--allow-special", "\"\(token.content)\" is set \(token.ignored.joined(separator: ", ")), which is not supported in a text",
        remedy: "tokenize without it")
    }
    if addsTemplate, tokenizer.template.isEmpty {
      throw WeirError("--add-special", "the tokenizer.json has no post_processor that adds a token", remedy: "tokenize without it")
    }
    guard let endOfDocument = tokenizer.endOfDocument else {
      throw WeirError(
        "--tokenizer", "has no \(Tokenizer.endOfDocumentName) token", remedy: "train it with --special '\(Tokenizer.endOfDocumentName)'")
    }
    let sink: any TokenSink
    switch place {
    case .dataset(let path, let shardTokens):
      let job = resuming.map { resuming -> JSONValue in
        ["chain": resuming.job, "allow_special": .bool(allowsSpecials), "add_special": .bool(addsTemplate)]
      }
      sink = DatasetSink(
        writer: try TokenDatasetWriter(
          path, tokenizer: tokenizer.fingerprint, tokenizerFile: tokenizerFile, vocabulary: tokenizer.vocabularySize,
          endOfDocument: Int(endOfDocument), shardTokens: shardTokens, job: job), resuming: resuming)
    case .stream(let output):
      let header = TokenStreamHeader(
        tokenizer: tokenizer.fingerprint, vocabulary: tokenizer.vocabularySize, endOfDocument: Int(endOfDocument),
        tokenizerFile: tokenizerFile)
      sink = try StreamSink(
        writer: TokenStreamWriter(
          path: output.output ?? "-", header: header, plain: output.plain || Terminal.outputIsInteractive, threads: runner.threads))
    }
    return Work(
      runner: runner, tokenize: AnyStage(TokenizeDocuments(tokenizer, allowsSpecials: allowsSpecials, addsTemplate: addsTemplate)),
      sink: sink)
  }

  private struct Work: ChainEndWork {
    let runner: OrderedRunner
    let tokenize: AnyStage<[Document], [TokenDocument]>
    let sink: any TokenSink
    var resumption: TokenDatasetWriter.Resumption? { sink.resumption }

    func consume<Input>(
      _ stage: AnyStage<Input, [Document]>, source: () throws -> Input?, rejects: (Ledger) throws -> Void
    ) throws -> [Account] {
      let stages = stage.appending(tokenize)
      var done = Ledger(names: stages.names)
      if let resumption { done.accounts = resumption.accounts }
      _ = try runner.run(stages, source: source) { documents, ledger in
        try rejects(ledger)
        sink.beginBlock(accounts: done.accounts)
        try sink.append(documents)
        done.merge(ledger)
      }
      return done.accounts
    }

    func commit(_ accounts: [Account]) throws -> [Account] { try sink.commit() }
    func discard() { sink.discard() }
  }
}

/// Where token documents end.
protocol TokenSink {
  /// Where the input is to go on that an earlier run began.
  var resumption: TokenDatasetWriter.Resumption? { get }
  /// Says that the documents of the next block come, and what the accounts were before it.
  func beginBlock(accounts: [Account])
  func append(_ documents: [TokenDocument]) throws
  func commit() throws -> [Account]
  func discard()
}

extension TokenSink {
  var resumption: TokenDatasetWriter.Resumption? { nil }
  func beginBlock(accounts: [Account]) {}
}

/// Into a dataset.
struct DatasetSink: TokenSink {
  let writer: TokenDatasetWriter
  var resuming: Resuming?
  var resumption: TokenDatasetWriter.Resumption? { writer.resumption }
  func beginBlock(accounts: [Account]) {
    if let resuming { writer.beginBlock(resuming.pop(), accounts: accounts) }
  }
  func append(_ documents: [TokenDocument]) throws { try writer.append(documents) }
  func commit() throws -> [Account] {
    _ = try writer.commit(tool: Weir.tool)
    return [writer.account]
  }
  func discard() { writer.discard() }
}

/// Onto standard output.
struct StreamSink: TokenSink {
  let writer: TokenStreamWriter
  func append(_ documents: [TokenDocument]) throws { try writer.append(documents) }
  func commit() throws -> [Account] {
    try writer.finish()
    return []
  }
  func discard() { writer.discard() }
}
