import Pipeline
import Primitives
import Storage
import Tokenization
import Training

/// Models whose weights are averaged, or a model and an adapter.
package struct MergeConfiguration: Codable, Sendable, Equatable {
  /// Model folders or runs; all files but the weights come from the first.
  package var models: [String]
  /// The model folder to write.
  package var output: String
  package var method = MergeMethod.linear
  /// A PEFT adapter that is merged into the only model; nil to average several models.
  package var adapter: String?
  /// The weight of the second of two models, or one per model; none for equal weights.
  package var weights: [Double] = []

  package init(models: [String], output: String) { (self.models, self.output) = (models, output) }

  /// The weights of the models, which sum to 1.
  package func shares() throws -> [Double] {
    if adapter != nil {
      guard models.count == 1 else { throw WeirError("models", "an adapter is merged into one model, not \(models.count)") }
      guard weights.isEmpty, method == .linear else { throw WeirError("adapter", "has no weight and no method of merging") }
      return [1]
    }
    guard models.count > 1 else { throw WeirError("models", "merging takes at least two models, not \(models.count)") }
    guard method == .linear || models.count == 2 else {
      throw WeirError("method", "spherical interpolation is between two models, not \(models.count)", remedy: "merge them linearly")
    }
    guard weights.allSatisfy({ $0.isFinite && $0 >= 0 }) else { throw WeirError("weights", "must be finite numbers ≥ 0") }
    switch weights.count {
    case 0: return models.map { _ in 1 / Double(models.count) }
    case 1 where models.count == 2:
      guard weights[0] <= 1 else { throw WeirError("weights", "must be in 0…1 for two models, not \(weights[0])") }
      return [1 - weights[0], weights[0]]
    case models.count:
      let sum = weights.reduce(0, +)
      guard sum > 0 else { throw WeirError("weights", "are all 0") }
      return weights.map { $0 / sum }
    default:
      throw WeirError(
        "weights", "\(weights.count) weights for \(models.count) models",
        remedy: "give one per model, or for two models that of the second alone")
    }
  }
}

/// A merged model.
package struct MergeReport: Encodable, Sendable {
  package var model: String
  package var parameters: Int
  /// The weight of each model; they sum to 1.
  package var weights: [Double]
}

package enum MergeRun {
  /// Writes the merged model.
  package static func run(_ configuration: MergeConfiguration, progress: Progress = .silent) throws -> MergeReport {
    let shares = try configuration.shares(), folders = try configuration.models.map { try ModelFolder.locate($0) }
    if let adapter = configuration.adapter {
      let (shape, parameters) = try AdapterFolder.merged(adapter, into: folders[0])
      let inputs = ["model": try ModelFolder.fingerprint(folders[0]), "adapter": try AdapterFolder.fingerprint(adapter)]
      try ModelFolder.write(
        configuration.output, configuration: shape, parameters: parameters, origin: folders[0], tokenizer: nil, inputs: inputs)
      return MergeReport(model: configuration.output, parameters: shape.parameters, weights: shares)
    }
    let first = try Models.tokenizer(folders[0])
    for folder in folders.dropFirst() where try Models.tokenizer(folder).fingerprint != first.fingerprint {
      throw WeirError(folder, "has another tokenizer than \(folders[0])", remedy: "merge models with one tokenizer")
    }
    let manifest = try ModelFolder.merge(
      zip(folders, shares).map { ($0, $1) }, method: configuration.method, to: configuration.output,
      settings: JSONValue(encoding: configuration), progress: progress)
    return MergeReport(model: configuration.output, parameters: manifest.counts["parameters"] ?? 0, weights: shares)
  }
}
