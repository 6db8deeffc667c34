import Kernels
import Pipeline
import Primitives

/// The features of chosen windows, counted once: what a fit reads of them, and a projection of the same windows again.
struct WindowFeatures: Sendable {
  /// Windows of a part.
  static let grain = 64

  /// The features of some windows in a row: where each window's end, then their buckets and how often each occurs.
  struct Part: Sendable {
    private(set) var ends: [Int] = []
    private(set) var buckets: [UInt32] = []
    private(set) var counts: [UInt32] = []

    /// Where the features of window `index` of the part are.
    func features(_ index: Int) -> Range<Int> { (index > 0 ? ends[index - 1] : 0)..<ends[index] }

    fileprivate mutating func append(_ counter: BucketCounter, size: Int) {
      buckets.append(contentsOf: counter.buckets[..<size])
      counts.append(contentsOf: counter.counts[..<size])
      ends.append(buckets.count)
    }
  }

  /// Of 64 windows each, the last of the rest.
  let parts: [Part]
  /// What names the windows, where they are all of a source that has a name.
  let source: String?

  /// Counts the features of windows.
  /// - Parameters:
  ///   - windows: where they are.
  ///   - chosen: their numbers, ascending.
  ///   - features: how they are counted.
  ///   - pool: where the work runs.
  ///   - progress: is told how far it is, and may stop it.
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
