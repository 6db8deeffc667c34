import Artifacts
import Kernels
import Primitives

/// Routes vectors down a tree: at each level to the child with the nearest centroid (CRISP §3).
package struct TreeRouter: Sendable {
  package let tree: ClusterTree
  private let searches: [NearestCentroids?]

  package init(_ tree: ClusterTree) {
    self.tree = tree
    let d = tree.dimensions
    searches = tree.centroids.withUnsafeBufferPointer { centroids in
      tree.nodes.map { node in
        guard node.childCount > 0, let base = centroids.baseAddress else { return nil }
        return NearestCentroids(base + node.firstChild * d, count: node.childCount, dimensions: d, spherical: tree.spherical)
      }
    }
  }

  /// The node that each vector is routed to: a leaf, or the node at `level`.
  /// - Parameters:
  ///   - vectors: [count, dimensions], row-major.
  ///   - level: the level to stop at; nil for the leaves.
  /// - Returns: [count] node numbers.
  package func nodes(
    _ vectors: UnsafePointer<Float>, count: Int, level: Int? = nil, pool: ThreadPool = ThreadPool(threads: 1)
  ) -> [UInt32] {
    var result = [UInt32](repeating: 0, count: count)
    result.withUnsafeMutableBufferPointer { result in
      guard let base = result.baseAddress else { return }
      nonisolated(unsafe) let (x, out) = (vectors, base)
      pool.ranges(count, grain: 4_096) { descend(x, $0, level: level ?? .max, into: out) }
    }
    return result
  }

  /// The leaf of each vector, by number.
  package func leaves(_ vectors: UnsafePointer<Float>, count: Int, pool: ThreadPool) -> [UInt32] {
    nodes(vectors, count: count, pool: pool).map { UInt32(max(0, tree.nodes[Int($0)].leaf)) }
  }

  /// The node that each vector is routed to: a leaf, or the node at `level`.
  /// - Throws: `WeirError` if the array does not consist of whole vectors.
  package func nodes(_ vectors: [Float], level: Int? = nil, pool: ThreadPool = ThreadPool(threads: 1)) throws -> [UInt32] {
    guard vectors.count % tree.dimensions == 0 else {
      throw WeirError("vectors", "\(vectors.count) numbers are not whole vectors of \(tree.dimensions) dimensions")
    }
    return vectors.withUnsafeBufferPointer { buffer in
      buffer.baseAddress.map { nodes($0, count: vectors.count / tree.dimensions, level: level, pool: pool) } ?? []
    }
  }

  /// The leaf of each vector, by number.
  /// - Throws: `WeirError` if the array does not consist of whole vectors.
  package func leaves(_ vectors: [Float], pool: ThreadPool = ThreadPool(threads: 1)) throws -> [UInt32] {
    try nodes(vectors, pool: pool).map { UInt32(max(0, tree.nodes[Int($0)].leaf)) }
  }

  /// Routes level by level: the vectors of a node are searched together, without copying them.
  private func descend(_ vectors: UnsafePointer<Float>, _ range: Range<Int>, level: Int, into out: UnsafeMutablePointer<UInt32>) {
    var groups: [(node: Int, rows: [UInt32])] = [(0, range.map { UInt32($0) })]
    while let (node, rows) = groups.popLast() {
      guard let search = searches[node], tree.nodes[node].level < level else {
        for row in rows { out[Int(row)] = UInt32(node) }
        continue
      }
      let labels = [UInt32](unsafeUninitializedCapacity: rows.count) { buffer, filled in
        rows.withUnsafeBufferPointer { if let base = buffer.baseAddress { search.nearest(vectors, rows: $0, labels: base) } }
        filled = rows.count
      }
      // A counting sort by child.
      var ends = [Int](repeating: 0, count: search.count + 1)
      for label in labels { ends[Int(label) + 1] += 1 }
      for child in 0..<search.count { ends[child + 1] += ends[child] }
      var sorted = [UInt32](repeating: 0, count: rows.count)
      var next = ends
      for (row, label) in zip(rows, labels) {
        sorted[next[Int(label)]] = row
        next[Int(label)] += 1
      }
      for child in 0..<search.count where ends[child + 1] > ends[child] {
        groups.append((tree.nodes[node].firstChild + child, Array(sorted[ends[child]..<ends[child + 1]])))
      }
    }
  }
}
