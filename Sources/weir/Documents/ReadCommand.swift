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

      s3://BUCKET/KEY names an object of S3 or of a store with its interface, a prefix or a pattern; the program s5cmd \
      downloads objects into a cache. Credentials, AWS_REGION and AWS_ENDPOINT_URL are as for other AWS programs, and \
      AWS_SKIP_SIGNATURE=true reads public buckets. WEIR_CACHE and WEIR_CACHE_SIZE name the cache's folder and size; the \
      default is 20G in ~/.cache/weir/objects. So do all commands that take paths of documents.

      A line that cannot be parsed is quarantined: it is counted, and written with its reason to the file that --rejects \
      names.

      EXAMPLES:
        weir read corpora/sample | weir dedup --fuzzy -o clean.jsonl.zst
        weir read 's3://bucket/web/*.jsonl.zst' -o web.jsonl.zst
      """)

  @OptionGroup var input: InputOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var stream: StreamOptions
  @OptionGroup var common: CommonOptions

  func extend(_ chain: inout ChainBuilder) throws { try chain.add(input: input, output: output, stream: stream) }
}
