/// A hierarchical k-means tree as a value: nodes in breadth-first order, node 0 the root.
public struct ClusterTree: Sendable, Equatable {
  /// One node of the tree.
  public struct Node: Sendable, Codable, Equatable {
    /// The parent, −1 for the root.
    public var parent: Int
    /// The level, 0 for the root.
    public var level: Int
    /// The first child; children are consecutive.
    public var firstChild: Int
    /// The number of children; 0 for a leaf.
    public var childCount: Int
    /// The leaf's number in left-to-right order; −1 for an inner node.
    public var leaf: Int

    /// Creates a node.
    public init(parent: Int, level: Int, firstChild: Int, childCount: Int, leaf: Int) {
      self.parent = parent
      self.level = level
      self.firstChild = firstChild
      self.childCount = childCount
      self.leaf = leaf
    }
  }

  /// The fingerprint of the embedder whose vectors it was fitted on.
  public var embedder: String
  /// Dimensions of a vector.
  public var dimensions: Int
  /// Whether vectors and centroids are compared by direction.
  public var spherical: Bool
  /// The nodes, breadth first.
  public var nodes: [Node]
  /// [nodes, dimensions] centroids, row-major; the root's is the mean.
  public var centroids: [Float]

  /// Creates a tree.
  public init(embedder: String, dimensions: Int, spherical: Bool, nodes: [Node], centroids: [Float]) {
    self.embedder = embedder
    self.dimensions = dimensions
    self.spherical = spherical
    self.nodes = nodes
    self.centroids = centroids
  }

  /// The number of leaves.
  public var leafCount: Int { nodes.reduce(0) { $0 + ($1.leaf >= 0 ? 1 : 0) } }
}
