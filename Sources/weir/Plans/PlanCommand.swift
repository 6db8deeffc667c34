import ArgumentParser
import Foundation
import Pipeline
import Planning
import Primitives
import Storage

/// `weir plan`: how much compute goes to the shared model and how much to each specialist.
struct PlanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan", abstract: "Measures, fits and uses the law of the loss in model size, general and specialisation tokens.",
    subcommands: [PlanSweepCommand.self, PlanFitCommand.self, PlanAllocateCommand.self])
}

/// `weir plan fit RUNS`.
struct PlanFitCommand: WeirCommand {
  static let configuration = CommandConfiguration(
    commandName: "fit",
    abstract: "Fits laws of the loss to measured runs, and selects one by held-out error.",
    discussion: """
      Runs are JSON Lines with n (non-embedding parameters), d (general tokens), d_prime (specialisation tokens), loss (nats a token),
      and optionally domain and unique. Laws: F1 E + A/N^α + (B/D^β + G)(1 + D′/s)^(−γ); F2 … F5 are its rivals. The family is ours; the data
      select by the error on the largest runs, which are held out.

      Example: weir plan fit out/runs.jsonl --laws F1,F5 -o out/fit.json
      """)

  @Argument(help: ArgumentHelp("Measured runs, JSON Lines.", valueName: "runs"))
  var runs: String

  @Option(help: ArgumentHelp("The laws to fit, the preferred one first.", valueName: "list"))
  var laws = "F1,F2,F3,F4,F5"

  @Option(name: [.customShort("o"), .long], help: ArgumentHelp("Where the fit goes, JSON.", valueName: "file"))
  var output: String

  @Option(help: ArgumentHelp("Resamples of the runs for intervals.", valueName: "n"))
  var bootstrap = 200

  @OptionGroup var seed: SeedOption
  @OptionGroup var common: CommonOptions

  var inputs: [String] { [runs] }
  var outputs: [String] { [output] }

  func perform(_ session: Session) throws -> Outcome {
    var configuration = FitConfiguration()
    configuration.bootstrap = bootstrap
    configuration.seed = seed.seed
    let laws = try laws.split(separator: ",").map { try Laws.named(String($0)) }
    let report = try session.with("fit") { progress in
      try PlanFit.fit(runs: PlanRuns.read(runs), laws: laws, configuration: configuration, progress: progress)
    }
    try JSONFile.write(report, to: output)
    let rows = report.scores.map { score -> [String] in
      let heldOut = score.heldOutError.map { String(format: "%.2f %%", $0 * 100) } ?? "–"
      return [score.law, String(format: "%.4f", score.r2), String(format: "%.2f %%", score.error * 100), heldOut, score.formula]
    }
    let table = Format.table(["law", "R²", "error", "held-out error", "formula"], rows)
    return Outcome(
      report: try JSONValue(encoding: report), lines: [table, "  selected: \(report.selected)"] + report.notes.map { "  note: \($0)" })
  }

  func forecast(_ world: inout Forecast) throws -> Forecast.Row { Forecast.Row(memory: 50e6, disk: 1e6) }
}

/// `weir plan allocate FIT --budget C`.
struct PlanAllocateCommand: WeirCommand {
  static let configuration = CommandConfiguration(
    commandName: "allocate",
    abstract: "The best N, D and D′ for a compute budget, as a recipe.",
    discussion: """
      Compute is 6N(D + ΣD′) with one trunk. The answer names the tokens of the trunk and of each branch, the predicted loss with an interval,
      and what one general model of the same compute is predicted to reach.

      Example: weir plan allocate out/fit.json --budget 5e15 --dataset out/dataset --tree out/tree -o out/plan.json --recipe out/plan.yaml
      """)

  @Argument(help: ArgumentHelp("A fit of weir plan fit.", valueName: "fit"))
  var fit: String

  @Option(help: ArgumentHelp("Compute in FLOPs.", valueName: "flops"))
  var budget: Double

  @Option(help: ArgumentHelp("Equal domains, by number; without it, the domains of the fit.", valueName: "n"))
  var domains: Int?

  @Option(help: ArgumentHelp("Non-embedding parameters; without it, the best size too.", valueName: "n"))
  var size: Amount?

  @Option(help: ArgumentHelp("The law; without it, the selected one.", valueName: "name"))
  var law: String?

  @Option(name: [.customShort("o"), .long], help: ArgumentHelp("Where the allocation goes, JSON.", valueName: "file"))
  var output: String

  @Option(help: ArgumentHelp("Where the recipe goes, YAML.", valueName: "file"))
  var recipe: String?

  @Option(help: ArgumentHelp("The token dataset that the recipe names.", valueName: "folder"))
  var dataset = "dataset"

  @Option(help: ArgumentHelp("The cluster tree that the recipe names.", valueName: "folder"))
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
    let allocation = try PlanAllocate.allocate(fit: fit, request: request)
    try JSONFile.write(allocation, to: output)
    if let recipe {
      let text = PlanRecipe(dataset: dataset, tree: tree, run: output + ".run").yaml(allocation)
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

  func forecast(_ world: inout Forecast) throws -> Forecast.Row { Forecast.Row(memory: 50e6, disk: 1e5) }
}
