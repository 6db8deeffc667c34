import Clustering
import Kernels
import Primitives
import Testing

/// Points around `centers` directions on the sphere, in order of their cluster modulo `centers`.
func planted(_ count: Int, dimensions: Int, centers: Int, noise: Double, seed: UInt64) -> [Float] {
  var random = SequentialRandom(seed: seed, stream: 3)
  let means = (0..<centers * dimensions).map { _ in random.uniform() * 2 - 1 }
  var result: [Float] = []
  for index in 0..<count {
    var point = (0..<dimensions).map { means[index % centers * dimensions + $0] + noise * (random.uniform() * 2 - 1) }
    let length = point.reduce(0) { $0 + $1 * $1 }.squareRoot()
    point = point.map { $0 / length }
    result += point.map { Float($0) }
  }
  return result
}

/// Lloyd's algorithm as in a textbook, from given seeds.
private func naive(_ points: [Float], dimensions d: Int, seeds: [Int], iterations: Int) -> (objective: Double, labels: [Int]) {
  let count = points.count / d
  var centers = seeds.map { seed in (0..<d).map { Double(points[seed * d + $0]) } }
  var labels = [Int](repeating: 0, count: count)
  var objective = 0.0
  for iteration in 0...iterations {
    objective = 0
    for index in 0..<count {
      var best = Double.infinity
      for (center, values) in centers.enumerated() {
        let gap = (0..<d).reduce(0.0) { $0 + (Double(points[index * d + $1]) - values[$1]) * (Double(points[index * d + $1]) - values[$1]) }
        if gap < best { (best, labels[index]) = (gap, center) }
      }
      objective += best
    }
    if iteration == iterations { break }
    for center in centers.indices {
      let members = (0..<count).filter { labels[$0] == center }
      guard !members.isEmpty else { continue }
      centers[center] = (0..<d).map { j in members.reduce(0.0) { $0 + Double(points[$1 * d + j]) } / Double(members.count) }
    }
  }
  return (objective, labels)
}

/// Whether two labellings are the same up to the names.
func samePartition<A: Hashable, B: Hashable>(_ a: [A], _ b: [B]) -> Bool {
  var forward: [A: B] = [:]
  var backward: [B: A] = [:]
  for (x, y) in zip(a, b) {
    if forward[x, default: y] != y || backward[y, default: x] != x { return false }
    forward[x] = y
    backward[y] = x
  }
  return a.count == b.count
}

@Suite struct KMeansTests {
  @Test(arguments: 1...6) func agreesWithTheTextbook(seed: UInt64) throws {
    let points = planted(400, dimensions: 7, centers: 9, noise: 0.9, seed: seed)
    var configuration = KMeans.Configuration()
    configuration.spherical = false
    configuration.randomSeed = seed
    configuration.iterations = 12
    configuration.tolerance = 0
    // Without iterations, the centroids are the points that k-means++ chose.
    var seeding = configuration
    seeding.iterations = 0
    let chosen = try KMeans(points: points, count: 400, dimensions: 7, clusters: 9, configuration: seeding).centroids
    func row(_ values: [Float], _ index: Int) -> ArraySlice<Float> { values[index * 7..<(index + 1) * 7] }
    let seeds = (0..<9).flatMap { seed in (0..<400).filter { row(points, $0) == row(chosen, seed) } }
    #expect(Set(seeds).count == 9 && seeds.count == 9)
    let expected = naive(points, dimensions: 7, seeds: seeds, iterations: 12)
    let result = try KMeans(
      points: points, count: 400, dimensions: 7, clusters: 9, configuration: configuration, pool: ThreadPool(threads: 2))
    #expect((result.objective / expected.objective - 1).magnitude < 1e-4)
    #expect(samePartition(result.labels, expected.labels))
    #expect(zip(result.history, result.history.dropFirst()).allSatisfy { $1 <= $0 * (1 + 1e-6) })
  }

  @Test(arguments: [true, false]) func findsPlantedClusters(spherical: Bool) throws {
    let points = planted(900, dimensions: 16, centers: 6, noise: 0.15, seed: 5)
    var configuration = KMeans.Configuration()
    configuration.spherical = spherical
    configuration.restarts = 5
    let result = try KMeans(points: points, count: 900, dimensions: 16, clusters: 6, configuration: configuration)
    #expect(samePartition(result.labels, (0..<900).map { $0 % 6 }))
  }

  @Test func theSameBytesWhateverTheThreads() throws {
    let points = planted(5_000, dimensions: 12, centers: 20, noise: 0.6, seed: 8)
    var centroids: Set<[Float]> = []
    var labels: Set<[UInt32]> = []
    for pool in (1...3).map({ ThreadPool(threads: $0) }) {
      let result = try KMeans(points: points, count: 5_000, dimensions: 12, clusters: 20, pool: pool)
      centroids.insert(result.centroids)
      labels.insert(result.labels)
    }
    #expect(centroids.count == 1 && labels.count == 1)
  }

  @Test(arguments: 1...5) func noClusterIsEmpty(seed: UInt64) throws {
    // Few distinct points, many clusters asked for.
    var random = SequentialRandom(seed: seed, stream: 4)
    let distinct = (0..<7).map { _ in (0..<3).map { _ in Float(random.uniform()) } }
    let points = (0..<200).flatMap { distinct[$0 % 7] }
    var configuration = KMeans.Configuration()
    configuration.spherical = false
    configuration.randomSeed = seed
    let result = try KMeans(points: points, count: 200, dimensions: 3, clusters: 50, configuration: configuration)
    #expect(result.clusters <= 7 && result.clusters > 1)
    #expect(Set(result.labels).count == result.clusters)
    #expect(result.centroids.allSatisfy { $0.isFinite })
    let one = try KMeans(points: [1, 2, 3], count: 1, dimensions: 3, clusters: 4, configuration: configuration)
    #expect(one.clusters == 1 && one.labels == [0] && one.objective == 0)
  }
}
