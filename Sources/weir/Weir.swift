import ArgumentParser
import Primitives

/// `weir`: its commands in the order of the data flow.
struct Weir: ParsableCommand {
  static let version = Tool.version
  /// The tool and version that manifests record.
  static let tool = Tool.name

  static let configuration = CommandConfiguration(
    commandName: "weir",
    abstract: "Build training data and models for specialized domains.",
    discussion: """
      Weir cleans, deduplicates and tokenizes a general text corpus, clusters it into domains, and samples the parts that resemble a \
      small specialist seed. Train on the result with your own trainer or the built-in one, and let the planner divide the compute \
      between a shared model and specialists.

      Commands compose in a pipe, or as steps of a recipe that skips what is up to date.

      EXAMPLES:
        weir read corpora/sample | weir dedup --fuzzy -o clean.jsonl.zst
        weir tokenize clean.jsonl.zst --tokenizer tokenizer/bpe4k --shards dataset
        weir run corpora/demo.yaml
      """,
    version: version,
    groupedSubcommands: [
      CommandGroup(
        name: "Document",
        subcommands: [ReadCommand.self, FilterCommand.self, DedupCommand.self, DecontaminateCommand.self, HoldoutCommand.self]),
      CommandGroup(
        name: "Token",
        subcommands: [
          TokenizerCommand.self, TokenizeCommand.self, ShardCommand.self, PackCommand.self, FeedCommand.self, TraceCommand.self,
          ExportCommand.self,
        ]),
      CommandGroup(name: "Domain", subcommands: [EmbedCommand.self, ClusterCommand.self, AssignCommand.self, SampleCommand.self]),
      CommandGroup(
        name: "Model",
        subcommands: [
          TrainCommand.self, FinetuneCommand.self, FinetuneSweepCommand.self, SplitCommand.self, MergeCommand.self, EvalCommand.self,
          GenerateCommand.self,
        ]),
      CommandGroup(name: "Plan", subcommands: [PlanCommand.self, ReportCommand.self, RunCommand.self]),
      CommandGroup(name: "File", subcommands: [VerifyCommand.self, PeekCommand.self]),
    ])
}
