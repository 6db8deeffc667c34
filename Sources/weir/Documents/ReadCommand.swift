import ArgumentParser

/// `weir read PATH…`: reads documents from files.
struct ReadCommand: DocumentCommand {
  static let configuration = CommandConfiguration(
    commandName: "read",
    abstract: "Read documents from files, folders or standard input.",
    discussion: """
      Reads JSON Lines (plain, .gz or .zst; one object per line with a "text" member), JSON arrays of such objects, \
      Parquet, plain text (one document per file), and folders of these. Other content is refused. Every document keeps an \
      "origin" (path:line) through all stages.

      A line that cannot be parsed is quarantined: it is counted, and written with its reason to the file that --rejects \
      names.

      EXAMPLES:
        weir read corpora/sample | weir dedup --fuzzy -o clean.jsonl.zst
      """)

  @OptionGroup var input: InputOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var stream: StreamOptions
  @OptionGroup var common: CommonOptions

  func extend(_ chain: inout ChainBuilder) throws { try chain.add(input: input, output: output, stream: stream) }
}
