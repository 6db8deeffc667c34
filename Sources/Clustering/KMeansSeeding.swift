import CKernels
import Pipeline

extension KMeansRun {
  /// Points per block of running sums.
  private static let block = 1_024

  /// k-means++ (Arthur & Vassilvitskii 2007): each next centroid is a point sampled with probability proportional to the squared distance to the
  /// nearest centroid so far.
  ///
  /// Distances are updated for up to 64 new centroids at once. In between, points are sampled by the old distances and accepted with probability
  /// (distance now) / (old distance): the same distribution, at the speed of matrix products. Afterwards, labels and scores are those of the
  /// centroids. There are fewer than requested if there are not enough distinct points.
  mutating func seed(clusters wanted: Int, progress: Progress) throws {
    labels = [UInt32](repeating: 0, count: count)
    scores = [Float](repeating: -.infinity, count: count)
    let d = dimensions
    var chosen: [Int] = []
    var fresh = [min(Int(Double(count) * random.uniform()), count - 1)]
    var before: [Float] = []
    while !fresh.isEmpty {
      try progress.checkStop()
      let seeds = fresh.flatMap { Array(UnsafeBufferPointer(start: points + $0 * d, count: d)) }
      let search = NearestCentroids(seeds, count: fresh.count, dimensions: d, spherical: false)
      improve(search, base: chosen.count)
      chosen += fresh
      fresh = []
      if chosen.count >= wanted { break }
      before = (0..<count).map { max(0, squares[$0] - 2 * scores[$0]) }
      let sums = Self.runningSums(before)
      guard let total = sums.last, total > 0, total.isFinite else { break }
      // Rejections are rare as long as new centroids are few compared with the old ones.
      let most = min(64, wanted - chosen.count, max(1, chosen.count))
      var misses = 0
      while fresh.count < most && (fresh.isEmpty || misses < 4 * most) {
        let next = Self.draw(random.uniform() * total, weights: before, sums: sums)
        var now = before[next]
        for seed in fresh {
          let gap = squares[next] + squares[seed] - 2 * weir_dot(points + next * d, points + seed * d, d)
          now = min(now, max(0, gap))
        }
        if now > 0 && random.uniform() * Double(before[next]) < Double(now) { fresh.append(next) } else { misses += 1 }
      }
    }
    clusters = chosen.count
    centroids = chosen.flatMap { Array(UnsafeBufferPointer(start: points + $0 * d, count: d)) }
  }

  /// Updates labels and scores with more centroids.
  private mutating func improve(_ search: NearestCentroids, base: Int) {
    let d = dimensions
    labels.withUnsafeMutableBufferPointer { labels in
      scores.withUnsafeMutableBufferPointer { scores in
        guard let l = labels.baseAddress, let s = scores.baseAddress else { return }
        nonisolated(unsafe) let (label, score, x) = (l, s, points)
        pool.ranges(count, grain: Self.grain) { range in
          let start = range.lowerBound
          search.improve(x + start * d, rows: range.count, base: base, labels: label + start, scores: score + start)
        }
      }
    }
  }

  /// The cumulative sums of the weights at the end of each block.
  private static func runningSums(_ weights: [Float]) -> [Double] {
    var sum = 0.0
    return stride(from: 0, to: weights.count, by: block).map { start in
      for index in start..<min(weights.count, start + block) { sum += Double(weights[index]) }
      return sum
    }
  }

  /// The point whose interval of the cumulative sums contains `target`; never one of weight 0.
  private static func draw(_ target: Double, weights: [Float], sums: [Double]) -> Int {
    var (low, high) = (0, sums.count - 1)
    while low < high {
      let middle = (low + high) / 2
      if sums[middle] > target { high = middle } else { low = middle + 1 }
    }
    var sum = low > 0 ? sums[low - 1] : 0
    var last = -1
    for index in low * block..<min(weights.count, (low + 1) * block) where weights[index] > 0 {
      sum += Double(weights[index])
      last = index
      if sum > target { break }
    }
    return last >= 0 ? last : weights.indices.last { weights[$0] > 0 } ?? 0
  }
}
