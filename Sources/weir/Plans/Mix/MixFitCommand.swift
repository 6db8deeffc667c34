import ArgumentParser
import Planning
import Primitives
import Storage
import Workflows

/// `weir plan mix fit`.
struct MixFitCommand: WeirCommand {
  static let configuration = CommandConfiguration(
    commandName: "fit",
    abstract: "Fit regressions of mixtures; select by held-out rank.",
    discussion: """
      --ratios and --metrics are comma-separated values with a column run, run_id or index that joins them, as olmix and \
      RegMix write them; every other column is a domain or a metric. Lower is better. A missing measurement is left out for \
      its run alone. The mean over all metrics is fitted, too.

      Each fifth of the runs is predicted from the others. Of the regressions whose rank correlation there is within 0.002 \
      of the best, the one with the smallest error is selected, for each metric.

      linear: weighted sum. log-linear: c + exp(Σ tw), the data-mixing law. quadratic: Scheffé's polynomial. law: \
      E + 1/Σ Cw^γ. gp, gp-log: Gaussian processes over square roots or logarithms of the weights.

      EXAMPLES:
        weir plan mix fit --ratios ratios.csv --metrics metrics.csv -o mix-fit.json
        weir plan mix fit --ratios swarm/ratios.csv --runs swarm-runs -o mix-fit.json
      """)

  @Option(help: ArgumentHelp("Weights of the runs' mixtures (CSV).", valueName: "file"))
  var ratios: String

  @Option(help: ArgumentHelp("Measurements of the runs (CSV).", valueName: "file"))
  var metrics: String?

  @Option(
    help: ArgumentHelp("Instead of --metrics, a folder of runs: the losses on the held-out files of the last step.", valueName: "folder"))
  var runs: String?

  @Option(help: ArgumentHelp("Metrics to fit, separated by commas. (default: all)", valueName: "list"))
  var metric: String?

  @Option(
    help: ArgumentHelp(
      "Regressions to try, separated by commas: \(MixtureRegression.allCases.map(\.rawValue).joined(separator: ", ")). (default: all)",
      valueName: "list"))
  var regressions: String?

  @Option(name: [.customShort("o"), .long], help: ArgumentHelp("Output file for the fit (JSON).", valueName: "file"))
  var output: String

  @OptionGroup var common: CommonOptions

  var propertyFlags: PropertyFlags { ["metrics": "--metric", "regressions": "--regressions", "runs": ratios] }
  var inputs: [String] { [ratios, metrics, runs].compactMap(\.self) }
  var outputs: [String] { [output] }

  func validate() throws {
    guard (metrics == nil) != (runs == nil) else { throw ValidationError("Give either --metrics or --runs") }
    try usage { _ = try chosen() }
  }

  private func chosen() throws -> [MixtureRegression] {
    try regressions.map { names in
      try names.split(separator: ",").map { name in
        guard let known = MixtureRegression(rawValue: String(name)) else {
          throw WeirError(
            "regressions", "there is no regression \(name)",
            remedy: "use some of \(MixtureRegression.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return known
      }
    } ?? MixtureRegression.allCases
  }

  func perform(_ session: Session) throws -> Outcome {
    let wanted = metric.map { $0.split(separator: ",").map(String.init) }
    let (data, notes) =
      try metrics.map { try MixtureRuns.read(ratios: ratios, metrics: $0, wanted: wanted) }
      ?? MixtureRuns.read(ratios: ratios, runs: runs ?? "", wanted: wanted)
    let fit = try session.with("fit") { progress in
      try MixtureFit.fit(data, notes: notes, regressions: chosen(), threads: session.threads, progress: progress)
    }
    try JSONFile.writeSealed(fit, to: output)
    let rows = fit.metrics.map { metric -> [String] in
      let best = metric.scores.first { $0.regression == metric.model.kind }
      let others = metric.scores.filter { $0.regression != metric.model.kind }.sorted { $0.rank > $1.rank }
      return [
        metric.name, "\(metric.runs)", metric.model.kind.rawValue, Format.fixed(best?.rank, 3), Format.percent(best?.error, 2),
        others.prefix(2).map { "\($0.regression.rawValue) \(Format.fixed($0.rank, 3))" }.joined(separator: ", "),
      ]
    }
    return Outcome(
      report: try JSONValue(encoding: fit),
      lines: [TextTable(["metric", "runs", "regression", "held-out rank", "error", "next"], rows: rows).text()]
        + fit.notes.map { "  note: \($0)" })
  }

  func forecast(_ forecast: inout Forecast) throws -> Forecast.Row { Forecast.Row(memory: 1e8, disk: 1e6) }
}
