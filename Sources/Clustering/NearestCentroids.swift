import CKernels

/// Finds the nearest centroid of vectors. The result for a vector depends on the vector and the centroids alone, not on the batch, the number of
/// threads or the instruction set.
///
/// 8-bit products with an error bound narrow the centroids down to a few candidates, which are compared in single precision
/// (`weir_nearest.h`): exact, at about three times the speed of a matrix product.
final class NearestCentroids: Sendable {
  let count: Int
  let dimensions: Int
  /// Groups of centroids that share a bound.
  let groups: Int
  /// Centroids per group.
  let groupSize: Int
  /// |c|²/2 + bias, the same for all centroids.
  private let halfSquare: Float
  private nonisolated(unsafe) let numbers: UnsafeMutablePointer<Float>
  private nonisolated(unsafe) let pack: OpaquePointer

  /// - Parameters:
  ///   - centroids: [count, dimensions] row-major.
  ///   - count: at least 1.
  ///   - spherical: whether centroids have length 1 and vectors are compared by cosine.
  ///   - prices: [count] penalties on the scores, in units of half a squared distance; empty for none.
  init(_ centroids: UnsafePointer<Float>, count: Int, dimensions: Int, spherical: Bool, prices: [Float] = []) {
    precondition(count > 0 && dimensions > 0, "centroids of a dimension")
    self.count = count
    self.dimensions = dimensions
    halfSquare = spherical ? 0.5 : 0
    numbers = .allocate(capacity: count * dimensions + count)
    numbers.initialize(from: centroids, count: count * dimensions)
    let bias = numbers + count * dimensions
    bias.initialize(repeating: 0, count: count)
    if !spherical {
      weir_squares(numbers, count, dimensions, bias)
      for index in 0..<count { bias[index] *= -0.5 }
    }
    for (index, price) in prices.enumerated() { bias[index] -= price }
    guard let pack = weir_centroids_pack(numbers, bias, count, dimensions, 3) else { preconditionFailure("out of memory") }
    self.pack = pack
    groups = weir_centroid_groups(pack)
    groupSize = weir_centroid_group_size(pack)
  }

  deinit {
    weir_centroids_free(pack)
    numbers.deallocate()
  }

  /// The nearest centroid of each row; the first one on a tie, such as for a zero vector with spherical centroids.
  /// - Parameters:
  ///   - vectors: row-major.
  ///   - rows: row numbers.
  ///   - labels: [rows] receives centroid numbers.
  func nearest(_ vectors: UnsafePointer<Float>, rows: UnsafeBufferPointer<UInt32>, labels: UnsafeMutablePointer<UInt32>) {
    labels.update(repeating: 0, count: rows.count)
    withUnsafeTemporaryAllocation(of: Float.self, capacity: rows.count) { scores in
      guard let score = scores.baseAddress else { return }
      score.initialize(repeating: -.infinity, count: rows.count)
      weir_nearest(pack, vectors, rows.baseAddress, rows.count, 0, labels, score, nil, nil, nil, 0)
    }
  }

  /// Updates labels and scores of vectors that have a nearer centroid here; see `weir_nearest`.
  func improve(
    _ vectors: UnsafePointer<Float>, rows: Int, base: Int = 0, labels: UnsafeMutablePointer<UInt32>, scores: UnsafeMutablePointer<Float>,
    bounds: UnsafeMutablePointer<Float>? = nil, drift: [Float] = [], squares: UnsafePointer<Float>? = nil
  ) {
    weir_nearest(pack, vectors, nil, rows, UInt32(base), labels, scores, bounds, drift, squares, halfSquare)
  }

  /// The scores of the centroids that vectors are labeled with: x·c, minus |c|²/2 unless spherical.
  func ownScores(_ vectors: UnsafePointer<Float>, rows: Int, labels: UnsafePointer<UInt32>, scores: UnsafeMutablePointer<Float>) {
    weir_own_scores(vectors, rows, dimensions, numbers, numbers + count * dimensions, labels, scores)
  }
}
