import ArgumentParser
import Artifacts
import Tokenization
import Workflows

/// `weir assign --tree DIR`: documents to documents with their cluster.
struct AssignCommand: DocumentCommand {
  static let configuration = CommandConfiguration(
    commandName: "assign",
    abstract: "Assign documents in a pipe to clusters.",
    discussion: """
      Adds a member "cluster": the leaf of each window of the document, in order. The tree carries its embedder; \
      --tokenizer must be the one the tree's corpus was tokenized with.

      EXAMPLES:
        weir assign new.jsonl --tree out/tree --tokenizer tokenizer/bpe4k --plain
      """)

  @OptionGroup var input: InputOptions

  @Option(help: ArgumentHelp("Tree folder.", valueName: "tree"))
  var tree: String

  @Option(help: ArgumentHelp("Tokenizer folder.", valueName: "folder"))
  var tokenizer: String

  @OptionGroup var output: OutputOptions
  @OptionGroup var stream: StreamOptions
  @OptionGroup var common: CommonOptions

  var propertyFlags: PropertyFlags { ["tokenizer": "--tokenizer"] }
  var inputs: [String] { input.paths + [tree, tokenizer] }

  func extend(_ chain: inout ChainBuilder) throws {
    try chain.add(input: input, output: output, stream: stream)
    chain.append(try AssignDocuments(tree: StoredTree(tree), tokenizer: Tokenizer(folder: tokenizer)))
    chain.report { $0.lines += AssignDocuments.remarks(on: $0.accounts) }
  }
}
