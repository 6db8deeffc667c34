import ArgumentParser
import Planning
import Primitives
import Storage
import Workflows

/// `weir plan fit RUNS`.
struct PlanFitCommand: SeededCommand {
  static let configuration = CommandConfiguration(
    commandName: "fit",
    abstract: "Fit scaling laws to measured runs; select one by held-out error.",
    discussion: """
      Runs are JSON Lines with n (non-embedding parameters), d (general tokens), d_prime (specialization tokens), loss (nats \
      per token), and optionally domain and unique. F1 is E + A/N^α + (B/D^β + G)(1 + D′/s)^(−γ); F2 to F5 are alternatives. \
      F5 is the published Chinchilla law, F3 and F4 adapt published laws, and F1 and F2 are extensions of Weir. The law is \
      selected by its error on the largest runs, which are held out.

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

  var propertyFlags: PropertyFlags { ["bootstrap": "--bootstrap", "laws": "--laws", "runs": runs] }
  var inputs: [String] { [runs] }
  var outputs: [String] { [output] }

  func perform(_ session: Session) throws -> Outcome {
    var configuration = FitConfiguration()
    (configuration.bootstrap, configuration.seed) = (bootstrap, seed.seed)
    let laws = try laws.split(separator: ",").map { try Laws.named(String($0), place: "--laws") }
    let report = try session.with("fit") { progress in
      try LawFitter.fit(runs: MeasuredRuns.read(runs), laws: laws, configuration: configuration, progress: progress)
    }
    try JSONFile.writeSealed(report, to: output)
    let rows = report.scores.map {
      [$0.law, Format.percent($0.heldOutError, 2), Format.percent($0.error, 2), Format.fixed($0.r2, 4), $0.formula]
    }
    let table = TextTable(["law", "held-out error", "fitted error", "fitted R²", "formula"], rows: rows).text()
    return Outcome(
      report: try JSONValue(encoding: report), lines: [table, "  selected: \(report.selected)"] + report.notes.map { "  note: \($0)" })
  }

  func forecast(_ forecast: inout Forecast) throws -> Forecast.Row { Forecast.Row(memory: 50e6, disk: 1e6) }
}
