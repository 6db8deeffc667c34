import ArgumentParser
import Artifacts
import Primitives
import Storage
import Tokens
import Training
import Workflows

/// `weir plan sweep DATASET`: the grid of runs that a law is fitted to.
struct PlanSweepCommand: SeededCommand {
  static let configuration = CommandConfiguration(
    commandName: "sweep",
    abstract: "Measure the loss over model sizes, trunk and branch tokens.",
    discussion: """
      For each size, one trunk is trained at a constant learning rate and checkpointed at every D; from each checkpoint, one \
      branch per domain continues with the optimizer state and is evaluated at every D′. Per size, the grid costs one trunk \
      of the largest D and, for every D and domain, one branch of the largest D′.

      EXAMPLES:
        weir plan sweep out/dataset --tree out/tree --sizes 32x2,64x2 \\
          --trunk-tokens 200k,400k --branch-tokens 50k,100k \\
          --valid heldout.jsonl --run runs/sweep -o out/runs.jsonl
      """)

  @Argument(help: ArgumentHelp("Token dataset with an assignment to the tree.", valueName: "dataset"))
  var dataset: String

  @Option(help: ArgumentHelp("Tree folder.", valueName: "tree"))
  var tree: String

  @Option(help: ArgumentHelp("Model sizes as WIDTHxLAYERS, separated by commas.", valueName: "list"))
  var sizes: String

  @Option(help: ArgumentHelp("Trunk tokens D, separated by commas.", valueName: "list"))
  var trunkTokens: String

  @Option(help: ArgumentHelp("Branch tokens D′, separated by commas.", valueName: "list"))
  var branchTokens: String

  @Option(help: ArgumentHelp("Tree level whose nodes are the domains.", valueName: "n"))
  var level = 1

  @Option(help: ArgumentHelp("Branch only into this many domains, those with the most tokens. (default: all)", valueName: "n"))
  var domains: Int?

  @Option(parsing: .upToNextOption, help: ArgumentHelp("Held-out documents, routed to their domains.", valueName: "file"))
  var valid: [String]

  @Option(help: ArgumentHelp("Folder for the runs.", valueName: "folder"))
  var run: String

  @Option(name: [.customShort("o"), .long], help: ArgumentHelp("Output file for the measured runs (JSON Lines).", valueName: "file"))
  var output: String

  @OptionGroup(title: "Schedule") var schedule: ScheduleOptions
  @OptionGroup var seed: SeedOption
  @OptionGroup var common: CommonOptions

  var propertyFlags: PropertyFlags {
    ScheduleOptions.propertyFlags + [
      "sizes": "--sizes", "trunkTokens": "--trunk-tokens", "branchTokens": "--branch-tokens", "level": "--level", "domains": "--domains",
      "modelConfiguration": "--sizes", "preset": "--sizes", "width": "--sizes", "layers": "--sizes", "tokens": "--trunk-tokens",
    ]
  }
  var inputs: [String] { [dataset, tree, DatasetFolder(dataset).assignment(tree: tree)] + valid }
  var outputs: [String] { [output] }

  private func sweep() throws -> SweepConfiguration {
    let sizes = try sizes.split(separator: ",").map { part in
      let numbers = part.split(separator: "x").map { Int($0) }
      guard numbers.count == 2, let width = numbers[0], let layers = numbers[1], width > 0, layers > 0 else {
        throw WeirError("--sizes", "'\(part)' is not WIDTHxLAYERS", remedy: "write sizes such as 32x2,64x2")
      }
      return SweepConfiguration.Size(width: width, layers: layers)
    }
    var sweep = SweepConfiguration(
      dataset: dataset, tree: tree, sizes: sizes, trunkTokens: try Amount.list(trunkTokens, flag: "--trunk-tokens"),
      branchTokens: try Amount.list(branchTokens, flag: "--branch-tokens"), runs: run, output: output)
    (sweep.level, sweep.domains) = (level, domains)
    sweep.settings = schedule.settings(seed: seed, valid: valid)
    return sweep
  }

  func perform(_ session: Session) throws -> Outcome {
    let sweep = try sweep()
    let report = try session.with("sweep") { try SweepRun.run(sweep, threads: session.threads, progress: $0) }
    return Outcome(
      report: try JSONValue(encoding: report),
      lines: [
        "  \(report.runs) losses measured: \(sweep.sizes.count) sizes, \(sweep.trunkTokens.count) values of D, \(sweep.branchTokens.count + 1) of D′, \(report.domains) domains"
      ])
  }

  func forecast(_ forecast: inout Forecast) throws -> Forecast.Row {
    let sweep = try sweep(), d = sweep.trunkTokens, dPrime = sweep.branchTokens
    let count = domains ?? (try? StoredTree(tree).tree.nodes(atLevel: level).count) ?? 4
    var row = Forecast.Row()
    for size in sweep.sizes {
      let model = try size.shape.configuration(vocabulary: 4_096, sequence: schedule.sequence)
      let tokens = (d.max() ?? 0) + d.count * count * (dPrime.max() ?? 0)
      let estimate = try TrainingEstimate(sweep.training(tokens: tokens), model: model, rows: schedule.batch, sequence: schedule.sequence)
      var run = Forecast.Row(estimate)
      run.disk = Double(estimate.parameters * 4 * (3 * d.count + 1 + d.count * count))
      row.add(run: run)
    }
    return row
  }
}
