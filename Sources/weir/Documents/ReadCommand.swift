import ArgumentParser
import Pipeline

/// `weir read PATH…`: documents out of files.
struct ReadCommand: ChainCommand {
  static let configuration = CommandConfiguration(
    commandName: "read",
    abstract: "Reads documents from files and folders.",
    discussion: """
      JSON Lines (plain, .gz, .zst; one object a line with a "text" member), plain text (one document a file), folders of these, and
      standard input. Each document gets an "origin" (path:line) that stays with it. A line that cannot be understood is counted,
      and kept with the reason where --rejects names a file.

      Example: weir read corpora/sample | weir dedup --fuzzy -o clean.jsonl.zst
      """)

  @OptionGroup var input: InputOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var stream: StreamOptions
  @OptionGroup var common: CommonOptions

  var inputs: [String] { input.paths }
  var outputs: [String] { output.output.map { [$0] } ?? [] }

  func extend(_ chain: inout ChainBuilder) throws {
    try chain.add(input: input, output: output, stream: stream)
  }

  func forecast(_ world: inout Forecast) throws -> Forecast.Row { try world.documents(input, output: output) }
}
