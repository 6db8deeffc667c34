import Primitives
import Workflows

/// Forecasts by the option groups of commands.
extension Forecast {
  mutating func documents(_ input: InputOptions, output: OutputOptions?) throws -> Row {
    try documents(input.paths, textField: input.textField, output: output?.output)
  }
}

extension Forecast.Row {
  static let header = ["documents", "tokens", "FLOPs", "memory", "disk"]

  /// The cells of a table.
  var cells: [String] {
    func cell(_ value: Double?, _ unit: String = "") -> String { value.map { Format.short($0, unit: unit) } ?? "–" }
    return [documents.map { Format.count(Int($0)) } ?? "–", cell(tokens), cell(flops), cell(memory, "B"), cell(disk, "B")]
  }
}
