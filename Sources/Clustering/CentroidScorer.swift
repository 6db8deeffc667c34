import CKernels
import Kernels

/// The nearest of a few centroids. A vector's answer is a pure function of the vector and the centroids: it does not depend
/// on the batch it comes in, the number of threads or the instruction set.
struct CentroidScorer: Sendable {
  let count: Int
  let dimensions: Int
  /// [dimensions, count]
  private let transposed: [Float]
  /// [count] −|c|²/2, or 0 on the sphere.
  private let bias: [Float]

  init(centroids: [Float], count: Int, dimensions: Int, spherical: Bool) {
    self.count = count
    self.dimensions = dimensions
    var transposed = [Float](repeating: 0, count: count * dimensions)
    var bias = [Float](repeating: 0, count: count)
    for cluster in 0..<count {
      var square = 0.0
      for j in 0..<dimensions {
        let value = centroids[cluster * dimensions + j]
        transposed[j * count + cluster] = value
        square += Double(value) * Double(value)
      }
      if !spherical { bias[cluster] = Float(-square / 2) }
    }
    self.transposed = transposed
    self.bias = bias
  }

  /// The nearest centroid of each row; the first one on a tie, as for a zero vector on the sphere.
  func nearest(_ vectors: UnsafePointer<Float>, rows: Int, labels: UnsafeMutablePointer<UInt32>, pool: ThreadPool?) {
    nonisolated(unsafe) let (x, out) = (vectors, labels)
    let one = { (range: Range<Int>) in
      var scores = [Float](repeating: 0, count: range.count * count)
      weir_scores(x + range.lowerBound * dimensions, range.count, dimensions, transposed, count, &scores)
      weir_argmax(scores, range.count, count, bias, out + range.lowerBound, nil)
    }
    let grain = 256
    if let pool {
      pool.ranges(rows, grain: grain, one)
    } else {
      for start in stride(from: 0, to: rows, by: grain) { one(start..<min(rows, start + grain)) }
    }
  }
}
