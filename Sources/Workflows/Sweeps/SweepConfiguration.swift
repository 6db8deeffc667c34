import Primitives
import Training

/// A grid of runs over model sizes, general tokens D and specialization tokens D′.
package struct SweepConfiguration: Codable, Sendable {
  package struct Size: Codable, Sendable, Equatable {
    package var width: Int
    package var layers: Int

    package init(width: Int, layers: Int) { (self.width, self.layers) = (width, layers) }

    package var name: String { "\(width)x\(layers)" }
    package var shape: ModelShape { ModelShape(width: width, layers: layers) }
  }

  /// The token dataset, assigned to the tree.
  package var dataset: String
  package var tree: String
  package var sizes: [Size]
  /// The values of D.
  package var trunkTokens: [Int]
  /// The values of D′ beside 0.
  package var branchTokens: [Int]
  /// The level of the tree whose nodes are the domains.
  package var level = 1
  /// Only branch into this many domains, those with the most tokens; nil for all.
  package var domains: Int?
  /// The folder of the runs.
  package var runs: String
  /// The file of the measured losses.
  package var output: String
  /// For every run; the schedule is replaced.
  package var settings = TrainingSettings()

  package init(dataset: String, tree: String, sizes: [Size], trunkTokens: [Int], branchTokens: [Int], runs: String, output: String) {
    (self.dataset, self.tree, self.sizes, self.runs, self.output) = (dataset, tree, sizes, runs, output)
    (self.trunkTokens, self.branchTokens) = (trunkTokens, branchTokens)
  }

  package func validate() throws {
    guard !sizes.isEmpty, sizes.allSatisfy({ $0.width > 0 && $0.layers > 0 }) else {
      throw WeirError("sizes", "must be at least one width and number of layers, all positive")
    }
    for (property, values) in [("trunkTokens", trunkTokens), ("branchTokens", branchTokens)] {
      guard !values.isEmpty, values.allSatisfy({ $0 > 0 }) else { throw WeirError(property, "must be positive numbers, not \(values)") }
    }
    var given = settings.training
    given.tokens = (trunkTokens + branchTokens).max()
    try given.validate()
    guard level >= 1 else { throw WeirError("level", "must be at least 1, not \(level)") }
    guard domains ?? 1 >= 1 else { throw WeirError("domains", "must be at least 1, not \(domains ?? 0)") }
  }

  /// The configuration of one run. Learning rates are constant, so that a checkpoint of a longer run is the end of a shorter one.
  package func training(tokens: Int) -> TrainingConfiguration {
    var configuration = settings.training
    (configuration.tokens, configuration.schedule) = (tokens, .constant)
    return configuration
  }
}
