import ArgumentParser

/// `weir`: the commands in the order of the way of the data.
struct Weir: ParsableCommand {
  static let version = "0.1.0"
  /// What outputs name as their maker.
  static let tool = "weir \(version)"

  static let configuration = CommandConfiguration(
    commandName: "weir",
    abstract: "Turns a general text corpus into domain mixtures, specialised models, and a plan of how much compute goes where.",
    discussion: """
      The way of the data: read | filter | dedup | tokenize | shard, then embed, cluster, sample, train, split, finetune, plan, report.
      Stages compose in a pipe, or in a recipe that runs in one process:

        weir read corpora/sample | weir dedup --fuzzy | weir tokenize --tokenizer tokenizer/bpe4k | weir shard out/dataset
        weir run corpora/demo.yaml
      """,
    version: version,
    groupedSubcommands: [
      CommandGroup(name: "Documents", subcommands: [ReadCommand.self, FilterCommand.self, DedupCommand.self, DecontaminateCommand.self]),
      CommandGroup(name: "Tokens", subcommands: [TokenizerCommand.self, TokenizeCommand.self, ShardCommand.self]),
      CommandGroup(
        name: "Domains", subcommands: [EmbedCommand.self, ClusterCommand.self, AssignCommand.self, SampleCommand.self]),
      CommandGroup(
        name: "Models",
        subcommands: [
          ExportCommand.self, FeedCommand.self, TraceCommand.self, TrainCommand.self, FinetuneCommand.self, SplitCommand.self,
          EvalCommand.self, GenerateCommand.self,
        ]),
      CommandGroup(name: "Plans", subcommands: [PlanCommand.self, ReportCommand.self, RunCommand.self]),
      CommandGroup(name: "Files", subcommands: [VerifyCommand.self, PeekCommand.self]),
    ])
}
