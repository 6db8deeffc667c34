import ArgumentParser
import Loading
import Primitives
import Tokens
import Workflows

/// Options of commands that draw packed rows.
struct LoaderOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Mixture from weir sample, or a file with a schedule of weights or a blend (weight path …). (default: uniform over tokens)",
      valueName: "file"))
  var mixture: String?

  @Option(help: "How rows are filled; see weir pack.")
  var packing = RowPacking.concat

  @Option(help: ArgumentHelp("Folder of packed rows. (default: in the dataset's folder, packed on first use)", valueName: "folder"))
  var rows: String?

  @Option(help: ArgumentHelp("Cap on epochs over any group of rows, for the whole run.", valueName: "n"))
  var maxEpochs: Double?

  static let propertyFlags: PropertyFlags = ["maxEpochs": "--max-epochs", "fromPosition": "--from-position", "stages": "--mixture"]

  func validate() throws {
    guard maxEpochs.map({ $0 > 0 && $0.isFinite }) ?? true else { throw ValidationError("--max-epochs must be a positive number") }
  }

  /// What the rows and their order depend on, beside the dataset.
  var inputs: [String] { [mixture, rows].compactMap { $0 } + (mixture.map { LoaderConfiguration.inputs(of: $0) } ?? []) }

  /// The loader of a row order.
  /// - Throws: `WeirError` if the order draws nothing from the dataset.
  static func loader(order: String, dataset: String, rows: Int) throws -> PackedLoader {
    let loader = try PackedLoader(order: order, rows: rows), dataset = try TokenReader(dataset)
    guard loader.sources.contains(where: { $0.tokens.fingerprint == dataset.fingerprint }) else {
      throw WeirError(order, "draws from other datasets than \(dataset.path)", remedy: "give one that it was made from")
    }
    return loader
  }

  func configuration(dataset: String) -> LoaderConfiguration {
    var configuration = LoaderConfiguration(dataset: dataset)
    (configuration.mixture, configuration.packing, configuration.packedRows) = (mixture, packing, rows)
    configuration.maxEpochs = maxEpochs
    return configuration
  }
}

extension RowPacking: ExpressibleByArgument {}
extension AttentionSpan: ExpressibleByArgument {}
