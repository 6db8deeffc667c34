import ArgumentParser
import Artifacts
import Foundation
import Loading
import Pipeline
import Primitives
import Storage
import Tokens
import Training
import Workflows

/// `weir split DATASET --tree DIR`: a trunk, a specialised branch for each domain, the router.
struct SplitCommand: WeirCommand {
  static let configuration = CommandConfiguration(
    commandName: "split",
    abstract: "Train a shared trunk, then one branch per domain.",
    discussion: """
      The trunk is trained on D tokens of the corpus; each of K branches continues it for D′ tokens of its domain (a node of \
      the tree at --level). For comparison, a full model continues the trunk on the whole corpus for K·D′ tokens, the same \
      total compute. Held-out text is cut into windows, and each window is routed to the branch with the nearest centroid. \
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

  @Flag(inversion: .prefixedNo, help: "Also train a full model of the same compute, for comparison.")
  var full = true

  @OptionGroup(title: "Shape") var shape: ShapeOptions
  @OptionGroup(title: "Schedule") var schedule: ScheduleOptions

  @Option(parsing: .upToNextOption, help: ArgumentHelp("Held-out documents to evaluate on.", valueName: "file"))
  var valid: [String] = []

  @Option(help: ArgumentHelp("Steps between checkpoints.", valueName: "n"))
  var checkpointEvery = 100

  @OptionGroup var seed: SeedOption
  @OptionGroup var common: CommonOptions

  var randomSeed: UInt64? { seed.seed }
  var initialModel: String? { `init` }
  var propertyFlags: PropertyFlags {
    ShapeOptions.propertyFlags + ScheduleOptions.propertyFlags + [
      "tokens": trunkTokens == nil ? "--branch-tokens" : "--trunk-tokens", "checkpointEvery": "--checkpoint-every",
    ]
  }
  var inputs: [String] { [dataset, tree, Clusters.assignmentFolder(dataset, tree: tree), `init`].compactMap { $0 } + valid }
  var outputs: [String] { [output + "/split.json"] }

  func validate() throws {
    guard (trunkTokens == nil) != (`init` == nil) else { throw ValidationError("Give either --trunk-tokens or --init") }
  }

  private func branches(_ count: Int) throws -> [Int] {
    let list = try Amount.list(branchTokens, flag: "--branch-tokens")
    guard list.count == 1 || list.count == count else {
      throw WeirError(
        "--branch-tokens", "names \(list.count) numbers, the tree has \(count) domains", remedy: "give one number, or one a domain")
    }
    return list.count == 1 ? [Int](repeating: list[0], count: count) : list
  }

  func perform(_ session: Session) throws -> Outcome {
    let domains = try Domains(dataset: dataset, tree: tree, level: level, threads: session.threads)
    let tokens = try branches(domains.count)
    let trunk = try trunk(domains, session)
    let windows = domains.windows
    var folders: [String] = []
    for domain in 0..<domains.count {
      guard !windows[domain].isEmpty else { throw WeirError(tree, "domain \(domain) has no window in the dataset") }
      folders.append(RunFolder("branch-\(domain)").model)
      let source = try PackedLoader(
        uniform: domains.dataset, windows: windows[domain], name: "domain \(domain) of \(domains.stored.fingerprint)",
        randomSeed: seed.seed, rows: schedule.batch, sequence: schedule.sequence)
      try train("branch-\(domain)", tokens: tokens[domain], from: .folder(trunk), source: source, domains, session)
    }
    if full {
      let source = try Load.loader(domains.dataset, mixture: nil, randomSeed: seed.seed, rows: schedule.batch, sequence: schedule.sequence)
      try train("full", tokens: tokens.reduce(0, +), from: .folder(trunk), source: source, domains, session)
    }
    let trunkCount = try trunkTokens?.value ?? Int(self.trunkReport()?.tokens ?? 0)
    try JSONFile.write(
      SplitFile(
        dataset: dataset, tree: tree, treeFingerprint: domains.stored.fingerprint, level: level, trunkTokens: trunkCount,
        branchTokens: tokens, branches: folders, full: full ? RunFolder("full").model : nil,
        terms: try ClusterShowCommand.terms(dataset: dataset, tree: tree, level: level, session: session)),
      to: output + "/split.json")
    guard !valid.isEmpty else { return Outcome(lines: ["  \(domains.count) branches in \(output)"]) }
    return try SplitEvaluation(split: output, session: session).outcome(data: valid)
  }

  /// The report of the run that the trunk was taken from, where it is one.
  private func trunkReport() throws -> TrainingReport? {
    guard let report = `init`.map({ RunFolder($0).report }), Files.exists(report) else { return nil }
    return try JSONFile.read(TrainingReport.self, from: report)
  }

  /// The trunk's model folder.
  private func trunk(_ domains: Domains, _ session: Session) throws -> String {
    if let path = `init` {
      let folder = try ModelFolder.locate(path)
      try ModelInitialization.folder(folder).check(dataset: domains.dataset, tokenizer: domains.tokenizer, place: path)
      return folder
    }
    let model = try shape.configuration(vocabulary: domains.dataset.vocabulary, sequence: schedule.sequence)
    let source = try Load.loader(domains.dataset, mixture: nil, randomSeed: seed.seed, rows: schedule.batch, sequence: schedule.sequence)
    try train("trunk", tokens: trunkTokens?.value ?? 0, from: .scratch(model), source: source, domains, session)
    return RunFolder(output + "/trunk").model
  }

  private func train(
    _ name: String, tokens: Int, from initial: ModelInitialization, source: any BatchSource, _ domains: Domains, _ session: Session
  ) throws {
    var configuration = schedule.configuration(tokens: tokens, seed: seed.seed)
    configuration.checkpointEvery = checkpointEvery
    _ = try session.with(name) { progress in
      try TrainingRun.run(
        configuration: configuration, initial: initial, source: source, folder: "\(output)/\(name)",
        tokenizer: domains.dataset.path + "/tokenizer", endOfDocument: domains.dataset.endOfDocument, threads: session.threads,
        progress: progress)
    }
  }

  func forecast(_ forecast: inout Forecast) throws -> Forecast.Row {
    // The number of domains is the tree's; before there is one, the number that the demonstration's arity gives.
    let count = (try? StoredTree(tree).tree.nodes(atLevel: level).count) ?? 4
    let each = try branches(max(count, branchTokens.split(separator: ",").count))
    var row = Forecast.Row(tokens: 0, flops: 0, memory: 0, disk: 0)
    for tokens in each + (full ? [each.reduce(0, +)] : []) + [trunkTokens?.value ?? 0] where tokens > 0 {
      let part = try forecast.training(
        schedule.configuration(tokens: tokens, seed: 0), shape: shape, schedule: schedule, initial: `init`, output: nil)
      row.tokens = (row.tokens ?? 0) + (part.tokens ?? 0)
      row.flops = (row.flops ?? 0) + (part.flops ?? 0)
      row.memory = max(row.memory ?? 0, part.memory ?? 0)
      row.disk = (row.disk ?? 0) + (part.disk ?? 0)
    }
    return row
  }
}
