import ArgumentParser
import Planning
import Primitives
import Storage
import Workflows

/// `weir plan mix`: from small runs of many mixtures to the mixture of a large one.
struct PlanMixCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mix",
    abstract: "Find the best mixture from small runs of many mixtures.",
    subcommands: [MixGenerateCommand.self, MixFitCommand.self, MixPredictCommand.self, MixSolveCommand.self, MixReuseCommand.self])
}

/// The domains of a dataset that mixtures weight.
struct MixtureDomainOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Token dataset whose domains are weighted.", valueName: "folder"))
  var dataset: String?

  @Option(help: ArgumentHelp("Member of the documents whose values are the domains. (default: source)", valueName: "name"))
  var by: String?

  @Option(help: ArgumentHelp("Cluster tree whose clusters are the domains, instead of --by.", valueName: "tree"))
  var tree: String?

  @Option(help: ArgumentHelp("Level of the tree. (default: its leaves)", valueName: "n"))
  var level: Int?

  func validate() throws {
    guard tree == nil || by == nil else { throw ValidationError("Give either --tree or --by") }
    guard level == nil || tree != nil else { throw ValidationError("--level requires --tree") }
    guard dataset != nil || (by == nil && tree == nil) else { throw ValidationError("--by and --tree require --dataset") }
  }

  var inputs: [String] { [dataset, tree].compactMap(\.self) }
  var groups: MixtureDomains.Groups { MixtureDomains.Groups(by: by, tree: tree, level: level) }
  func domains() throws -> MixtureDomains? { try dataset.map { try MixtureDomains(dataset: $0, groups) } }
}
