/// The contents of the clusters of a tree.
package struct ClusterReport: Sendable, Codable, Equatable {
  /// A word that distinguishes a cluster from its parent.
  package struct Term: Sendable, Codable, Equatable {
    package var word: String
    /// `share` times the log ratio of `share` to that of the parent.
    package var score: Double
    /// The fraction of the cluster's sampled windows that contain the word.
    package var share: Double
  }

  /// A window near the centroid.
  package struct Sample: Sendable, Codable, Equatable {
    /// The number of the window in the dataset.
    package var window: Int
    /// The cosine with the centroid (spherical) or the negative squared distance to it.
    package var score: Double
    /// The beginning of the text.
    package var text: String
  }

  /// The windows with one label in a cluster.
  package struct Label: Sendable, Codable, Equatable {
    package var label: String
    package var windows: Int
  }

  /// One node of the tree.
  package struct Node: Sendable, Codable, Equatable {
    /// The number in breadth-first order.
    package var node: Int
    /// The number of the parent, −1 for the root.
    package var parent: Int
    package var level: Int
    /// The number of the leaf, −1 for an inner node.
    package var leaf: Int
    package var windows: Int
    package var tokens: Int
    /// The fraction of all tokens.
    package var share: Double
    /// The words that distinguish it from its parent.
    package var terms: [Term]
    /// The windows closest to the centroid.
    package var samples: [Sample]
    /// The most frequent labels, if windows have labels.
    package var labels: [Label]
    /// The fraction of the most frequent label among labeled windows.
    package var purity: Double?
  }

  /// In breadth-first order.
  package var nodes: [Node]
  package var windows: Int
  package var tokens: Int
  package var leaves: Int
  /// Leaves without windows.
  package var emptyLeaves: Int
  /// Windows whose text was sampled for terms.
  package var textWindows: Int
  package var labelled: Int
  /// The fraction of labeled windows that have the most frequent label of their leaf.
  package var purity: Double?
  /// Normalized mutual information of leaf and label, by the arithmetic mean of the entropies.
  package var mutualInformation: Double?
}

extension ClusterReport.Node {
  /// A leaf right below the root, of which nothing but its size is known.
  package init(leaf: Int, windows: Int, tokens: Int, share: Double) {
    self.init(
      node: leaf + 1, parent: 0, level: 1, leaf: leaf, windows: windows, tokens: tokens, share: share, terms: [], samples: [], labels: [])
  }
}
