import Artifacts
import Loading
import Primitives
import Storage
import Tokens

/// The domains of a dataset that mixtures weight: values of a member, or clusters.
package struct MixtureDomains: Codable, Sendable, Equatable {
  /// The members of a mixture file that say what the weights are of.
  package struct Groups: Codable, Sendable, Equatable {
    package var by: String?
    package var tree: String?
    package var level: Int?

    package init(by: String? = nil, tree: String? = nil, level: Int? = nil) { (self.by, self.tree, self.level) = (by, tree, level) }
  }

  package var groups: Groups
  package var names: [String]
  /// [domains] the tokens of each.
  package var tokens: [Int]

  /// The shares of the tokens.
  package var natural: [Double] {
    let sum = Double(max(1, tokens.reduce(0, +)))
    return tokens.map { Double($0) / sum }
  }

  /// - Throws: `WeirError` if the dataset has no such groups.
  package init(dataset path: String, _ groups: Groups) throws {
    let rowGroups: RowGroups
    if let tree = groups.tree {
      rowGroups = try RowStore(path).groups(of: StoredTree(tree), level: groups.level)
    } else {
      rowGroups = .field(groups.by ?? "source")
    }
    let found = try rowGroups.tokens(of: TokenDataset(path)).filter { $0.tokens > 0 }
    (self.groups, names, tokens) = (groups, found.map(\.name), found.map(\.tokens))
    if groups.tree == nil, groups.by == nil { self.groups.by = "source" }
  }
}

/// A file of weights, as every command that takes a mixture reads it.
package struct MixtureFile: Encodable, Sendable {
  struct Stage: Encodable, Sendable {
    var at = "0"
    var weights: [String: Double]
  }

  private var by: String?
  private var tree: String?
  private var level: Int?
  private var maxEpochs: Double?
  private var stages: [Stage]

  private enum CodingKeys: String, CodingKey {
    case by, tree, level, stages
    case maxEpochs = "max_epochs"
  }

  /// - Parameters:
  ///   - path: the file, which a tree is named relative to.
  ///   - maxEpochs: the most epochs over a domain.
  package init(_ groups: MixtureDomains.Groups, names: [String], weights: [Double], path: String, maxEpochs: Double? = nil) {
    (by, level, self.maxEpochs) = (groups.by, groups.level, maxEpochs)
    tree = groups.tree.map { RelativePath.store($0, in: path) }
    stages = [Stage(weights: Dictionary(zip(names, weights), uniquingKeysWith: +))]
  }
}
