import Kernels
import Pipeline

/// The features of some windows, counted once for the fit and for the projection of the same windows.
struct WindowFeatures: Sendable {
  /// Windows per part.
  static let grain = 64

  /// The features of consecutive windows: where those of each window end, their buckets, and their counts.
  struct Part: Sendable {
    private(set) var ends: [Int] = []
    private(set) var buckets: [UInt32] = []
    private(set) var counts: [UInt32] = []

    /// The range of the features of a window of the part.
    func features(_ index: Int) -> Range<Int> { (index > 0 ? ends[index - 1] : 0)..<ends[index] }

    fileprivate mutating func append(_ counter: BucketCounter, size: Int) {
      buckets.append(contentsOf: counter.buckets[..<size])
      counts.append(contentsOf: counter.counts[..<size])
      ends.append(buckets.count)
    }
  }

  /// 64 windows each, except for the last.
  let parts: [Part]
  /// Identifies the windows, if they are all windows of a reader with a known source.
  let source: String?

  /// - Parameters:
  ///   - chosen: the numbers of the windows to count, ascending.
  init(_ windows: WindowReader, chosen: [Int], features: TokenFeatures, pool: ThreadPool, progress: Progress) throws {
    let grain = Self.grain, group = 64
    var parts = [Result<Part, any Error>](repeating: .success(Part()), count: (chosen.count + grain - 1) / grain)
    for first in stride(from: 0, to: parts.count, by: group) {
      try progress.checkStop()
      progress.update(Double(first * grain), of: Double(chosen.count), unit: "windows", detail: "features")
      parts.withUnsafeMutableBufferPointer { parts in
        nonisolated(unsafe) let out = parts
        pool.run(min(group, parts.count - first)) { index in
          var counter = features.counter
          let part = first + index
          out[part] = Result {
            var result = Part()
            for window in chosen[part * grain..<min(chosen.count, (part + 1) * grain)] {
              let size = features.count(try windows.tokens(window), counter: &counter)
              result.append(counter, size: size)
            }
            return result
          }
        }
      }
    }
    self.parts = try parts.map { try $0.get() }
    source = chosen.count == windows.count ? windows.source : nil
  }
}
