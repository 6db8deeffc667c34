import Primitives
import Storage
import Training

/// Tables and summaries of model presets and training cost.
enum PresetTable {
  /// `weir train --presets`.
  static func outcome() throws -> Outcome {
    let rows = ModelConfiguration.presets.map { preset -> [String] in
      let shape = preset.configuration
      return [
        preset.name, "\(shape.width)", "\(shape.layers)", "\(shape.heads)", "\(shape.ffn)", "\(shape.sequence)",
        Format.short(Double(shape.parameters)), Format.short(Double(shape.nonEmbeddingParameters)),
        Format.short(shape.flopsPerToken(context: shape.sequence)), Format.short(Double(shape.parameters) * 16, unit: "B"),
      ]
    }
    let table = TextTable(
      ["preset", "width", "layers", "heads", "ffn", "sequence", "parameters", "non-embedding", "FLOPs/token", "training state"], rows: rows
    ).text()
    return Outcome(
      report: try JSONValue(encoding: ModelConfiguration.presets.map { [$0.name: $0.configuration] }),
      lines: ["Model presets with a vocabulary of 4,096 tokens:", table])
  }

  /// The cost of a run.
  static func lines(_ estimate: TrainingEstimate) -> [String] {
    [
      "  \(Format.count(estimate.parameters)) parameters (\(Format.count(estimate.nonEmbeddingParameters)) without embeddings), \(Format.count(estimate.steps)) steps, \(Format.count(estimate.tokens)) tokens",
      "  \(Format.short(estimate.flops)) FLOPs, \(Format.bytes(estimate.memoryBytes)) of memory, \(Format.bytes(estimate.diskBytes)) of disk",
    ]
  }
}

extension JSONValue {
  /// Sets a member; no effect if the value is not an object.
  mutating func set(_ key: String, _ value: JSONValue) {
    guard case .object(var members) = self else { return }
    members[key] = value
    self = .object(members)
  }
}

extension Amount {
  /// Parses a comma-separated list such as `100k,200k`.
  static func list(_ text: String, flag: String) throws -> [Int] {
    try text.split(separator: ",").map { part in
      guard let amount = Amount(argument: String(part)) else {
        throw WeirError(flag, "'\(part)' is not a number of tokens", remedy: "write 100k,200k")
      }
      return amount.value
    }
  }
}
