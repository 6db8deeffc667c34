import CKernels
import Kernels
import Pipeline
import Primitives

import func Foundation.log

/// The state of one run of k-means.
struct KMeansRun {
  let points: UnsafePointer<Float>
  let count: Int
  let dimensions: Int
  let spherical: Bool
  let pool: ThreadPool
  var random: SequentialRandom
  /// [count] |x|².
  let squares: [Float]

  var clusters = 0
  var centroids: [Float] = []
  var labels: [UInt32] = []
  /// [count] x·c with the assigned centroid, minus |c|²/2 for Euclidean k-means.
  var scores: [Float] = []
  var objective = Double.infinity
  var history: [Double] = []
  private var sizes: [Int] = []
  /// [count, groups] lower bounds of the distances to the other centroids of each group; empty before the first assignment.
  private var bounds: [Float] = []
  /// [clusters] the distance that each centroid moved since the last assignment.
  private var drift: [Float] = []
  /// [clusters] penalties on the scores of large clusters; empty if clusters are not balanced.
  private var prices: [Float] = []

  init(points: UnsafePointer<Float>, count: Int, dimensions: Int, spherical: Bool, pool: ThreadPool, random: SequentialRandom) {
    self.points = points
    self.count = count
    self.dimensions = dimensions
    self.spherical = spherical
    self.pool = pool
    self.random = random
    squares = [Float](unsafeUninitializedCapacity: count) { buffer, filled in
      if let base = buffer.baseAddress {
        nonisolated(unsafe) let (out, x) = (base, points)
        pool.ranges(count, grain: Self.grain) { range in
          weir_squares(x + range.lowerBound * dimensions, range.count, dimensions, out + range.lowerBound)
        }
      }
      filled = count
    }
  }

  /// Points per range; the sums of ranges are added in order.
  static let grain = 1_536

  /// Lloyd's iterations, until no label changes, the objective converges or the limit is reached.
  mutating func iterate(_ configuration: KMeans.Configuration, progress: Progress) throws {
    if spherical { for cluster in 0..<clusters { normalize(cluster) } }
    if configuration.balanced { prices = [Float](repeating: 0, count: clusters) }
    for iteration in 0...max(0, configuration.iterations) {
      try progress.checkStop()
      let changed = assign()
      history.append(objective)
      let previous = history.count > 1 ? history[history.count - 2] : .infinity
      // The last pass only assigns, so that labels and objective match the centroids that are returned.
      if iteration == configuration.iterations || (iteration > 0 && !changed && !sizes.contains(0)) { break }
      if iteration > 0 && !sizes.contains(0) && prices.isEmpty && previous - objective <= configuration.tolerance * previous.magnitude {
        break
      }
      raisePrices()
      move()
    }
  }

  /// Raises the prices of clusters with more than an equal part of the points and lowers the others, by a tenth of the mean squared distance per
  /// e-fold: an auction instead of the linear program of balanced assignment (c-BTM, arXiv 2303.14177, balances too).
  private mutating func raisePrices() {
    let step = 0.05 * objective / Double(count)
    for cluster in prices.indices {
      let share = Double(max(1, sizes[cluster]) * clusters) / Double(count)
      prices[cluster] += Float(step * log(share))
    }
    let least = prices.min() ?? 0
    for cluster in prices.indices { prices[cluster] -= least }
  }

  /// Labels every point with its nearest centroid, and sets scores, sizes and objective. Centroids that cannot be nearest by the triangle inequality
  /// are skipped.
  /// - Returns: whether a label changed.
  private mutating func assign() -> Bool {
    let d = dimensions
    let search = NearestCentroids(centroids, count: clusters, dimensions: d, spherical: spherical, prices: prices)
    let (groups, size) = (search.groups, search.groupSize)
    if bounds.isEmpty {
      bounds = [Float](repeating: 0, count: count * groups)
      drift = [Float](repeating: 0, count: clusters)
    }
    // Rounded so that bounds may be too low, but never too high.
    let moved = (0..<groups).map { group in (drift[group * size..<min(clusters, (group + 1) * size)].max() ?? 0) * 1.000001 }
    let parts = (count + Self.grain - 1) / Self.grain
    var partial = [Double](repeating: 0, count: parts)
    var changes = [Bool](repeating: false, count: parts)
    let half = spherical ? 0.5 : 0.0
    partial.withUnsafeMutableBufferPointer { partial in
      changes.withUnsafeMutableBufferPointer { changes in
        labels.withUnsafeMutableBufferPointer { labels in
          scores.withUnsafeMutableBufferPointer { scores in
            bounds.withUnsafeMutableBufferPointer { bounds in
              squares.withUnsafeBufferPointer { squares in
                guard let l = labels.baseAddress, let s = scores.baseAddress, let b = bounds.baseAddress, let q = squares.baseAddress
                else { return }
                nonisolated(unsafe) let (label, score, bound, square, x) = (l, s, b, q, points)
                nonisolated(unsafe) let (sums, flags) = (partial, changes)
                pool.ranges(count, grain: Self.grain) { range in
                  let (start, rows, part) = (range.lowerBound, range.count, range.lowerBound / Self.grain)
                  let before = Array(UnsafeBufferPointer(start: label + start, count: rows))
                  search.ownScores(x + start * d, rows: rows, labels: label + start, scores: score + start)
                  search.improve(
                    x + start * d, rows: rows, labels: label + start, scores: score + start,
                    bounds: prices.isEmpty ? bound + start * groups : nil, drift: moved, squares: square + start)
                  var sum = 0.0
                  for row in start..<start + rows {
                    // |x − c|² = |x|² − 2(x·c − |c|²/2), with |c| = 1 for spherical k-means.
                    if !prices.isEmpty { score[row] += prices[Int(label[row])] }
                    sum += max(0, Double(square[row]) + 2 * (half - Double(score[row])))
                    if label[row] != before[row - start] { flags[part] = true }
                  }
                  sums[part] = sum
                }
              }
            }
          }
        }
      }
    }
    objective = partial.reduce(0, +)
    sizes = [Int](repeating: 0, count: clusters)
    for label in labels { sizes[Int(label)] += 1 }
    return changes.contains(true)
  }

  /// The squared distance of a point to its centroid.
  private func distance(_ index: Int) -> Float { max(0, squares[index] + 2 * ((spherical ? 0.5 : 0) - scores[index])) }

  /// Sets centroids to the means; an empty cluster moves to the point with the largest distance to its centroid.
  private mutating func move() {
    let d = dimensions
    let before = centroids
    let sums = clusterSums()
    for cluster in 0..<clusters where sizes[cluster] > 0 {
      for j in 0..<d { centroids[cluster * d + j] = Float(sums[cluster * d + j] / Double(sizes[cluster])) }
      if spherical { normalize(cluster) }
    }
    for cluster in 0..<clusters where sizes[cluster] == 0 {
      var worst = -1
      var most: Float = 0
      for index in 0..<count where sizes[Int(labels[index])] > 1 && distance(index) > most { (worst, most) = (index, distance(index)) }
      guard worst >= 0 else { continue }
      for j in 0..<d { centroids[cluster * d + j] = points[worst * d + j] }
      if spherical { normalize(cluster) }
      sizes[Int(labels[worst])] -= 1
      sizes[cluster] = 1
      labels[worst] = UInt32(cluster)
      scores[worst] = .infinity
      // Its bounds exclude a different centroid now.
      let groups = bounds.count / count
      for group in 0..<groups { bounds[worst * groups + group] = 0 }
    }
    for cluster in 0..<clusters {
      var square = 0.0
      for j in cluster * d..<(cluster + 1) * d {
        let gap = Double(centroids[j]) - Double(before[j])
        square += gap * gap
      }
      drift[cluster] = Float(square.squareRoot())
    }
  }

  /// [clusters, dimensions] the sum of each cluster's points, in order, in blocks of at most 2,048 points.
  private func clusterSums() -> [Double] {
    var offsets = [Int](repeating: 0, count: clusters + 1)
    for cluster in 0..<clusters { offsets[cluster + 1] = offsets[cluster] + sizes[cluster] }
    var next = offsets
    var order = [UInt32](repeating: 0, count: count)
    for index in 0..<count {
      let label = Int(labels[index])
      order[next[label]] = UInt32(index)
      next[label] += 1
    }
    var pieces: [(cluster: Int, range: Range<Int>)] = []
    for cluster in 0..<clusters {
      for start in stride(from: offsets[cluster], to: offsets[cluster + 1], by: 2_048) {
        pieces.append((cluster, start..<min(offsets[cluster + 1], start + 2_048)))
      }
    }
    let d = dimensions
    let partial = Self.sums(points, dimensions: d, order: order, pieces: pieces.map(\.range), pool: pool)
    var sums = [Double](repeating: 0, count: clusters * d)
    for (piece, entry) in pieces.enumerated() {
      for j in 0..<d { sums[entry.cluster * d + j] += partial[piece * d + j] }
    }
    return sums
  }

  /// [blocks, dimensions] the sums of the points in each block of `order`.
  static func sums(_ points: UnsafePointer<Float>, dimensions: Int, order: [UInt32], pieces: [Range<Int>], pool: ThreadPool) -> [Double] {
    var sums = [Double](repeating: 0, count: pieces.count * dimensions)
    sums.withUnsafeMutableBufferPointer { sums in
      order.withUnsafeBufferPointer { order in
        guard let s = sums.baseAddress, let o = order.baseAddress else { return }
        nonisolated(unsafe) let (out, index, x) = (s, o, points)
        pool.run(pieces.count) { piece in
          weir_sum_indexed(x, dimensions, index + pieces[piece].lowerBound, pieces[piece].count, out + piece * dimensions)
        }
      }
    }
    return sums
  }

  private mutating func normalize(_ cluster: Int) {
    centroids.withUnsafeMutableBufferPointer { centroids in
      guard let base = centroids.baseAddress else { return }
      _ = weir_normalize(base + cluster * dimensions, dimensions)
    }
  }

  /// Removes clusters without points; the others keep their order.
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
