import ArgumentParser
import Planning
import Primitives
import Storage
import Workflows

/// `weir plan mix predict FIT`.
struct MixPredictCommand: WeirCommand {
  static let configuration = CommandConfiguration(
    commandName: "predict",
    abstract: "Predict the metrics of other mixtures.",
    discussion: """
      Writes comma-separated values: run, and a column for each metric of the fit.

      EXAMPLES:
        weir plan mix predict mix-fit.json --ratios others.csv -o predicted.csv
      """)

  @Argument(help: ArgumentHelp("Fit written by weir plan mix fit.", valueName: "fit"))
  var fit: String

  @Option(help: ArgumentHelp("Weights of the mixtures (CSV), of the domains of the fit.", valueName: "file"))
  var ratios: String

  @Option(name: [.customShort("o"), .long], help: ArgumentHelp("Output file (CSV); - is standard output.", valueName: "file"))
  var output = "-"

  @OptionGroup var common: CommonOptions

  var inputs: [String] { [fit, ratios] }
  var outputs: [String] { output == "-" ? [] : [output] }
  var writesDataToOutput: Bool { output == "-" }

  func perform(_ session: Session) throws -> Outcome {
    let predicted = try MixtureFit.open(fit).predict(MixtureRuns(ratios: ratios), path: ratios, threads: session.threads)
    let text = predicted.measurements()
    guard output != "-" else {
      try StandardOutput.write(text)
      return Outcome()
    }
    try Files.writeOutput(Array(text.utf8), to: output)
    return Outcome(lines: ["  \(predicted.names.count) mixtures"])
  }

  func forecast(_ forecast: inout Forecast) throws -> Forecast.Row { Forecast.Row(memory: 1e8, disk: 1e5) }
}
