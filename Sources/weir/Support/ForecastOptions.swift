import Primitives
import Training
import Workflows

/// Forecasts by the option groups of commands.
extension Forecast {
  mutating func documents(_ input: InputOptions, output: OutputOptions?) throws -> Row {
    try documents(input.paths, textField: input.textField, output: output?.output)
  }

  /// The vocabulary of a model that is not trained yet is not known; the demo's is typical.
  private static let typicalVocabulary = 4_096

  mutating func training(
    _ configuration: TrainingConfiguration, shape: ModelShape, schedule: ScheduleOptions, initial: String?, output: String?,
    recompute: Bool = false, evaluates: Bool = true
  ) throws -> Row {
    try training(
      configuration, rows: schedule.batch, sequence: schedule.sequence,
      initial: initial.map { path in (path, try? ModelFolder.locate(path)) },
      scratch: { try shape.configuration(vocabulary: Self.typicalVocabulary, sequence: schedule.sequence) }, output: output,
      recompute: recompute, evaluates: evaluates)
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
