import Primitives
import Training

/// A trunk, one branch per domain, and a single-model baseline of the same compute.
package struct SplitConfiguration: Codable, Sendable {
  /// The trunk: random initialization and training, or a model that exists.
  package enum Trunk: Codable, Sendable {
    /// Trains a model of this shape for a number of tokens.
    case scratch(ModelShape, tokens: Int)
    /// The model in a run or model folder.
    case model(String)
  }

  /// The token dataset, assigned to the tree.
  package var dataset: String
  package var tree: String
  /// The folder of the split.
  package var output: String
  /// The level of the tree whose nodes are the domains.
  package var level = 1
  package var trunk: Trunk
  /// Tokens of each branch; a single number applies to all.
  package var branchTokens: [Int]
  /// Whether to train the single-model baseline.
  package var full = true
  /// The training configuration of every part; its tokens and its random seed are replaced.
  package var training = TrainingConfiguration()
  /// Rows per batch.
  package var rows = 16
  /// Tokens per row.
  package var sequence = 256
  /// Seeds the random initialization and the order of the batches.
  package var randomSeed: UInt64 = 1
  /// Files of held-out documents; without any, the split is not evaluated.
  package var heldOut: [String] = []

  package init(dataset: String, tree: String, output: String, trunk: Trunk, branchTokens: [Int]) {
    self.dataset = dataset
    self.tree = tree
    self.output = output
    self.trunk = trunk
    self.branchTokens = branchTokens
  }

  package func validate() throws {
    guard level >= 1 else { throw WeirError("level", "must be at least 1, not \(level)") }
    if case .scratch(_, let tokens) = trunk, tokens < 1 { throw WeirError("trunkTokens", "must be positive, not \(tokens)") }
    guard !branchTokens.isEmpty, branchTokens.allSatisfy({ $0 > 0 }) else {
      throw WeirError("branchTokens", "must be positive numbers, not \(branchTokens)")
    }
  }

  /// The tokens of each of `count` branches.
  package func branches(_ count: Int) throws -> [Int] {
    guard branchTokens.count == 1 || branchTokens.count == count else {
      throw WeirError(
        "branchTokens", "there are \(branchTokens.count) numbers, but the tree has \(count) domains",
        remedy: "give one number, or one per domain")
    }
    return branchTokens.count == 1 ? [Int](repeating: branchTokens[0], count: count) : branchTokens
  }
}
