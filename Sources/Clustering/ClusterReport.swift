/// What is in the clusters of a tree.
public struct ClusterReport: Sendable, Codable, Equatable {
  /// A word and how telling it is.
  public struct Term: Sendable, Codable, Equatable {
    /// The word.
    public var word: String
    /// Share of the cluster's looked-at windows with the word × log-odds against the parent.
    public var score: Double
    /// Share of the cluster's looked-at windows with the word.
    public var share: Double
  }

  /// A window near the centroid.
  public struct Sample: Sendable, Codable, Equatable {
    /// The window's number.
    public var window: Int
    /// Its cosine (sphere) or negative squared distance to the centroid.
    public var score: Double
    /// The beginning of its text.
    public var text: String
  }

  /// One label's windows in a cluster.
  public struct Label: Sendable, Codable, Equatable {
    /// The label.
    public var label: String
    /// Windows with it.
    public var windows: Int
  }

  /// One node of the tree.
  public struct Node: Sendable, Codable, Equatable {
    /// The node's number in breadth-first order.
    public var node: Int
    /// The parent's number, −1 for the root.
    public var parent: Int
    /// The level.
    public var level: Int
    /// The leaf's number, −1 for an inner node.
    public var leaf: Int
    /// Windows.
    public var windows: Int
    /// Tokens.
    public var tokens: Int
    /// Share of the tokens.
    public var share: Double
    /// The words that tell it from its parent.
    public var terms: [Term]
    /// The windows nearest to its centroid.
    public var samples: [Sample]
    /// The most frequent labels, where windows have any.
    public var labels: [Label]
    /// Share of the most frequent label among the labelled windows.
    public var purity: Double?
  }

  /// The nodes, breadth first.
  public var nodes: [Node]
  /// Windows in all.
  public var windows: Int
  /// Tokens in all.
  public var tokens: Int
  /// Leaves of the tree.
  public var leaves: Int
  /// Leaves without a window.
  public var emptyLeaves: Int
  /// Windows whose text was looked at for terms.
  public var textWindows: Int
  /// Windows with a label.
  public var labelled: Int
  /// Share of the labelled windows with their leaf's most frequent label.
  public var purity: Double?
  /// Normalised mutual information of leaf and label, by the arithmetic mean of the entropies.
  public var mutualInformation: Double?
}
