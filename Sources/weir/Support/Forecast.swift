import Foundation
import Training

/// What is known before anything runs: the sizes of what steps read and make, carried from step to step.
struct Forecast {
  /// The size of a piece of data.
  struct Size {
    var documents = 0.0
    /// Bytes of text.
    var bytes = 0.0
    var tokens = 0.0
  }

  /// What a step takes.
  struct Row {
    var documents: Double?
    var tokens: Double?
    var flops: Double?
    /// Bytes of memory at the peak.
    var memory: Double?
    /// Bytes on disk that stay.
    var disk: Double?
    var note = ""

    static let header = ["documents", "tokens", "FLOPs", "memory", "disk"]

    /// The cells of a table.
    var cells: [String] {
      func cell(_ value: Double?, _ unit: String = "") -> String { value.map { Format.short($0, unit: unit) } ?? "–" }
      return [
        documents.map { Format.count(Int($0)) } ?? "–", cell(tokens), cell(flops), cell(memory, "B"), cell(disk, "B"),
      ]
    }
  }

  /// What flows through the chain whose commands are being asked.
  var current: Size?
  /// Shapes of models by the run that makes them.
  var models: [String: ModelConfiguration] = [:]
  /// Sizes by path.
  var sizes: [String: Size] = [:]
}
