import ArgumentParser
import Pipeline
import Storage
import Tokenization
import Tokens
import Workflows

/// `weir shard OUT`: writes token documents as a token dataset.
struct ShardCommand: ChainCommand {
  static let configuration = CommandConfiguration(
    commandName: "shard",
    abstract: "Write token documents as a token dataset.",
    discussion: """
      Reads the stream of weir tokenize from standard input and writes Megatron .bin/.idx shards, a provenance sidecar per \
      shard, and a manifest. An end-of-document token follows every document. The dataset appears only when it is complete.

      EXAMPLES:
        weir read corpora/sample | weir tokenize --tokenizer tokenizer/bpe4k \\
          | weir shard out/dataset
      """)

  @Argument(help: ArgumentHelp("Dataset folder.", valueName: "folder"))
  var folder: String

  @Option(help: ArgumentHelp("Maximum tokens per shard.", valueName: "n"))
  var shardTokens = Amount(1 << 28)

  @OptionGroup var common: CommonOptions

  var inputs: [String] { [] }
  var outputs: [String] { [folder] }
  var writesDataToOutput: Bool { false }

  func perform(_ session: Session) throws -> Outcome {
    guard !Terminal.inputIsInteractive else { throw ValidationError("Pipe the output of weir tokenize into weir shard") }
    let reader = try TokenStreamReader(path: "-")
    let header = reader.header
    let writer = try TokenDatasetWriter(
      folder, tokenizer: header.tokenizer, tokenizerFile: header.tokenizerFile, vocabulary: header.vocabulary,
      endOfDocument: header.endOfDocument, shardTokens: shardTokens.value)
    let accounts = try session.with("shard") { progress in
      try Chain().run(from: reader, to: TokenDatasetSink(writer, tool: Weir.tool), threads: session.threads, progress: progress)
    }
    return Outcome(accounts: accounts, report: try JSONValue(encoding: ["accounts": accounts]))
  }

  func extend(_ chain: inout ChainBuilder) throws { try chain.shard(into: .dataset(folder, shardTokens: shardTokens.value)) }

  func forecast(_ forecast: inout Forecast) throws -> Forecast.Row { try forecast.shards(folder) }
}
