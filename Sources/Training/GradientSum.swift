import Kernels

/// Adds up the gradients of the ranks in buckets while the backward pass goes on below: layers end from the top, so consecutive ranges of
/// the flat buffer become ready from its end to its beginning (Li et al. 2006.15704 §3.2.3).
final class GradientSum {
  private let ranks: Ranks
  private let gradients: FloatBuffer
  private let bucket: Int
  private var ready: Range<Int>

  /// - Parameters:
  ///   - ranks: the ranks.
  ///   - gradients: each rank's own, then everybody's.
  init(_ ranks: Ranks, _ gradients: FloatBuffer) {
    self.ranks = ranks
    self.gradients = gradients
    bucket = max(65_536, min(2_097_152, gradients.count / 8))
    ready = gradients.count..<gradients.count
  }

  /// Takes a range that ends where the one before began, and that nobody changes any more.
  func take(_ range: Range<Int>) {
    precondition(range.upperBound == ready.lowerBound, "gradients that do not follow one another")
    ready = range.lowerBound..<ready.upperBound
    while ready.count >= bucket { send(bucket) }
    if ready.lowerBound == 0 { send(ready.count) }
  }

  /// Returns when all sums are there.
  func wait() {
    precondition(ready.isEmpty && ready.lowerBound == 0, "gradients that were not taken")
    ranks.wait()
    ready = gradients.count..<gradients.count
  }

  private func send(_ count: Int) {
    let start = ready.upperBound - count
    ranks.add(gradients.base + start, count: count)
    ready = ready.lowerBound..<start
  }
}
