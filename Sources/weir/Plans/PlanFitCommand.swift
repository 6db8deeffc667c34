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
      Runs are JSON Lines or CSV with n (non-embedding parameters), d (general tokens), d_prime (specialization tokens), \
      loss (nats per token), and optionally domain, unique, model, run, trunk, seed, flops and head (parameters of the output \
      head). --columns names the columns of other tables; h=weight_* are the shares of a mixture, loss=*_loss its targets.

      F1 is E + A/N^α + (B/D^β + G)(1 + D′/s)^(−γ); F2 to F4 are alternatives, F5 the Chinchilla law, F6 Skaling, F7 Skaling's \
      coupling of F1, F8 the repetition-aware mixture law; M1 and M2 are the additive and the joint law of mixtures. F1, F2 \
      and F7 are extensions of Weir. The law is selected by its error on the largest runs, which are held out by N, D, D′ and \
      compute. Intervals resample trunks or, where they are few, runs.

      EXAMPLES:
        weir plan fit out/runs.jsonl --laws F1,F5 -o out/fit.json
        weir plan fit theirs.csv --columns n=params,d=tokens,loss=val_loss \\
          --units n=M,d=B -o out/fit.json
      """)

  @Argument(help: ArgumentHelp("Measured runs (JSON Lines or CSV).", valueName: "runs"))
  var runs: String

  @OptionGroup var columns: RunColumnOptions

  @Option(help: ArgumentHelp("Laws to fit; the first is preferred in a tie. (default: all that the runs determine)", valueName: "list"))
  var laws: String?

  @Option(name: [.customShort("o"), .long], help: ArgumentHelp("Output file for the fit (JSON).", valueName: "file"))
  var output: String

  @Option(help: ArgumentHelp("Bootstrap samples for intervals.", valueName: "n"))
  var bootstrap = 200

  @Option(help: ArgumentHelp("Starting points of a fit.", valueName: "n"))
  var starts = 80

  @Option(help: ArgumentHelp("Starting points to follow to the end: the best after a short descent.", valueName: "n"))
  var refine = 8

  @Flag(name: .customLong("no-hold-out"), help: "Hold no runs out; the first law is selected.")
  var holdsNothingOut = false

  @OptionGroup var seed: SeedOption
  @OptionGroup var common: CommonOptions

  var propertyFlags: PropertyFlags {
    RunColumnOptions.propertyFlags + [
      "bootstrap": "--bootstrap", "laws": "--laws", "runs": runs, "starts": "--starts", "refined": "--refine",
    ]
  }
  var inputs: [String] { [runs] }
  var outputs: [String] { [output] }

  func perform(_ session: Session) throws -> Outcome {
    var configuration = FitConfiguration()
    (configuration.bootstrap, configuration.seed) = (bootstrap, seed.seed)
    (configuration.starts, configuration.refined, configuration.holdsOut) = (starts, refine, !holdsNothingOut)
    let laws = try laws?.split(separator: ",").map { try Laws.named(String($0), place: "--laws") }
    let report = try session.with("fit") { progress in
      try LawFitter.fit(
        RunTable.read(runs, columns: columns.parsed()), laws: laws, configuration: configuration, threads: session.threads,
        progress: progress)
    }
    try JSONFile.writeSealed(report, to: output)
    let rows = report.scores.map {
      [$0.law, Format.percent($0.heldOutError, 2), Format.percent($0.error, 2), Format.fixed($0.r2, 4), $0.formula]
    }
    let table = TextTable(["law", "held-out error", "fitted error", "fitted R²", "formula"], rows: rows).text()
    return Outcome(
      report: try JSONValue(encoding: report),
      lines: [table, "  selected: \(report.selected)"]
        + (report.doubt.map { ["  no recommendation: \($0)"] } ?? []) + report.notes.map { "  note: \($0)" })
  }

  func forecast(_ forecast: inout Forecast) throws -> Forecast.Row { Forecast.Row(memory: 50e6, disk: 1e6) }
}
