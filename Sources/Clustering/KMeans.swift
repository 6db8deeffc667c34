import CKernels
import Kernels
import Pipeline
import Primitives

/// Lloyd's k-means on dense vectors, seeded by k-means++ (Arthur & Vassilvitskii 2007).
///
/// Nearest centroids are found exactly, by `weir_nearest`: products in eight bits that leave a few candidates, and groups of centroids
/// passed over by the triangle inequality. Sums are of a cluster's points in order: the same bytes whatever the number of threads.
/// Cost: at most (iterations + 2) · points · clusters · dimensions multiply-adds in eight bits.
package struct KMeans: Sendable {
  /// How k-means runs.
  package struct Configuration: Sendable, Codable, Equatable {
    /// The most iterations.
    package var iterations = 30
    /// Stops when the objective falls by less than this share.
    package var tolerance = 1e-4
    /// Whether centroids have length 1 and points are compared by direction; points must then have length 1 or 0.
    package var spherical = true
    /// Whether clusters are kept about equally large while they are fitted: the larger, the less attractive. All `iterations` are made.
    package var balanced = false
    /// Seedings tried; the one with the lowest objective after seeding and `iterations` is kept.
    package var restarts = 1
    /// The seed.
    package var seed: UInt64 = 1

    /// Creates the defaults.
    package init() {}
  }

  /// The number of clusters found: fewer than asked for where the points are not distinct enough, or some are empty when the iterations end.
  package let clusters: Int
  /// The number of seeds: fewer than asked for only where fewer points are distinct.
  package let seeded: Int
  /// [clusters, dimensions] row-major; none is empty.
  package let centroids: [Float]
  /// [points] the nearest centroid of each point.
  package let labels: [UInt32]
  /// The sum of squared distances to the nearest centroid.
  package let objective: Double
  /// The objective at the start and after each iteration.
  package let history: [Double]

  /// Clusters points.
  /// - Parameters:
  ///   - points: [count, dimensions] row-major.
  ///   - count: the number of points, at least 1.
  ///   - dimensions: of a point.
  ///   - clusters: how many are asked for.
  ///   - configuration: the settings.
  ///   - stream: distinguishes runs of one seed, such as the nodes of a tree.
  ///   - pool: where the ranges run; nil runs them one after the other, with the same result.
  ///   - progress: is told how far it is, and may stop it.
  package init(
    points: UnsafePointer<Float>, count: Int, dimensions: Int, clusters: Int, configuration: Configuration = Configuration(),
    stream: UInt64 = 0, pool: ThreadPool? = nil, progress: Progress = .silent
  ) throws {
    precondition(count > 0 && dimensions > 0 && clusters > 0, "k-means needs points and clusters")
    var best: KMeansRun?
    for restart in 0..<max(1, configuration.restarts) {
      var run = KMeansRun(
        points: points, count: count, dimensions: dimensions, spherical: configuration.spherical, pool: pool,
        random: SequentialRandom(seed: configuration.seed &+ UInt64(restart) &* 0x9E37_79B9, stream: CounterRandom.mix(stream)))
      try run.seed(clusters: min(clusters, count), progress: progress)
      try run.iterate(configuration, progress: progress)
      if run.objective < (best?.objective ?? .infinity) || best == nil { best = run }
    }
    guard var run = best else { preconditionFailure("at least one restart") }
    seeded = run.clusters
    run.dropEmpty()
    self.clusters = run.clusters
    centroids = run.centroids
    labels = run.labels
    objective = run.objective
    history = run.history
  }

  /// The index of the k-means++ seeds for these arguments, for those who check the method against another implementation.
  package static func seeds(points: UnsafePointer<Float>, count: Int, dimensions: Int, clusters: Int, seed: UInt64) -> [Int] {
    var run = KMeansRun(
      points: points, count: count, dimensions: dimensions, spherical: false, pool: nil,
      random: SequentialRandom(seed: seed, stream: CounterRandom.mix(0)))
    return (try? run.seed(clusters: min(clusters, count), progress: .silent)) ?? []
  }
}
