import CKernels
import Kernels
import Pipeline
import Primitives

/// The state of one run of k-means.
struct KMeansRun {
  let points: UnsafePointer<Float>
  let count: Int
  let dimensions: Int
  let spherical: Bool
  let pool: ThreadPool?
  var random: SequentialRandom

  var clusters = 0
  var centroids: [Float] = []
  var labels: [UInt32] = []
  var objective = Double.infinity
  var history: [Double] = []
  private var scores: [Float] = []
  private var sizes: [Int] = []

  init(points: UnsafePointer<Float>, count: Int, dimensions: Int, spherical: Bool, pool: ThreadPool?, random: SequentialRandom) {
    self.points = points
    self.count = count
    self.dimensions = dimensions
    self.spherical = spherical
    self.pool = pool
    self.random = random
  }

  /// Points in a range: a function of their number alone.
  private static func grain(_ count: Int) -> Int { max(256, (count + 31) / 32) }

  private static func ranges(_ count: Int, _ pool: ThreadPool?, _ body: (Range<Int>) -> Void) {
    let grain = grain(count)
    if let pool {
      pool.ranges(count, grain: grain, body)
    } else {
      for start in stride(from: 0, to: count, by: grain) { body(start..<min(count, start + grain)) }
    }
  }

  /// k-means++: each next seed is drawn with probability proportional to the squared distance to the nearest seed so far.
  /// - Returns: the seeds' indices; fewer than asked for when fewer points are distinct.
  @discardableResult mutating func seed(clusters wanted: Int, progress: Progress) throws -> [Int] {
    var distances = [Float](repeating: .infinity, count: count)
    var chosen = [Int(Double(count) * random.uniform())].map { min($0, count - 1) }
    while true {
      try progress.checkStop()
      guard let last = chosen.last else { break }
      distances.withUnsafeMutableBufferPointer { distances in
        guard let base = distances.baseAddress else { return }
        nonisolated(unsafe) let (out, x) = (base, points)
        let d = dimensions
        Self.ranges(count, pool) { range in
          weir_min_distance(x + range.lowerBound * d, range.count, d, x + last * d, out + range.lowerBound)
        }
      }
      if chosen.count == wanted { break }
      let total = distances.reduce(0.0) { $0 + Double($1) }
      guard total > 0, total.isFinite else { break }
      let target = random.uniform() * total
      var sum = 0.0
      var next = -1
      for index in 0..<count where distances[index] > 0 {
        sum += Double(distances[index])
        next = index
        if sum > target { break }
      }
      if next < 0 { break }
      chosen.append(next)
    }
    clusters = chosen.count
    centroids = chosen.flatMap { Array(UnsafeBufferPointer(start: points + $0 * dimensions, count: dimensions)) }
    labels = [UInt32](repeating: 0, count: count)
    scores = [Float](repeating: 0, count: count)
    return chosen
  }

  /// Lloyd's iterations, until nothing changes, the objective stands still or the limit is reached.
  mutating func iterate(_ configuration: KMeans.Configuration, progress: Progress) throws {
    for iteration in 0...max(0, configuration.iterations) {
      try progress.checkStop()
      let before = labels
      let sums = assign()
      history.append(objective)
      let previous = history.count > 1 ? history[history.count - 2] : .infinity
      // The last pass only assigns: labels and objective belong to the centroids that are returned.
      if iteration == configuration.iterations || (iteration > 0 && before == labels && !sizes.contains(0)) { break }
      if iteration > 0 && !sizes.contains(0) && previous - objective <= configuration.tolerance * previous.magnitude { break }
      move(sums)
    }
  }

  /// Labels every point with its nearest centroid. Returns [clusters, dimensions] sums; sets sizes, scores and objective.
  private mutating func assign() -> [Double] {
    let grain = Self.grain(count)
    let parts = (count + grain - 1) / grain
    let (k, d, spherical, centroids) = (clusters, dimensions, spherical, centroids)
    var newLabels = labels
    var newScores = scores
    let bias = (0..<k).map { cluster -> Float in
      if spherical { return 0 }
      var square = 0.0
      for j in 0..<d { square += Double(centroids[cluster * d + j]) * Double(centroids[cluster * d + j]) }
      return Float(-square / 2)
    }
    var partial = [Double](repeating: 0, count: parts * k * d)
    var partialObjective = [Double](repeating: 0, count: parts)
    partial.withUnsafeMutableBufferPointer { partial in
      partialObjective.withUnsafeMutableBufferPointer { partialObjective in
        newLabels.withUnsafeMutableBufferPointer { labels in
          newScores.withUnsafeMutableBufferPointer { scores in
            guard let p = partial.baseAddress, let o = partialObjective.baseAddress, let l = labels.baseAddress,
              let s = scores.baseAddress
            else { return }
            nonisolated(unsafe) let (sums, objectives, label, score, x) = (p, o, l, s, points)
            Self.ranges(count, pool) { range in
              let part = range.lowerBound / grain
              let step = 1_024
              var products = [Float](repeating: 0, count: min(step, range.count) * k)
              for start in stride(from: range.lowerBound, to: range.upperBound, by: step) {
                let rows = min(step, range.upperBound - start)
                let block = x + start * d
                BLAS.sgemm(transposeB: true, m: rows, n: k, k: d, a: block, lda: d, b: centroids, ldb: d, c: &products, ldc: k)
                weir_argmax(products, rows, k, bias, label + start, score + start)
                weir_sum_rows(block, rows, d, label + start, sums + part * k * d)
                for row in 0..<rows {
                  var square = 0.0
                  for j in 0..<d { square += Double(block[row * d + j]) * Double(block[row * d + j]) }
                  // |x − c|² = |x|² − 2(x·c − |c|²/2), with |c| = 1 on the sphere.
                  let gap = square - 2 * Double(score[start + row]) + (spherical ? 1 : 0)
                  score[start + row] = Float(max(0, gap))
                  objectives[part] += max(0, gap)
                }
              }
            }
          }
        }
      }
    }
    labels = newLabels
    scores = newScores
    var sums = [Double](repeating: 0, count: k * d)
    objective = 0
    for part in 0..<parts {
      for index in 0..<k * d { sums[index] += partial[part * k * d + index] }
      objective += partialObjective[part]
    }
    sizes = [Int](repeating: 0, count: k)
    for label in labels { sizes[Int(label)] += 1 }
    return sums
  }

  /// Centroids become the means; an empty cluster is put where the worst-served point is.
  private mutating func move(_ sums: [Double]) {
    let d = dimensions
    for cluster in 0..<clusters where sizes[cluster] > 0 {
      for j in 0..<d { centroids[cluster * d + j] = Float(sums[cluster * d + j] / Double(sizes[cluster])) }
      if spherical { normalize(cluster) }
    }
    for cluster in 0..<clusters where sizes[cluster] == 0 {
      var worst = -1
      for index in 0..<count where sizes[Int(labels[index])] > 1 && scores[index] > 0 && (worst < 0 || scores[index] > scores[worst]) {
        worst = index
      }
      guard worst >= 0 else { continue }
      for j in 0..<d { centroids[cluster * d + j] = points[worst * d + j] }
      if spherical { normalize(cluster) }
      sizes[Int(labels[worst])] -= 1
      sizes[cluster] = 1
      labels[worst] = UInt32(cluster)
      scores[worst] = 0
    }
  }

  private mutating func normalize(_ cluster: Int) {
    centroids.withUnsafeMutableBufferPointer { centroids in
      guard let base = centroids.baseAddress else { return }
      _ = weir_normalize(base + cluster * dimensions, dimensions)
    }
  }

  /// Takes out clusters without a point; the others keep their order.
  mutating func dropEmpty() {
    var number = [UInt32](repeating: 0, count: clusters)
    var kept: [Float] = []
    var next: UInt32 = 0
    for cluster in 0..<clusters where sizes[cluster] > 0 {
      number[cluster] = next
      next += 1
      kept.append(contentsOf: centroids[cluster * dimensions..<(cluster + 1) * dimensions])
    }
    for index in labels.indices { labels[index] = number[Int(labels[index])] }
    centroids = kept
    clusters = Int(next)
  }
}
