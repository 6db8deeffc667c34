import Primitives

/// How a mixture is made from the histograms of a corpus and a specialist seed.
package struct MixtureConfiguration: Sendable, Codable, Equatable {
  /// Levels of the tree to use; nil for all. Below them, mass is distributed by P(leaf|node, Dg).
  package var depth: Int? = nil
  /// The pseudo-count m of the back-off along the tree, in seed windows; 0 as in the CRISP paper.
  package var smoothing = 0.0
  /// Cap on the expected epochs over a cluster; nil for none.
  package var maxEpochs: Double? = nil
  /// Tokens of the run; nil for as many as the dataset has.
  package var runTokens: Int? = nil

  package init() {}

  /// Throws `WeirError` with the name of the first invalid property.
  package func validate() throws {
    if let depth, depth < 0 { throw WeirError("depth", "must not be negative: \(depth)") }
    guard smoothing >= 0, smoothing.isFinite else { throw WeirError("smoothing", "must be a finite number ≥ 0, not \(smoothing)") }
    if let maxEpochs, !(maxEpochs > 0) || !maxEpochs.isFinite {
      throw WeirError("maxEpochs", "must be a positive number, not \(maxEpochs)", remedy: "leave it out for no cap")
    }
    if let runTokens, runTokens <= 0 { throw WeirError("runTokens", "must be positive, not \(runTokens)") }
  }
}

/// The fingerprints of what a mixture is made from; empty for what there is none of.
package struct MixtureOrigin: Sendable, Codable, Equatable {
  package var dataset: String
  package var tree: String
  package var assignment: String
  /// Names and fingerprints of the specialist seed's files.
  package var seedData: String

  package init(dataset: String, tree: String = "", assignment: String = "", seedData: String = "") {
    self.dataset = dataset
    self.tree = tree
    self.assignment = assignment
    self.seedData = seedData
  }
}
