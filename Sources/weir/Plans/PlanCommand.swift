import ArgumentParser
import Foundation
import Pipeline
import Planning
import Primitives
import Storage
import Workflows

/// `weir plan`: how much compute goes to the shared model and how much to each specialist.
struct PlanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Measure, fit and apply scaling laws.",
    subcommands: [PlanSweepCommand.self, PlanFitCommand.self, PlanAllocateCommand.self])
}

/// `weir plan fit RUNS`.
struct PlanFitCommand: WeirCommand {
  static let configuration = CommandConfiguration(
    commandName: "fit",
    abstract: "Fit scaling laws to measured runs; select one by held-out error.",
    discussion: """
      Runs are JSON Lines with n (non-embedding parameters), d (general tokens), d_prime (specialization tokens), loss (nats \
      per token), and optionally domain and unique. F1 is E + A/N^α + (B/D^β + G)(1 + D′/s)^(−γ); F2 to F5 are alternatives. \
      F5 is the published Chinchilla law, F3 and F4 adapt published laws, and F1 and F2 are extensions of Weir. The law is selected by its error on the largest runs, which are held out.

      EXAMPLES:
        weir plan fit out/runs.jsonl --laws F1,F5 -o out/fit.json
      """)

  @Argument(help: ArgumentHelp("Measured runs (JSON Lines).", valueName: "runs"))
  var runs: String

  @Option(help: ArgumentHelp("Laws to fit; the first is preferred in a tie.", valueName: "list"))
  var laws = "F1,F2,F3,F4,F5"

  @Option(name: [.customShort("o"), .long], help: ArgumentHelp("Output file for the fit (JSON).", valueName: "file"))
  var output: String

  @Option(help: ArgumentHelp("Bootstrap samples of the runs for intervals.", valueName: "n"))
  var bootstrap = 200

  @OptionGroup var seed: SeedOption
  @OptionGroup var common: CommonOptions

  var randomSeed: UInt64? { seed.seed }

  var inputs: [String] { [runs] }
  var outputs: [String] { [output] }

  func perform(_ session: Session) throws -> Outcome {
    var configuration = FitConfiguration()
    configuration.bootstrap = bootstrap
    configuration.seed = seed.seed
    let laws = try laws.split(separator: ",").map { try Laws.named(String($0), place: "--laws") }
    let report = try session.with("fit") { progress in
      try LawFitter.fit(runs: MeasuredRuns.read(runs), laws: laws, configuration: configuration, progress: progress)
    }
    try JSONFile.write(report, to: output)
    let rows = report.scores.map { score -> [String] in
      let heldOut = score.heldOutError.map { String(format: "%.2f %%", $0 * 100) } ?? "–"
      return [score.law, String(format: "%.4f", score.r2), String(format: "%.2f %%", score.error * 100), heldOut, score.formula]
    }
    let table = TextTable(["law", "R²", "error", "held-out error", "formula"], rows: rows).text()
    return Outcome(
      report: try JSONValue(encoding: report), lines: [table, "  selected: \(report.selected)"] + report.notes.map { "  note: \($0)" })
  }

  func forecast(_ forecast: inout Forecast) throws -> Forecast.Row { Forecast.Row(memory: 50e6, disk: 1e6) }
}

/// `weir plan allocate FIT --budget C`.
struct PlanAllocateCommand: WeirCommand {
  static let configuration = CommandConfiguration(
    commandName: "allocate",
    abstract: "Find the best N, D and D′ for a compute budget.",
    discussion: """
      Compute is 6N(D + ΣD′) with one trunk. The answer gives the tokens of the trunk and of each branch, the predicted loss \
      with an interval, and the predicted loss of one general model of the same compute. --recipe writes it as a recipe for \
      weir run.

      EXAMPLES:
        weir plan allocate out/fit.json --budget 5e15 --dataset out/dataset \\
          --tree out/tree -o out/plan.json --recipe out/plan.yaml
      """)

  @Argument(help: ArgumentHelp("Fit written by weir plan fit.", valueName: "fit"))
  var fit: String

  @Option(help: ArgumentHelp("Compute budget in FLOPs.", valueName: "flops"))
  var budget: Double

  @Option(help: ArgumentHelp("Number of equal domains. (default: the domains of the fit)", valueName: "n"))
  var domains: Int?

  @Option(help: ArgumentHelp("Non-embedding parameters. (default: the best size)", valueName: "n"))
  var size: Amount?

  @Option(help: ArgumentHelp("Law to use. (default: the selected one)", valueName: "name"))
  var law: String?

  @Option(name: [.customShort("o"), .long], help: ArgumentHelp("Output file for the allocation (JSON).", valueName: "file"))
  var output: String

  @Option(help: ArgumentHelp("Output file for the recipe (YAML).", valueName: "file"))
  var recipe: String?

  @Option(help: ArgumentHelp("Token dataset to name in the recipe.", valueName: "folder"))
  var dataset = "dataset"

  @Option(help: ArgumentHelp("Cluster tree to name in the recipe.", valueName: "folder"))
  var tree = "tree"

  @OptionGroup var common: CommonOptions

  var inputs: [String] { [fit] }
  var outputs: [String] { [output, recipe].compactMap { $0 } }

  func perform(_ session: Session) throws -> Outcome {
    let fit = try JSONFile.read(FitReport.self, from: fit)
    let named = AllocationDomain.all(of: fit)
    let sizes = size.map { Sizes.fixed(ModelSize.near(Double($0.value))) } ?? .free
    let request = AllocationRequest(
      budget: budget, domains: domains.map { AllocationDomain.equal($0) } ?? named, sizes: sizes, law: law)
    let allocation = try Planner.allocate(fit: fit, request: request)
    try JSONFile.write(allocation, to: output)
    if let recipe {
      let text = try PlanRecipe(dataset: dataset, tree: tree, run: output + ".run").yaml(allocation)
      try Files.write(Array(text.utf8), to: recipe)
    }
    func text(_ candidate: Allocation.Candidate) -> String {
      let interval = candidate.loss.low.flatMap { low in candidate.loss.high.map { String(format: " (%.3f to %.3f)", low, $0) } } ?? ""
      return String(format: "predicted loss %.3f", candidate.loss.value) + interval
    }
    return Outcome(
      report: try JSONValue(encoding: allocation),
      lines: [
        "  split: N \(Format.short(allocation.size.parameters)), D \(Format.short(Double(allocation.split.d))), D′ \(Format.short(Double(allocation.split.dPrimeTotal))) over \(allocation.split.dPrime.count) domains; \(text(allocation.split))",
        "  full:  N \(Format.short(allocation.fullSize.parameters)), D \(Format.short(Double(allocation.full.d))); \(text(allocation.full))",
        "  recommended: \(allocation.recommended)",
      ] + allocation.notes.map { "  note: \($0)" })
  }

  func forecast(_ forecast: inout Forecast) throws -> Forecast.Row { Forecast.Row(memory: 50e6, disk: 1e5) }
}
