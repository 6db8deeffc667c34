import ArgumentParser
import Planning

/// Which columns of a table of runs hold what.
struct RunColumnOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Names of columns, such as n=params,d=tokens,loss=val_loss.", valueName: "list"))
  var columns: String?

  @Option(help: ArgumentHelp("Units of columns, such as d=B (K, M, B, T).", valueName: "list"))
  var units: String?

  static let propertyFlags: PropertyFlags = ["columns": "--columns", "units": "--units"]

  func parsed() throws -> RunColumns { try RunColumns(names: columns, units: units) }
}
