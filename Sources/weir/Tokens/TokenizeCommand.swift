import ArgumentParser
import Documents
import Pipeline
import Primitives
import Storage
import Tokenization
import Tokens
import Workflows

/// `weir tokenize`: turns documents into token documents or a token dataset, or token documents back into documents.
struct TokenizeCommand: ChainCommand {
  static let configuration = CommandConfiguration(
    commandName: "tokenize",
    abstract: "Turn documents into tokens, or tokens back into documents.",
    discussion: """
      Writes a stream of token documents for weir shard, or JSON Lines with --plain. --shards OUT reads, tokenizes and \
      writes a token dataset in one process, which is the fastest way; an interrupted run resumes after its last complete \
      shard. --decode reverses: token documents from standard input become documents.

      EXAMPLES:
        weir tokenize corpora/sample --tokenizer tokenizer/bpe4k --shards out/dataset
      """)

  @OptionGroup var input: InputOptions

  @Option(help: ArgumentHelp("Tokenizer folder (tokenizer.json).", valueName: "folder"))
  var tokenizer: String

  @Option(help: ArgumentHelp("Write a token dataset to this folder.", valueName: "folder"))
  var shards: String?

  @Option(help: ArgumentHelp("Maximum tokens per shard.", valueName: "n"))
  var shardTokens = Amount(1 << 28)

  @Flag(help: "Encode special tokens in the text as their ids instead of as plain text.")
  var allowSpecial = false

  @Flag(help: "Add special tokens around each text, as add_special_tokens=True does. With --decode, remove those that were added.")
  var addSpecial = false

  @Flag(help: "Decode token documents from standard input.")
  var decode = false

  @OptionGroup var output: OutputOptions
  @OptionGroup var stream: StreamOptions
  @OptionGroup var common: CommonOptions

  var inputs: [String] { input.paths + [tokenizer] }
  var outputs: [String] { [shards, output.output].compactMap { $0 } }

  func validate() throws {
    guard !(decode && allowSpecial) else { throw ValidationError("--allow-special cannot be combined with --decode") }
    guard !(decode && shards != nil) else { throw ValidationError("--decode cannot be combined with --shards") }
  }

  func perform(_ session: Session) throws -> Outcome {
    guard decode else { return try ChainBuilder([self]).perform(session) }
    let tokenizer = try Tokenizer(folder: tokenizer)
    let reader = try TokenStreamReader(path: input.resolvedPaths().first ?? "-")
    guard reader.header.tokenizer == tokenizer.fingerprint else {
      throw WeirError("--tokenizer", "is not the tokenizer of these tokens", remedy: "give the one that weir tokenize used")
    }
    let rejects = try stream.rejects.map { try RejectFile($0) }
    let sink = try DocumentSink(path: output.output ?? "-", plain: output.plain, threads: session.threads)
    let accounts = try session.with("tokenize") { progress in
      try Chain().run(
        from: reader.then(DetokenizeDocuments(tokenizer, removesTemplate: addSpecial)), to: sink, threads: session.threads,
        progress: progress, rejects: rejects)
    }
    return Outcome(accounts: accounts, report: try JSONValue(encoding: ["accounts": accounts]), maxBad: stream.maxBad)
  }

  func extend(_ chain: inout ChainBuilder) throws {
    guard !decode else { throw WeirError("--decode", "reads tokens, so it cannot follow a command that writes documents") }
    try chain.add(input: input, output: output, stream: stream)
    chain.tokenize(
      try TokenizingSink(tokenizer: tokenizer, allowsSpecials: allowSpecial, addsTemplate: addSpecial),
      into: shards.map { .dataset($0, shardTokens: shardTokens.value) })
  }

  func forecast(_ forecast: inout Forecast) throws -> Forecast.Row {
    _ = try forecast.documents(input, output: nil)
    return try forecast.tokens(tokenizer: tokenizer, dataset: shards)
  }
}
