import ArgumentParser
import Pipeline
import Primitives
import Storage
import Tokenization
import Tokens

/// `weir tokenize`: documents to token documents, or back, or at once into a dataset.
struct TokenizeCommand: ChainCommand {
  static let configuration = CommandConfiguration(
    commandName: "tokenize",
    abstract: "Turns documents into tokens, and back.",
    discussion: """
      Writes token documents for weir shard; --plain writes JSON Lines with id and tokens. --shards OUT is read, tokenize and shard in
      one, the fast way. --decode goes the other way: token documents from standard input become documents.

      Example: weir tokenize corpora/sample --tokenizer tokenizer/bpe4k --shards out/dataset
      """)

  @OptionGroup var input: InputOptions

  @Option(help: ArgumentHelp("The tokenizer's folder (tokenizer.json).", valueName: "folder"))
  var tokenizer: String

  @Option(help: ArgumentHelp("Write a token dataset.", valueName: "folder"))
  var shards: String?

  @Option(help: ArgumentHelp("Tokens after which a new shard begins.", valueName: "n"))
  var shardTokens = Amount(1 << 28)

  @Flag(help: "Special tokens that stand in a text become their ids; otherwise they are text like any other.")
  var allowSpecial = false

  @Flag(
    help:
      "Put round each text what the tokenizer.json's post_processor adds, such as Llama 3's <|begin_of_text|>; with --decode, take it away."
  )
  var addSpecial = false

  @Flag(help: "Turn token documents from standard input into documents.")
  var decode = false

  @OptionGroup var output: OutputOptions
  @OptionGroup var stream: StreamOptions
  @OptionGroup var common: CommonOptions

  var inputs: [String] { input.paths + [tokenizer] }
  var outputs: [String] { [shards, output.output].compactMap { $0 } }

  func validate() throws {
    guard !(decode && allowSpecial) else { throw ValidationError("--allow-special is about text; it cannot go with --decode") }
    guard !(decode && shards != nil) else { throw ValidationError("--decode writes documents; it cannot go with --shards") }
  }

  func perform(_ session: Session) throws -> Outcome {
    guard decode else { return try ChainBuilder.fuse([self]).perform(session) }
    let tokenizer = try Tokenizer(folder: tokenizer)
    let reader = try TokenStreamReader(path: input.resolvedPaths().first ?? "-")
    guard reader.header.tokenizer == tokenizer.fingerprint else {
      throw WeirError("--tokenizer", "the tokens were made by another tokenizer", remedy: "name the one that made them")
    }
    let work = try DocumentEnd(output: output).open(runner: OrderedRunner(threads: session.threads))
    let accounts: [Account]
    do {
      accounts = try work.consume(
        AnyStage(DetokenizeDocuments(tokenizer, removesTemplate: addSpecial)), source: { try reader.next() }, rejects: { _ in })
      try reader.finish()
    } catch {
      work.discard()
      throw error
    }
    _ = try work.commit(accounts)
    return Outcome(accounts: accounts, report: try JSONValue(encoding: ["accounts": accounts]), maxBad: stream.maxBad)
  }

  func extend(_ chain: inout ChainBuilder) throws {
    guard !decode else { throw WeirError("--decode", "reads tokens, so it cannot follow a stage of documents") }
    try chain.add(input: input, output: output, stream: stream)
    let file = try Files.read(Files.isFolder(tokenizer) ? tokenizer + "/tokenizer.json" : tokenizer)
    chain.end = TokenEnd(
      tokenizer: try Tokenizer(folder: tokenizer), tokenizerFile: file,
      place: shards.map { .dataset($0, shardTokens: shardTokens.value) } ?? .stream(output), allowsSpecials: allowSpecial,
      addsTemplate: addSpecial)
  }

  func forecast(_ world: inout Forecast) throws -> Forecast.Row {
    _ = try world.documents(input, output: nil)
    return try world.tokens(tokenizer: tokenizer, dataset: shards)
  }
}
