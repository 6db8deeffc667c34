extension DatasetFolder {
  /// The files of one shard.
  package struct Shard: Sendable, Equatable {
    /// The shard's file names without endings, such as `shard-00000`.
    package let name: String
    /// The token ids.
    package let tokens: String
    /// The Megatron index of the tokens.
    package let index: String
    /// One line per document: `TokenDataset.DocumentInfo`.
    package let documents: String
  }

  package func shard(_ index: Int) -> Shard {
    let name = Self.shardPrefix + String(100_000 + index).dropFirst()
    let base = path + "/" + name
    return Shard(name: name, tokens: base + ".bin", index: base + ".idx", documents: base + ".docs.jsonl")
  }

  /// The number of shards among the files of a manifest.
  static func shardCount(_ files: [String]) -> Int { files.filter { $0.hasPrefix(shardPrefix) && $0.hasSuffix(".bin") }.count }

  private static let shardPrefix = "shard-"
}
