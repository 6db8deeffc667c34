import ArgumentParser
import Loading
import Workflows

/// Options of commands that draw packed rows.
struct LoaderOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Mixture from weir sample, or a file with a schedule of weights or a blend (weight path …). (default: uniform over tokens)",
      valueName: "file"))
  var mixture: String?

  @Option(help: "How rows are filled; see weir pack. (default: concat)")
  var packing: RowPacking?

  @Option(help: ArgumentHelp("Folder of packed rows. (default: in the dataset's folder, packed on first use)", valueName: "folder"))
  var rows: String?

  @Option(help: ArgumentHelp("Cap on epochs over any group of rows, for the whole run.", valueName: "n"))
  var maxEpochs: Double?

  static let propertyFlags: PropertyFlags = ["maxEpochs": "--max-epochs", "fromPosition": "--from-position", "stages": "--mixture"]

  func validate() throws {
    guard maxEpochs.map({ $0 > 0 && $0.isFinite }) ?? true else { throw ValidationError("--max-epochs must be a positive number") }
  }

  /// Whether one of these is given, which a row order has of its own.
  var isGiven: Bool { mixture != nil || packing != nil || rows != nil || maxEpochs != nil }

  /// What the rows and their order depend on, beside the dataset.
  var inputs: [String] { [rows].compactMap { $0 } + LoaderConfiguration.inputs(of: mixture) }

  func configuration(dataset: String) -> LoaderConfiguration {
    var configuration = LoaderConfiguration(dataset: dataset)
    (configuration.mixture, configuration.packing, configuration.packedRows) = (mixture, packing ?? .concat, rows)
    configuration.maxEpochs = maxEpochs
    return configuration
  }
}

extension RowPacking: ExpressibleByArgument {}
extension AttentionSpan: ExpressibleByArgument {}
