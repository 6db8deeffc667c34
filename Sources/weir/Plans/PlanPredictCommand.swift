import ArgumentParser
import Planning
import Primitives
import Storage
import Workflows

/// `weir plan predict FIT --points FILE`.
struct PlanPredictCommand: WeirCommand {
  static let configuration = CommandConfiguration(
    commandName: "predict",
    abstract: "Predict the loss of any runs by a fitted law.",
    discussion: """
      Points are JSON Lines or CSV with n, d and, optionally, d_prime, unique, domain and a mixture's shares, named as for \
      weir plan fit. The intervals are of the law's loss, from the bootstrap of the fit; a single run scatters around it. \
      Where the points have losses, the mean relative error is shown.

      EXAMPLES:
        weir plan predict out/fit.json --points larger.csv \\
          --columns n=params,d=tokens -o out/predictions.jsonl
      """)

  @Argument(help: ArgumentHelp("Fit written by weir plan fit.", valueName: "fit"))
  var fit: String

  @Option(help: ArgumentHelp("Points to predict (JSON Lines or CSV).", valueName: "file"))
  var points: String

  @OptionGroup var columns: RunColumnOptions

  @Option(help: ArgumentHelp("Law to use. (default: the selected one)", valueName: "name"))
  var law: String?

  @Option(help: ArgumentHelp("Coverage of the intervals.", valueName: "fraction"))
  var level = 0.9

  @Option(name: [.customShort("o"), .long], help: ArgumentHelp("Output file for the predictions (JSON Lines).", valueName: "file"))
  var output: String

  @OptionGroup var common: CommonOptions

  var propertyFlags: PropertyFlags {
    RunColumnOptions.propertyFlags + ["law": "--law", "level": "--level", "points": points, "fit": fit]
  }
  var inputs: [String] { [fit, points] }
  var outputs: [String] { [output] }

  private struct Report: Encodable {
    var law: String
    var points: Int
    var error: Double?
    var errorByDomain: [String: Double]?
  }

  func perform(_ session: Session) throws -> Outcome {
    let fit = try JSONFile.readSealed(FitReport.self, from: fit)
    let table = try RunTable.read(points, columns: columns.parsed(), measured: false)
    let predictions = try fit.predict(table, law: law, level: level)
    try Files.writeOutput(predictions.flatMap { try JSONFile.encode($0) + [10] }, to: output)
    let measured = predictions.filter { $0.measured != nil }
    func error(_ predictions: [Prediction]) -> Double {
      Statistics.meanRelativeError(measured: predictions.map { $0.measured ?? .nan }, predicted: predictions.map(\.loss))
    }
    let byDomain = Dictionary(grouping: measured, by: \.domain).mapValues(error)
    let report = Report(
      law: law ?? fit.selected, points: predictions.count, error: measured.isEmpty ? nil : error(measured),
      errorByDomain: measured.isEmpty ? nil : byDomain)
    let errors = byDomain.count > 1 ? byDomain.keys.sorted().map { "    \($0): \(Format.percent(byDomain[$0], 2))" } : []
    return Outcome(
      report: try JSONValue(encoding: report),
      lines: ["  \(Format.count(predictions.count)) losses predicted by \(report.law)"]
        + (report.error.map { ["  mean relative error \(Format.percent($0, 2))"] } ?? []) + errors
        + (fit.doubt.map { ["  note: the fit is in doubt: \($0)"] } ?? []))
  }

  func forecast(_ forecast: inout Forecast) throws -> Forecast.Row { Forecast.Row(memory: 50e6, disk: 1e6) }
}
