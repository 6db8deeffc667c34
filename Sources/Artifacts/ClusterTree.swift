/// A hierarchical k-means tree as a value: nodes in breadth-first order, node 0 the root.
package struct ClusterTree: Sendable, Equatable {
  package struct Node: Sendable, Codable, Equatable {
    /// The parent, −1 for the root.
    package var parent: Int
    /// The level, 0 for the root.
    package var level: Int
    /// The first child; children are consecutive.
    package var firstChild: Int
    /// The number of children; 0 for a leaf.
    package var childCount: Int
    /// The number of the leaf, from left to right; −1 for an inner node.
    package var leaf: Int

    package init(parent: Int, level: Int, firstChild: Int, childCount: Int, leaf: Int) {
      self.parent = parent
      self.level = level
      self.firstChild = firstChild
      self.childCount = childCount
      self.leaf = leaf
    }
  }

  /// The fingerprint of the embedder of the vectors that the tree was fitted on.
  package var embedder: String
  /// Dimensions of a vector.
  package var dimensions: Int
  /// Whether distances are cosine instead of Euclidean.
  package var spherical: Bool
  /// The nodes, breadth first.
  package var nodes: [Node]
  /// [nodes, dimensions] centroids, row-major; the root's is the mean.
  package var centroids: [Float]

  package init(embedder: String, dimensions: Int, spherical: Bool, nodes: [Node], centroids: [Float]) {
    self.embedder = embedder
    self.dimensions = dimensions
    self.spherical = spherical
    self.nodes = nodes
    self.centroids = centroids
  }

  package var leafCount: Int { nodes.reduce(0) { $0 + ($1.leaf >= 0 ? 1 : 0) } }

  /// Levels below the root.
  package var depth: Int { nodes.reduce(0) { max($0, $1.level) } }

  /// [leaves] the node of each leaf, by the leaf's number.
  package var leafNodes: [Int] {
    var result = [Int](repeating: 0, count: leafCount)
    for (index, node) in nodes.enumerated() where node.leaf >= 0 { result[node.leaf] = index }
    return result
  }

  /// A node's children.
  package func children(of node: Int) -> Range<Int> {
    nodes[node].childCount == 0 ? 0..<0 : nodes[node].firstChild..<nodes[node].firstChild + nodes[node].childCount
  }

  /// The nodes in which a descent to `level` can end, breadth first: those of the level and the leaves above it.
  package func nodes(atLevel level: Int) -> [Int] {
    nodes.indices.filter { nodes[$0].level == level || (nodes[$0].level < level && nodes[$0].childCount == 0) }
  }

  /// Groups the leaves by the nodes of a level, as `weir split` does for the top level.
  /// - Returns: [leaves] the position in `nodes(atLevel:)` of the node that each leaf is under.
  package func domains(level: Int) -> [Int] {
    var position = [Int](repeating: -1, count: nodes.count)
    for (index, node) in nodes(atLevel: level).enumerated() { position[node] = index }
    return leafNodes.map { leaf in
      var node = leaf
      while node >= 0 && position[node] < 0 { node = nodes[node].parent }
      return node < 0 ? 0 : position[node]
    }
  }

  /// Numbers the leaves from left to right.
  package mutating func numberLeaves() {
    var next = 0
    var stack = [0]
    while let node = stack.popLast() {
      guard nodes[node].childCount > 0 else {
        nodes[node].leaf = next
        next += 1
        continue
      }
      nodes[node].leaf = -1
      stack.append(contentsOf: children(of: node).reversed())
    }
  }
}

extension ClusterTree {
  /// The child numbers from the root to a node.
  package func path(to node: Int) -> [Int] {
    var path: [Int] = []
    var node = node
    while nodes[node].parent >= 0 {
      let parent = nodes[node].parent
      path.insert(node - nodes[parent].firstChild, at: 0)
      node = parent
    }
    return path
  }

  /// The name of a node in tables and reports: its path, such as `2.0.1`; `all` for the root.
  package func name(of node: Int) -> String {
    let path = path(to: node)
    return path.isEmpty ? "all" : path.map(String.init).joined(separator: ".")
  }
}
