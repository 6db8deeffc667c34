/// What is in the clusters of a tree.
package struct ClusterReport: Sendable, Codable, Equatable {
  /// A word and how telling it is.
  package struct Term: Sendable, Codable, Equatable {
    /// The word.
    package var word: String
    /// Share of the cluster's looked-at windows with the word × log-odds against the parent.
    package var score: Double
    /// Share of the cluster's looked-at windows with the word.
    package var share: Double
  }

  /// A window near the centroid.
  package struct Sample: Sendable, Codable, Equatable {
    /// The window's number.
    package var window: Int
    /// Its cosine (sphere) or negative squared distance to the centroid.
    package var score: Double
    /// The beginning of its text.
    package var text: String
  }

  /// One label's windows in a cluster.
  package struct Label: Sendable, Codable, Equatable {
    /// The label.
    package var label: String
    /// Windows with it.
    package var windows: Int
  }

  /// One node of the tree.
  package struct Node: Sendable, Codable, Equatable {
    /// The node's number in breadth-first order.
    package var node: Int
    /// The parent's number, −1 for the root.
    package var parent: Int
    /// The level.
    package var level: Int
    /// The leaf's number, −1 for an inner node.
    package var leaf: Int
    /// Windows.
    package var windows: Int
    /// Tokens.
    package var tokens: Int
    /// Share of the tokens.
    package var share: Double
    /// The words that tell it from its parent.
    package var terms: [Term]
    /// The windows nearest to its centroid.
    package var samples: [Sample]
    /// The most frequent labels, where windows have any.
    package var labels: [Label]
    /// Share of the most frequent label among the labelled windows.
    package var purity: Double?
  }

  /// The nodes, breadth first.
  package var nodes: [Node]
  /// Windows in all.
  package var windows: Int
  /// Tokens in all.
  package var tokens: Int
  /// Leaves of the tree.
  package var leaves: Int
  /// Leaves without a window.
  package var emptyLeaves: Int
  /// Windows whose text was looked at for terms.
  package var textWindows: Int
  /// Windows with a label.
  package var labelled: Int
  /// Share of the labelled windows with their leaf's most frequent label.
  package var purity: Double?
  /// Normalised mutual information of leaf and label, by the arithmetic mean of the entropies.
  package var mutualInformation: Double?
}
