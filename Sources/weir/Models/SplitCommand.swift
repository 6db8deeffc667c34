import ArgumentParser
import Artifacts
import Tokens
import Workflows

/// `weir split DATASET --tree DIR`: trains a trunk, one branch per domain, and writes the router.
struct SplitCommand: SeededCommand {
  static let configuration = CommandConfiguration(
    commandName: "split",
    abstract: "Train a shared trunk, then one branch per domain.",
    discussion: """
      The trunk is trained on D tokens of the corpus; each of K branches continues it for D′ tokens of its domain (a node of \
      the tree at --level). For comparison, a single-model baseline continues the trunk on the whole corpus for K·D′ \
      tokens, the same total compute. Held-out text is cut into windows, and each window is routed to the branch with the nearest centroid. \
      Parts that are complete are not trained again.

      EXAMPLES:
        weir split out/dataset --tree out/tree --init runs/base \\
          --branch-tokens 200k --valid heldout.jsonl -o runs/split
      """)

  @Argument(help: ArgumentHelp("Token dataset with an assignment to the tree.", valueName: "dataset"))
  var dataset: String

  @Option(help: ArgumentHelp("Tree folder.", valueName: "tree"))
  var tree: String

  @Option(name: [.customShort("o"), .long], help: ArgumentHelp("Split folder.", valueName: "folder"))
  var output: String

  @Option(help: ArgumentHelp("Tree level whose nodes are the domains.", valueName: "n"))
  var level = 1

  @Option(help: ArgumentHelp("Run whose model is the trunk. (default: train a trunk)", valueName: "path"))
  var `init`: String?

  @Option(help: ArgumentHelp("Trunk tokens D.", valueName: "n"))
  var trunkTokens: Amount?

  @Option(help: ArgumentHelp("Branch tokens D′; one number, or one per domain, separated by commas.", valueName: "list"))
  var branchTokens: String

  @Flag(inversion: .prefixedNo, help: "Also train a single-model baseline of the same compute.")
  var full = true

  @OptionGroup(title: "Shape") var shape: ShapeOptions
  @OptionGroup(title: "Schedule") var schedule: ScheduleOptions

  @Option(parsing: .upToNextOption, help: ArgumentHelp("Held-out documents to evaluate on, or token datasets of them.", valueName: "file"))
  var valid: [String] = []

  @Option(help: ArgumentHelp("Steps between checkpoints.", valueName: "n"))
  var checkpointEvery = 100

  @OptionGroup var seed: SeedOption
  @OptionGroup var common: CommonOptions

  var initialModel: String? { `init` }
  var propertyFlags: PropertyFlags {
    ShapeOptions.propertyFlags + ScheduleOptions.propertyFlags + [
      "tokens": trunkTokens == nil ? "--branch-tokens" : "--trunk-tokens", "branchTokens": "--branch-tokens",
      "trunkTokens": "--trunk-tokens", "level": "--level", "checkpointEvery": "--checkpoint-every",
    ]
  }
  var inputs: [String] { [dataset, tree, DatasetFolder(dataset).assignment(tree: tree), `init`].compactMap { $0 } + valid }
  var outputs: [String] { [SplitFile.path(in: output)] }
  var lockedOutputs: [String] { [] }

  func validate() throws {
    guard (trunkTokens == nil) != (`init` == nil) else { throw ValidationError("Give either --trunk-tokens or --init") }
  }

  private func split() throws -> SplitConfiguration {
    var split = SplitConfiguration(
      dataset: dataset, tree: tree, output: output,
      trunk: `init`.map { .model($0) } ?? .scratch(shape.shape, tokens: trunkTokens?.value ?? 0),
      branchTokens: try Amount.list(branchTokens, flag: "--branch-tokens"))
    split.level = level
    split.full = full
    split.settings = schedule.settings(seed: seed, checkpointEvery: checkpointEvery, valid: valid)
    return split
  }

  func perform(_ session: Session) throws -> Outcome {
    let split = try split()
    let result = try session.with("split") { try SplitRun.run(split, threads: session.threads, progress: $0) }
    return try result.report?.outcome() ?? Outcome(lines: ["  \(result.branches) branches in \(output)"])
  }

  func forecast(_ forecast: inout Forecast) throws -> Forecast.Row {
    // Until the tree exists, its number of domains is a guess.
    let count = (try? StoredTree(tree).tree.nodes(atLevel: level).count) ?? 4
    let split = try split(), each = try split.branches(max(count, split.branchTokens.count))
    var row = Forecast.Row()
    for tokens in each + (full ? [each.reduce(0, +)] : []) + [trunkTokens?.value ?? 0] where tokens > 0 {
      row.add(
        run: try forecast.training(
          schedule.settings(tokens: tokens, seed: seed), shape: shape.shape, initial: `init`, output: nil))
    }
    return row
  }
}
