import CKernels
import Kernels
import Pipeline
import Primitives

/// Lloyd's k-means on dense vectors, initialized by k-means++ (Arthur & Vassilvitskii 2007).
///
/// Nearest centroids are exact: `weir_nearest` narrows them down to a few candidates with 8-bit products, and skips groups of centroids by the
/// triangle inequality. Sums run over a cluster's points in order, so the result does not depend on the number of threads.
/// Cost: at most (iterations + 2) · points · clusters · dimensions 8-bit multiply-adds.
package struct KMeans: Sendable {
  package struct Configuration: Sendable, Codable, Equatable {
    /// The maximum number of iterations.
    package var iterations = 30
    /// Stops when the objective decreases by less than this fraction.
    package var tolerance = 1e-4
    /// Spherical (cosine) instead of Euclidean k-means: centroids have length 1, and points must have length 1 or 0.
    package var spherical = true
    /// Whether fitting penalizes large clusters, so that sizes are similar. All `iterations` are run.
    package var balanced = false
    /// The number of runs, of which the one with the lowest objective is kept.
    package var restarts = 1
    package var randomSeed: UInt64 = 1

    enum CodingKeys: String, CodingKey {
      case iterations, tolerance, spherical, balanced, restarts
      case randomSeed = "seed"
    }

    package init() {}
  }

  /// The number of clusters: fewer than requested if there are not enough distinct points, or if clusters are empty in the end.
  package let clusters: Int
  /// The number of initial centroids: fewer than requested if there are not enough distinct points.
  package let seeded: Int
  /// [clusters, dimensions], row-major; no cluster is empty.
  package let centroids: [Float]
  /// [points] the nearest centroid of each point.
  package let labels: [UInt32]
  /// The sum of squared distances to the nearest centroid.
  package let objective: Double
  /// The objective at the start and after each iteration.
  package let history: [Double]

  /// - Parameters:
  ///   - points: [count, dimensions] row-major.
  ///   - count: at least 1.
  ///   - clusters: the number of clusters.
  ///   - stream: distinguishes runs with the same random seed, such as those for the nodes of a tree.
  ///   - pool: the result does not depend on its number of threads.
  package init(
    points: UnsafePointer<Float>, count: Int, dimensions: Int, clusters: Int, configuration: Configuration = Configuration(),
    stream: UInt64 = 0, pool: ThreadPool = ThreadPool(threads: 1), progress: Progress = .silent
  ) throws {
    precondition(count > 0 && dimensions > 0 && clusters > 0, "k-means needs points and clusters")
    var best: KMeansRun?
    for restart in 0..<max(1, configuration.restarts) {
      var run = KMeansRun(
        points: points, count: count, dimensions: dimensions, spherical: configuration.spherical, pool: pool,
        random: SequentialRandom(seed: configuration.randomSeed &+ UInt64(restart) &* 0x9E37_79B9, stream: CounterRandom.mix(stream)))
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
}
