import CKernels
import Clustering
import Kernels
import Primitives
import Testing

/// The nearest centroids of points by score x·c + bias, on one instruction set (3 = eight-bit products).
private func nearest(_ points: [Float], _ centroids: [Float], _ bias: [Float], dimensions d: Int, level: Int32)
  throws -> (labels: [UInt32], scores: [Float])
{
  let rows = points.count / d
  var labels = [UInt32](repeating: 0, count: rows)
  var scores = [Float](repeating: -.infinity, count: rows)
  try centroids.withUnsafeBufferPointer { centroids in
    try bias.withUnsafeBufferPointer { bias in
      let pack = try #require(weir_centroids_pack(centroids.baseAddress, bias.baseAddress, bias.count, d, level))
      defer { weir_centroids_free(pack) }
      weir_nearest(pack, points, nil, rows, 0, &labels, &scores, nil, nil, nil, 0)
    }
  }
  return (labels, scores)
}

@Suite struct NearestTests {
  @Test(arguments: [(1, 1, 5), (7, 9, 61), (3, 70, 200), (33, 257, 40), (64, 31, 193), (384, 96, 30), (16, 1_100, 25)])
  func nearestIsTheArgmaxOfTheDefinition(d: Int, k: Int, rows: Int) throws {
    for (seed, size) in [(1, 1), (2, 1e-20), (3, 1e6)] as [(UInt64, Float)] {
      var random = SequentialRandom(seed: seed, stream: 9)
      var points = (0..<rows * d).map { _ in Float.random(in: -1...1, using: &random) * size }
      for j in 0..<d { points[rows / 2 * d + j] = 0 }
      // Close to the points, so that many scores are nearly equal.
      let centroids = (0..<k * d).map { points[$0 % points.count] * 0.7 + Float.random(in: -0.2...0.2, using: &random) * size }
      let bias = (0..<k).map { c in Float((0..<d).reduce(0.0) { $0 + Double(centroids[c * d + $1]) * Double(centroids[c * d + $1]) } * -0.5)
      }
      let found = try nearest(points, centroids, bias, dimensions: d, level: 3)
      for row in 0..<rows {
        let scores = (0..<k).map { c in
          (0..<d).reduce(Double(bias[c])) { $0 + Double(points[row * d + $1]) * Double(centroids[c * d + $1]) }
        }
        let best = scores.max() ?? 0
        // Single precision may only choose among scores that it cannot tell apart.
        let length = (0..<d).reduce(0.0) { $0 + Double(points[row * d + $1]) * Double(points[row * d + $1]) }
        let slack = 1e-6 * (length + 2 * Double(bias.map(\.magnitude).max() ?? 0)) + 1e-37
        #expect(best - scores[Int(found.labels[row])] <= slack)
        #expect((Double(found.scores[row]) - best).magnitude <= slack)
      }
      for level in 0...2 as ClosedRange<Int32> {
        let other = try nearest(points, centroids, bias, dimensions: d, level: level)
        #expect(other.labels == found.labels && other.scores == found.scores, "level \(level)")
      }
    }
  }

  @Test func overflowNamesNoCentroidThatIsNotThere() throws {
    let points = [Float](repeating: 1e30, count: 3 * 16)
    for level in 0...3 as ClosedRange<Int32> {
      let found = try nearest(points, [Float](repeating: -1e30, count: 5 * 16), [0, 0, 0, 0, 0], dimensions: 16, level: level)
      #expect(found.labels.allSatisfy { $0 < 5 })
    }
  }

  /// With several groups of centroids and many iterations, what the bounds pass over is never nearer.
  @Test(arguments: [true, false]) func boundsPassOverNothingNearer(spherical: Bool) throws {
    let (count, d) = (1_500, 10)
    for seed in 1...3 as ClosedRange<UInt64> {
      let points = planted(count, dimensions: d, centers: 60, noise: 0.7, seed: seed)
      var configuration = KMeans.Configuration()
      configuration.spherical = spherical
      configuration.tolerance = 0
      configuration.randomSeed = seed
      let result = try KMeans(points: points, count: count, dimensions: d, clusters: 100, configuration: configuration)
      #expect(result.clusters == 100 && result.history.count > 5)
      #expect(zip(result.history, result.history.dropFirst()).allSatisfy { $1 <= $0 * (1 + 1e-6) })
      func distance(_ point: Int, _ cluster: Int) -> Double {
        (0..<d).reduce(0.0) {
          let gap = Double(points[point * d + $1]) - Double(result.centroids[cluster * d + $1])
          return $0 + gap * gap
        }
      }
      for point in 0..<count {
        let best = (0..<100).map { distance(point, $0) }.min() ?? 0
        #expect(distance(point, Int(result.labels[point])) - best < 1e-6)
      }
    }
  }

  @Test(arguments: [true, false]) func theSameBytesOnOneAndTwoThreads(balanced: Bool) throws {
    let points = planted(4_000, dimensions: 9, centers: 30, noise: 0.6, seed: 8)
    var configuration = KMeans.Configuration()
    configuration.balanced = balanced
    configuration.iterations = 8
    let results = try [1, 2].map { threads in
      try KMeans(
        points: points, count: 4_000, dimensions: 9, clusters: 70, configuration: configuration, pool: ThreadPool(threads: threads))
    }
    #expect(results[0].centroids == results[1].centroids && results[0].labels == results[1].labels)
    #expect(results[0].history == results[1].history)
  }

  @Test func balancedClustersAreMoreEqual() throws {
    // Four fifths of the points lie around one direction.
    let points =
      planted(1_600, dimensions: 8, centers: 1, noise: 0.5, seed: 3) + planted(400, dimensions: 8, centers: 4, noise: 0.9, seed: 4)
    func largest(_ balanced: Bool) throws -> Int {
      var configuration = KMeans.Configuration()
      configuration.balanced = balanced
      let result = try KMeans(points: points, count: 2_000, dimensions: 8, clusters: 10, configuration: configuration)
      return Dictionary(grouping: result.labels, by: { $0 }).values.map(\.count).max() ?? 0
    }
    let (balanced, free) = (try largest(true), try largest(false))
    #expect(balanced < free && balanced < 300)
  }
}
