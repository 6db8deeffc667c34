import Primitives

/// How a mixture is made from histograms.
package struct SamplingConfiguration: Sendable, Codable, Equatable {
  /// Levels of the tree that are used; nil = all. Below, mass is spread by P(leaf|node, Dg).
  package var depth: Int? = nil
  /// The pseudo-count m, in seed windows, of the back-off along the tree; 0 = the paper.
  package var smoothing = 0.0
  /// The most expected passes over a cluster; nil = no cap.
  package var maxEpochs: Double? = nil
  /// Tokens of the run; nil = as many as the dataset has.
  package var runTokens: Int? = nil

  /// Creates the defaults.
  package init() {}

  /// Throws on values that make no sense.
  package func validate() throws {
    if let depth, depth < 0 { throw WeirError("--depth", "\(depth) is negative") }
    guard smoothing >= 0, smoothing.isFinite else { throw WeirError("--smoothing", "\(smoothing) is not a number ≥ 0") }
    if let maxEpochs, !(maxEpochs > 0) || !maxEpochs.isFinite {
      throw WeirError("--max-epochs", "\(maxEpochs) is not a positive number", remedy: "leave it out for no cap")
    }
    if let runTokens, runTokens <= 0 { throw WeirError("--tokens", "\(runTokens) is not positive") }
  }
}

/// What a mixture belongs to: fingerprints of the dataset, the tree and the assignment, empty where there is none.
package struct MixtureOrigin: Sendable, Codable, Equatable {
  /// The dataset it draws from.
  package var dataset: String
  /// The cluster tree.
  package var tree: String
  /// The assignment of the dataset's windows.
  package var assignment: String
  /// Name and fingerprint of the seed data.
  package var seedData: String

  /// Creates an origin.
  package init(dataset: String, tree: String = "", assignment: String = "", seedData: String = "") {
    self.dataset = dataset
    self.tree = tree
    self.assignment = assignment
    self.seedData = seedData
  }
}
