import CKernels
import Kernels

/// Finds the nearest of some centroids. A vector's answer is a pure function of the vector and the centroids: it does not depend
/// on the batch it comes in, the number of threads or the instruction set.
///
/// Products of eight-bit codes with a bound of their error leave a few centroids, which are compared in single precision
/// (`weir_nearest.h`): exact, at some three times the speed of a matrix product.
final class NearestCentroids: Sendable {
  /// The number of centroids.
  let count: Int
  /// Dimensions of a centroid.
  let dimensions: Int
  /// Groups that bounds are kept for.
  let groups: Int
  /// Centroids in a group.
  let groupSize: Int
  /// |c|²/2 + bias, the same for all centroids.
  private let halfSquare: Float
  private nonisolated(unsafe) let numbers: UnsafeMutablePointer<Float>
  private nonisolated(unsafe) let pack: OpaquePointer

  /// Packs centroids.
  /// - Parameters:
  ///   - centroids: [count, dimensions] row-major.
  ///   - count: how many, at least 1.
  ///   - dimensions: of a centroid.
  ///   - spherical: whether they have length 1 and vectors are compared by direction.
  ///   - prices: [count] what is taken off a centroid's score, half a squared distance; empty = nothing.
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

  /// The nearest centroid of each row; the first one on a tie, as for a zero vector on the sphere.
  /// - Parameters:
  ///   - vectors: row-major.
  ///   - rows: the numbers of the rows.
  ///   - labels: [rows] receives the centroids' numbers.
  func nearest(_ vectors: UnsafePointer<Float>, rows: UnsafeBufferPointer<UInt32>, labels: UnsafeMutablePointer<UInt32>) {
    labels.update(repeating: 0, count: rows.count)
    withUnsafeTemporaryAllocation(of: Float.self, capacity: rows.count) { scores in
      guard let score = scores.baseAddress else { return }
      score.initialize(repeating: -.infinity, count: rows.count)
      weir_nearest(pack, vectors, rows.baseAddress, rows.count, 0, labels, score, nil, nil, nil, 0)
    }
  }

  /// Replaces labels and scores where a centroid is nearer than what they hold; see `weir_nearest`.
  func improve(
    _ vectors: UnsafePointer<Float>, rows: Int, base: Int = 0, labels: UnsafeMutablePointer<UInt32>, scores: UnsafeMutablePointer<Float>,
    bounds: UnsafeMutablePointer<Float>? = nil, drift: [Float] = [], squares: UnsafePointer<Float>? = nil
  ) {
    weir_nearest(pack, vectors, nil, rows, UInt32(base), labels, scores, bounds, drift, squares, halfSquare)
  }

  /// The scores of the centroids that vectors already have: x·c, less |c|²/2 where they are not on the sphere.
  func ownScores(
    _ vectors: UnsafePointer<Float>, rows: Int, labels: UnsafePointer<UInt32>, scores: UnsafeMutablePointer<Float>
  ) {
    weir_own_scores(vectors, rows, dimensions, numbers, numbers + count * dimensions, labels, scores)
  }
}
