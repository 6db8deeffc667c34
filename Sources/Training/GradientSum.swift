import Kernels

/// All-reduces gradients in buckets, overlapped with the backward pass (Li et al. 2006.15704 §3.2.3). The last layers finish first, so the
/// flat buffer becomes ready from its end to its beginning.
final class GradientSum {
  private let ranks: Ranks
  private let gradients: FloatBuffer
  private let bucket: Int
  private var ready: Range<Int>

  /// - Parameter gradients: the gradients of this rank, replaced by the sum over all ranks.
  init(_ ranks: Ranks, _ gradients: FloatBuffer) {
    self.ranks = ranks
    self.gradients = gradients
    bucket = max(65_536, min(2_097_152, gradients.count / 8))
    ready = gradients.count..<gradients.count
  }

  /// Accepts the next range of complete gradients; it must end where the previous one began.
  func take(_ range: Range<Int>) {
    precondition(range.upperBound == ready.lowerBound, "ranges of gradients must be consecutive")
    ready = range.lowerBound..<ready.upperBound
    while ready.count >= bucket { send(bucket) }
    if ready.lowerBound == 0 { send(ready.count) }
  }

  /// Waits for all sums.
  func wait() {
    precondition(ready.isEmpty && ready.lowerBound == 0, "wait before all gradients were taken")
    ranks.wait()
    ready = gradients.count..<gradients.count
  }

  private func send(_ count: Int) {
    let start = ready.upperBound - count
    ranks.add(gradients.base + start, count: count)
    ready = ready.lowerBound..<start
  }
}
