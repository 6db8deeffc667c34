import Artifacts

/// Probability mass on a tree: sums over subtrees, back-off to parents, and redistribution under capacities.
struct TreeMass {
  let tree: ClusterTree
  /// Nodes in reverse order: children before parents.
  private var upward: StrideTo<Int> { stride(from: tree.nodes.count - 1, to: -1, by: -1) }

  /// [nodes] the sum over the leaves below each node.
  func sums(_ leaves: [Double]) -> [Double] {
    var result = [Double](repeating: 0, count: tree.nodes.count)
    for node in upward {
      let entry = tree.nodes[node]
      result[node] = entry.childCount == 0 ? leaves[max(0, entry.leaf)] : tree.children(of: node).reduce(0.0) { $0 + result[$1] }
    }
    return result
  }

  /// [leaves] the values of the leaf nodes.
  func leaves(_ nodes: [Double]) -> [Double] { tree.leafNodes.map { nodes[$0] } }

  /// The distribution of a specialist seed, with each child's probability smoothed toward that of the corpus:
  /// P(c) = P(parent) · (n_c + m·P(c|parent, Dg)) / (n_parent + m). Below `depth`, and below a node without windows of the seed, mass is
  /// distributed by P(c|parent, Dg).
  /// - Parameters:
  ///   - seed: [leaves] counts, in windows.
  ///   - general: [leaves] P(c|Dg).
  ///   - pseudo: the pseudo-count m.
  func backOff(seed: [Double], general: [Double], pseudo: Double, depth: Int) -> [Double] {
    let count = sums(seed)
    let share = sums(general)
    var result = [Double](repeating: 0, count: tree.nodes.count)
    result[0] = 1
    for (node, entry) in tree.nodes.enumerated() where entry.childCount > 0 && result[node] > 0 {
      let children = tree.children(of: node)
      for child in children {
        let general = share[node] > 0 ? share[child] / share[node] : 1 / Double(children.count)
        let conditional: Double
        if entry.level >= depth || count[node] + pseudo == 0 {
          conditional = general
        } else {
          conditional = (count[child] + pseudo * general) / (count[node] + pseudo)
        }
        result[child] = result[node] * conditional
      }
    }
    return leaves(result)
  }

  /// Distributes mass 1 over the leaves, proportional to the demand, none above its capacity. From the root down, the children of a node get
  /// min(capacity, λ·demand) with the λ that distributes everything. If all children with a demand are full, the rest goes to the others by
  /// their capacity. So an overflow goes to siblings first, then up the tree.
  /// - Parameters:
  ///   - demand: [leaves], summing to 1.
  ///   - capacity: [leaves], summing to at least 1.
  func place(demand: [Double], capacity: [Double]) -> [Double] {
    let wanted = sums(demand)
    let room = sums(capacity)
    var result = [Double](repeating: 0, count: tree.nodes.count)
    result[0] = 1
    for (node, entry) in tree.nodes.enumerated() where entry.childCount > 0 && result[node] > 0 {
      let children = Array(tree.children(of: node))
      let filled = Self.fill(result[node], demand: children.map { wanted[$0] }, capacity: children.map { room[$0] })
      for (child, mass) in zip(children, filled) { result[child] = mass }
    }
    return leaves(result)
  }

  /// The children of one node: min(capacity, λ·demand) summing to `mass`, then by capacity.
  static func fill(_ mass: Double, demand: [Double], capacity: [Double]) -> [Double] {
    var result = [Double](repeating: 0, count: demand.count)
    // In the order in which children become full as λ increases.
    let asked = demand.indices.filter { demand[$0] > 0 && capacity[$0] > 0 }
      .sorted { (capacity[$0] / demand[$0], $0) < (capacity[$1] / demand[$1], $1) }
    // Sums of the demand from each position on, added from the end: differences would lose precision.
    var rest = [Double](repeating: 0, count: asked.count + 1)
    for position in asked.indices.reversed() { rest[position] = rest[position + 1] + demand[asked[position]] }
    var left = mass
    for (position, child) in asked.enumerated() {
      let lambda = left / rest[position]
      if lambda * demand[child] <= capacity[child] {
        // No child from here on becomes full.
        for other in asked[position...] { result[other] = left * (demand[other] / rest[position]) }
        return result
      }
      result[child] = capacity[child]
      left -= capacity[child]
      if left <= 0 { return result }
    }
    let free = demand.indices.filter { demand[$0] <= 0 && capacity[$0] > 0 }
    let infinite = free.filter { capacity[$0].isInfinite }
    let sharing = infinite.isEmpty ? free : infinite
    let total = infinite.isEmpty ? free.reduce(0.0) { $0 + capacity[$1] } : Double(infinite.count)
    guard total > 0 else { return result }
    for child in sharing { result[child] = left * ((infinite.isEmpty ? capacity[child] : 1) / total) }
    return result
  }
}
