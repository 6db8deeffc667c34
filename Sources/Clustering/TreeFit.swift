import Artifacts
import CKernels
import Kernels
import Pipeline
import Primitives

/// Fits a hierarchical k-means tree (CRISP §3: arity 64, depth 1…4): the root's windows are split by k-means, then each
/// child's, level by level.
package enum TreeFit {
  /// How a tree is fitted; written into its manifest.
  package struct Configuration: Sendable, Codable, Equatable {
    /// Children of a node.
    package var arity = 64
    /// Levels below the root.
    package var depth = 1
    /// A child should have this many windows of the sample: a node with n windows has at most n / minimumLeaf children, and
    /// none when that is below 2.
    package var minimumLeaf = 32
    /// The most windows the tree is fitted on; nil = all.
    package var sample: Int? = nil
    /// The most windows per centroid that one k-means looks at; more are sampled down.
    package var pointsPerCentroid = 2_048
    /// How each k-means runs.
    package var kMeans = KMeans.Configuration()

    /// Creates the defaults.
    package init() {}

    /// Throws on values that make no sense.
    package func validate() throws {
      guard (2...65_536).contains(arity) else { throw WeirError("--arity", "\(arity) is not in 2…65536") }
      guard (1...8).contains(depth) else { throw WeirError("--depth", "\(depth) is not in 1…8") }
      guard minimumLeaf >= 1 else { throw WeirError("--minimum-leaf", "\(minimumLeaf) is not positive") }
      guard (sample ?? 1) >= 1 else { throw WeirError("--sample", "the sample is empty") }
      guard pointsPerCentroid >= 1, kMeans.iterations >= 0, kMeans.tolerance >= 0 else {
        throw WeirError("k-means", "iterations, tolerance or points per centroid out of range")
      }
    }
  }

  /// Fits a tree.
  /// - Parameters:
  ///   - vectors: [count, dimensions] row-major; zero vectors are left out of the fit.
  ///   - count: the number of windows.
  ///   - dimensions: the length of a vector.
  ///   - embedder: the fingerprint of the embedder that made the vectors.
  ///   - configuration: the settings.
  ///   - pool: where the work runs; the result does not depend on its number of threads.
  ///   - progress: is told how far it is, and may stop it.
  /// - Throws: `WeirError` when there is nothing to cluster.
  package static func run(
    vectors: UnsafePointer<Float>, count: Int, dimensions: Int, embedder: String, configuration: Configuration = Configuration(),
    pool: ThreadPool, progress: Progress = .silent
  ) throws -> ClusterTree {
    try configuration.validate()
    let chosen = sample(vectors: vectors, count: count, dimensions: dimensions, configuration: configuration)
    guard !chosen.isEmpty else {
      throw WeirError(
        "cluster fit", "every vector is zero: the windows share no feature with the embedder", remedy: "fit the embedder on this data")
    }
    var nodes = [ClusterTree.Node(parent: -1, level: 0, firstChild: 0, childCount: 0, leaf: -1)]
    var centroids = mean(vectors, of: chosen, dimensions: dimensions, spherical: configuration.kMeans.spherical, pool: pool)
    var level = [(node: 0, members: chosen)]
    for depth in 1...configuration.depth {
      progress.update(Double(depth - 1), of: Double(configuration.depth), unit: "levels", detail: "\(level.count) nodes")
      let splits = try split(
        level.map { ($0.node, $0.members) }, vectors: vectors, dimensions: dimensions, configuration: configuration, pool: pool,
        progress: progress)
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

  /// What a node's k-means found: the centroids, and the label of every member.
  private struct Split: Sendable {
    var clusters: Int
    var centroids: [Float]
    var labels: [UInt32]
  }

  /// Windows to fit on, in order: those with a vector that is not zero, or a seeded sample of them.
  private static func sample(vectors: UnsafePointer<Float>, count: Int, dimensions: Int, configuration: Configuration) -> [UInt32] {
    let filled = (0..<count).filter { window in
      for j in 0..<dimensions where vectors[window * dimensions + j] != 0 { return true }
      return false
    }
    guard let size = configuration.sample, filled.count > size else { return filled.map { UInt32($0) } }
    let random = CounterRandom(seed: configuration.kMeans.seed, stream: 0x5341)
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

  /// Splits the nodes of a level. A few large nodes run one after the other on the whole pool, many run side by side, one a
  /// task: k-means gives the same bytes either way.
  private static func split(
    _ level: [(node: Int, members: [UInt32])], vectors: UnsafePointer<Float>, dimensions: Int, configuration: Configuration,
    pool: ThreadPool, progress: Progress
  ) throws -> [Split?] {
    nonisolated(unsafe) let vectors = vectors
    let one = { @Sendable (node: Int, members: [UInt32], pool: ThreadPool?) throws -> Split? in
      try split(node: node, members, vectors: vectors, dimensions: dimensions, configuration: configuration, pool: pool, progress: progress)
    }
    if level.count < 8 { return try level.map { try one($0.node, $0.members, pool) } }
    var results = [Result<Split?, any Error>](repeating: .success(nil), count: level.count)
    results.withUnsafeMutableBufferPointer { results in
      nonisolated(unsafe) let out = results
      pool.run(level.count) { index in out[index] = Result { try one(level[index].node, level[index].members, nil) } }
    }
    return try results.map { try $0.get() }
  }

  private static func split(
    node: Int, _ members: [UInt32], vectors: UnsafePointer<Float>, dimensions: Int, configuration: Configuration, pool: ThreadPool?,
    progress: Progress
  ) throws -> Split? {
    let clusters = min(configuration.arity, members.count / configuration.minimumLeaf)
    guard clusters > 1 else { return nil }
    let most = clusters * configuration.pointsPerCentroid
    var fitted = members
    if members.count > most {
      let random = CounterRandom(seed: configuration.kMeans.seed, stream: CounterRandom.mix(UInt64(node)))
      fitted = members.map { (random.bits(UInt64($0)), $0) }.sorted { $0 < $1 }.prefix(most).map(\.1).sorted()
    }
    // All rows of a matrix are read where they lie.
    let whole = fitted.first.map { Int(fitted[fitted.count - 1]) - Int($0) + 1 == fitted.count } ?? false
    let gathered = whole ? [] : gather(vectors, fitted, dimensions)
    let result = try gathered.withUnsafeBufferPointer { points in
      try KMeans(
        points: whole ? vectors + Int(fitted[0]) * dimensions : points.baseAddress ?? vectors, count: fitted.count, dimensions: dimensions,
        clusters: clusters, configuration: configuration.kMeans, stream: UInt64(node), pool: pool, progress: progress)
    }
    // Below the root a node may well hold fewer: its documents are alike.
    guard node > 0 || result.seeded == clusters else {
      throw WeirError(
        "--arity", "\(clusters) clusters are asked for, the vectors hold only \(result.seeded) distinct points",
        remedy: "ask for at most \(result.seeded)")
    }
    guard fitted.count < members.count else {
      return Split(clusters: result.clusters, centroids: result.centroids, labels: result.labels)
    }
    let search = NearestCentroids(
      result.centroids, count: result.clusters, dimensions: dimensions, spherical: configuration.kMeans.spherical)
    var labels = [UInt32](repeating: 0, count: members.count)
    labels.withUnsafeMutableBufferPointer { labels in
      members.withUnsafeBufferPointer { members in
        guard let out = labels.baseAddress else { return }
        nonisolated(unsafe) let (x, label, rows) = (vectors, out, members)
        let one = { (range: Range<Int>) in
          search.nearest(x, rows: UnsafeBufferPointer(rebasing: rows[range]), labels: label + range.lowerBound)
        }
        if let pool { pool.ranges(members.count, grain: 4_096, one) } else { one(0..<members.count) }
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
