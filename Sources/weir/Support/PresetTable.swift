import Primitives
import Storage
import Training

/// The named shapes as a table, and what a run takes as lines.
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
      ["preset", "width", "layers", "heads", "ffn", "sequence", "parameters", "non-embedding", "FLOPs/token", "weights+moments"], rows: rows
    ).text()
    return Outcome(
      report: try JSONValue(encoding: ModelConfiguration.presets.map { [$0.name: $0.configuration] }),
      lines: ["Shapes at a vocabulary of 4,096:", table])
  }

  /// What a run takes.
  static func lines(_ estimate: TrainingEstimate) -> [String] {
    [
      "  \(Format.count(estimate.parameters)) parameters (\(Format.count(estimate.nonEmbeddingParameters)) without embeddings), \(Format.count(estimate.steps)) steps, \(Format.count(estimate.tokens)) tokens",
      "  \(Format.short(estimate.flops)) FLOPs, \(Format.bytes(estimate.memoryBytes)) of memory, \(Format.bytes(estimate.diskBytes)) of disk",
    ]
  }
}

extension JSONValue {
  /// Sets a member of an object.
  mutating func set(_ key: String, _ value: JSONValue) {
    guard case .object(var members) = self else { return }
    members[key] = value
    self = .object(members)
  }

  /// A member of an object.
  subscript(key: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    return members[key]
  }

  /// The number.
  var number: Double? {
    guard case .number(let value) = self else { return nil }
    return value
  }
}

extension Amount {
  /// `100k,200k`.
  static func list(_ text: String, flag: String) throws -> [Int] {
    try text.split(separator: ",").map { part in
      guard let amount = Amount(argument: String(part)) else {
        throw WeirError(flag, "'\(part)' is no number of tokens", remedy: "write 100k,200k")
      }
      return amount.value
    }
  }
}
