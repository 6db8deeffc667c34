import Artifacts
import CKernels
import Kernels
import Pipeline
import Primitives

/// Fits a hierarchical k-means tree (CRISP §3: arity 64, depth 1…4): k-means splits the windows of the root, then those of each child, level by
/// level.
package enum TreeFit {
  /// Stored in the tree's manifest.
  package struct Configuration: Sendable, Codable, Equatable {
    /// Children per node.
    package var arity = 64
    /// Levels below the root.
    package var depth = 1
    /// Windows of the sample that a child should have: a node with n windows has at most n / minimumLeaf children, and none if that is less
    /// than 2.
    package var minimumLeaf = 32
    /// The most windows to fit on; nil for all.
    package var sample: Int? = nil
    /// The most windows per centroid in one k-means; if there are more, a random sample.
    package var pointsPerCentroid = 2_048
    package var kMeans = KMeans.Configuration()

    package static let mostArity = 65_536

    package init() {}

    /// Sets the smallest arity that gives at least this many leaves at the depth, if every node has all its children.
    package mutating func setArity(leaves: Int) {
      guard depth > 0 else { return }
      func count(_ arity: Int) -> Int { (0..<depth).reduce(1) { product, _ in min(product * arity, 1 << 40) } }
      while arity > 2, count(arity - 1) >= leaves { arity -= 1 }
      while count(arity) < leaves, arity <= Self.mostArity { arity += 1 }
    }

    /// Throws `WeirError` with the name of the first invalid property.
    package func validate() throws {
      guard (2...Self.mostArity).contains(arity) else { throw WeirError("arity", "must be in 2…\(Self.mostArity), not \(arity)") }
      guard (1...8).contains(depth) else { throw WeirError("depth", "must be in 1…8, not \(depth)") }
      guard minimumLeaf >= 1 else { throw WeirError("minimumLeaf", "must be positive, not \(minimumLeaf)") }
      guard (sample ?? 1) >= 1 else { throw WeirError("sample", "must be positive, not \(sample ?? 0)") }
      guard pointsPerCentroid >= 1, kMeans.iterations >= 0, kMeans.tolerance >= 0 else {
        throw WeirError("iterations", "iterations, tolerance and points per centroid must not be negative")
      }
    }
  }

  /// Fits a tree.
  /// - Parameters:
  ///   - vectors: [count, dimensions], row-major; zero vectors are ignored.
  ///   - embedder: the fingerprint of the embedder of the vectors.
  ///   - pool: the result does not depend on its number of threads.
  /// - Throws: `WeirError` if all vectors are zero.
  package static func run(
    vectors: UnsafePointer<Float>, count: Int, dimensions: Int, embedder: String, configuration: Configuration = Configuration(),
    pool: ThreadPool, progress: Progress = .silent
  ) throws -> ClusterTree {
    try configuration.validate()
    let chosen = sample(vectors: vectors, count: count, dimensions: dimensions, configuration: configuration)
    guard !chosen.isEmpty else {
      throw WeirError(
        "cluster fit", "all vectors are zero: the embedder finds no features in the windows", remedy: "fit the embedder on this data")
    }
    var nodes = [ClusterTree.Node(parent: -1, level: 0, firstChild: 0, childCount: 0, leaf: -1)]
    var centroids = mean(vectors, of: chosen, dimensions: dimensions, spherical: configuration.kMeans.spherical, pool: pool)
    var level = [(node: 0, members: chosen)]
    for depth in 1...configuration.depth {
      progress.update(Double(depth - 1), of: Double(configuration.depth), unit: "levels", detail: "\(level.count) nodes")
      let splits = try split(level, vectors: vectors, dimensions: dimensions, configuration: configuration, pool: pool, progress: progress)
      var below: [(node: Int, members: [UInt32])] = []
      for (entry, result) in zip(level, splits) {
        guard let result, result.clusters > 1 else { continue }
        nodes[entry.node].firstChild = nodes.count
        nodes[entry.node].childCount = result.clusters
        var members = [[UInt32]](repeating: [], count: result.clusters)
        for (index, label) in zip(entry.members, result.labels) { members[Int(label)].append(index) }
        for child in 0..<result.clusters {
          below.append((nodes.count, members[child]))
          nodes.append(ClusterTree.Node(parent: entry.node, level: depth, firstChild: 0, childCount: 0, leaf: -1))
        }
        centroids.append(contentsOf: result.centroids)
      }
      level = below
      if level.isEmpty { break }
    }
    var tree = ClusterTree(
      embedder: embedder, dimensions: dimensions, spherical: configuration.kMeans.spherical, nodes: nodes, centroids: centroids)
    tree.numberLeaves()
    return tree
  }

  /// The result of k-means on a node: the centroids, and the label of every member.
  private struct Split: Sendable {
    var clusters: Int
    var centroids: [Float]
    var labels: [UInt32]
  }

  /// The windows to fit on, in order: those with a nonzero vector, or a random sample of them.
  private static func sample(vectors: UnsafePointer<Float>, count: Int, dimensions: Int, configuration: Configuration) -> [UInt32] {
    let filled = (0..<count).filter { window in
      for j in 0..<dimensions where vectors[window * dimensions + j] != 0 { return true }
      return false
    }
    guard let size = configuration.sample, filled.count > size else { return filled.map { UInt32($0) } }
    let random = CounterRandom(seed: configuration.kMeans.randomSeed, stream: 0x5341)
    return filled.map { (random.bits(UInt64($0)), $0) }.sorted { $0 < $1 }.prefix(size).map { UInt32($0.1) }.sorted()
  }

  private static func mean(
    _ vectors: UnsafePointer<Float>, of members: [UInt32], dimensions: Int, spherical: Bool, pool: ThreadPool
  ) -> [Float] {
    let pieces = stride(from: 0, to: members.count, by: 2_048).map { $0..<min(members.count, $0 + 2_048) }
    let sums = KMeansRun.sums(vectors, dimensions: dimensions, order: members, pieces: pieces, pool: pool)
    let sum = (0..<dimensions).map { j in pieces.indices.reduce(0.0) { $0 + sums[$1 * dimensions + j] } }
    var result = sum.map { Float($0 / Double(members.count)) }
    if spherical { _ = weir_normalize(&result, dimensions) }
    return result
  }

  /// Splits the nodes of a level. A few large nodes run one after the other on all threads; many run in parallel, one per task. K-means gives the
  /// same bytes either way.
  private static func split(
    _ level: [(node: Int, members: [UInt32])], vectors: UnsafePointer<Float>, dimensions: Int, configuration: Configuration,
    pool: ThreadPool, progress: Progress
  ) throws -> [Split?] {
    nonisolated(unsafe) let vectors = vectors
    let one = { @Sendable (node: Int, members: [UInt32], pool: ThreadPool) throws -> Split? in
      try split(node: node, members, vectors: vectors, dimensions: dimensions, configuration: configuration, pool: pool, progress: progress)
    }
    if level.count < 8 { return try level.map { try one($0.node, $0.members, pool) } }
    var results = [Result<Split?, any Error>](repeating: .success(nil), count: level.count)
    results.withUnsafeMutableBufferPointer { results in
      nonisolated(unsafe) let out = results
      pool.run(level.count) { index in out[index] = Result { try one(level[index].node, level[index].members, ThreadPool(threads: 1)) } }
    }
    return try results.map { try $0.get() }
  }

  private static func split(
    node: Int, _ members: [UInt32], vectors: UnsafePointer<Float>, dimensions: Int, configuration: Configuration, pool: ThreadPool,
    progress: Progress
  ) throws -> Split? {
    let clusters = min(configuration.arity, members.count / configuration.minimumLeaf)
    guard clusters > 1 else { return nil }
    let most = clusters * configuration.pointsPerCentroid
    var fitted = members
    if members.count > most {
      let random = CounterRandom(seed: configuration.kMeans.randomSeed, stream: CounterRandom.mix(UInt64(node)))
      fitted = members.map { (random.bits(UInt64($0)), $0) }.sorted { $0 < $1 }.prefix(most).map(\.1).sorted()
    }
    // If all rows are members, they need not be copied.
    let whole = fitted.first.map { Int(fitted[fitted.count - 1]) - Int($0) + 1 == fitted.count } ?? false
    let gathered = whole ? [] : gather(vectors, fitted, dimensions)
    let result = try gathered.withUnsafeBufferPointer { points in
      try KMeans(
        points: whole ? vectors + Int(fitted[0]) * dimensions : points.baseAddress ?? vectors, count: fitted.count, dimensions: dimensions,
        clusters: clusters, configuration: configuration.kMeans, stream: UInt64(node), pool: pool, progress: progress)
    }
    // Below the root, fewer distinct vectors are common, because the documents are similar.
    guard node > 0 || result.seeded == clusters else {
      throw WeirError(
        "arity", "\(clusters) clusters were requested, but there are only \(result.seeded) distinct vectors",
        remedy: "use at most \(result.seeded)")
    }
    guard fitted.count < members.count else { return Split(clusters: result.clusters, centroids: result.centroids, labels: result.labels) }
    let search = NearestCentroids(
      result.centroids, count: result.clusters, dimensions: dimensions, spherical: configuration.kMeans.spherical)
    var labels = [UInt32](repeating: 0, count: members.count)
    labels.withUnsafeMutableBufferPointer { labels in
      members.withUnsafeBufferPointer { members in
        guard let out = labels.baseAddress else { return }
        nonisolated(unsafe) let (x, label, rows) = (vectors, out, members)
        pool.ranges(members.count, grain: 4_096) { range in
          search.nearest(x, rows: UnsafeBufferPointer(rebasing: rows[range]), labels: label + range.lowerBound)
        }
      }
    }
    return Split(clusters: result.clusters, centroids: result.centroids, labels: labels)
  }

  private static func gather(_ vectors: UnsafePointer<Float>, _ rows: [UInt32], _ dimensions: Int) -> [Float] {
    [Float](unsafeUninitializedCapacity: rows.count * dimensions) { buffer, initialized in
      if let base = buffer.baseAddress {
        for (index, row) in rows.enumerated() {
          (base + index * dimensions).initialize(from: vectors + Int(row) * dimensions, count: dimensions)
        }
      }
      initialized = rows.count * dimensions
    }
  }
}
