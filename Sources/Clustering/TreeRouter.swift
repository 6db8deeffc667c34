import Corpus
import Kernels
import Pipeline
import Primitives

/// Descends a tree: at each level to the child with the nearest centroid (CRISP §3).
public struct TreeRouter: Sendable {
  /// The tree.
  public let tree: ClusterTree
  private let scorers: [CentroidScorer?]

  /// Prepares a tree for descents.
  public init(_ tree: ClusterTree) {
    self.tree = tree
    let d = tree.dimensions
    scorers = tree.nodes.map { node in
      guard node.childCount > 0 else { return nil }
      let range = node.firstChild * d..<(node.firstChild + node.childCount) * d
      return CentroidScorer(
        centroids: Array(tree.centroids[range]), count: node.childCount, dimensions: d, spherical: tree.spherical)
    }
  }

  /// The node where each vector's descent ends: a leaf, or the node at `level`.
  /// - Parameters:
  ///   - vectors: [count, dimensions] row-major.
  ///   - count: the number of vectors.
  ///   - level: the level to stop at; nil = the leaves.
  ///   - pool: where the vectors run.
  /// - Returns: [count] node numbers.
  public func nodes(_ vectors: UnsafePointer<Float>, count: Int, level: Int? = nil, pool: ThreadPool? = nil) -> [UInt32] {
    var result = [UInt32](repeating: 0, count: count)
    result.withUnsafeMutableBufferPointer { result in
      guard let base = result.baseAddress else { return }
      nonisolated(unsafe) let (x, out) = (vectors, base)
      let one = { (range: Range<Int>) in descend(x, range, level: level ?? .max, into: out) }
      let grain = 2_048
      if let pool {
        pool.ranges(count, grain: grain, one)
      } else {
        for start in stride(from: 0, to: count, by: grain) { one(start..<min(count, start + grain)) }
      }
    }
    return result
  }

  /// The leaf of each vector, by number.
  public func leaves(_ vectors: UnsafePointer<Float>, count: Int, pool: ThreadPool? = nil) -> [UInt32] {
    nodes(vectors, count: count, pool: pool).map { UInt32(max(0, tree.nodes[Int($0)].leaf)) }
  }

  /// The leaf of each vector of an array.
  /// - Throws: `WeirError` when the array does not hold whole vectors of the tree's dimensions.
  public func leaves(_ vectors: [Float], pool: ThreadPool? = nil) throws -> [UInt32] {
    guard vectors.count % tree.dimensions == 0 else {
      throw WeirError("vectors", "\(vectors.count) numbers are no whole vectors of \(tree.dimensions) dimensions")
    }
    return vectors.withUnsafeBufferPointer { buffer in
      buffer.baseAddress.map { leaves($0, count: vectors.count / tree.dimensions, pool: pool) } ?? []
    }
  }

  /// Squared distances of a vector to the centroids of a level, in node order; for routing to several domains at once.
  /// - Parameters:
  ///   - vector: [dimensions].
  ///   - level: the level of the tree, 1 below the root.
  public func squaredDistances(_ vector: [Float], level: Int = 1) -> [Double] {
    let d = tree.dimensions
    return tree.nodes(atLevel: level).map { node in
      var sum = 0.0
      for j in 0..<min(d, vector.count) {
        let gap = Double(vector[j]) - Double(tree.centroids[node * d + j])
        sum += gap * gap
      }
      return sum
    }
  }

  /// Vectors of a node are gathered and scored together, so that a deep tree costs one pass per level.
  private func descend(_ vectors: UnsafePointer<Float>, _ range: Range<Int>, level: Int, into out: UnsafeMutablePointer<UInt32>) {
    let d = tree.dimensions
    var groups: [(node: Int, rows: [Int])] = [(0, Array(range))]
    while let (node, rows) = groups.popLast() {
      guard let scorer = scorers[node], tree.nodes[node].level < level else {
        for row in rows { out[row] = UInt32(node) }
        continue
      }
      var block = [Float](repeating: 0, count: rows.count * d)
      for (index, row) in rows.enumerated() {
        for j in 0..<d { block[index * d + j] = vectors[row * d + j] }
      }
      var labels = [UInt32](repeating: 0, count: rows.count)
      scorer.nearest(block, rows: rows.count, labels: &labels, pool: nil)
      var children: [Int: [Int]] = [:]
      for (row, label) in zip(rows, labels) { children[Int(label), default: []].append(row) }
      for (child, members) in children { groups.append((tree.nodes[node].firstChild + child, members)) }
    }
  }
}
