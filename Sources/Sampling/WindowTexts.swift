import Kernels
import Pipeline
import Primitives
import Synchronization

/// The texts of the windows of a corpus, read on several threads.
package struct WindowTexts: Sendable {
  package let count: Int
  private let read: @Sendable (Int) throws -> [UInt8]
  /// Windows per task: fixed, so that no sum depends on the number of threads.
  private static let grain = 512

  /// - Parameter read: returns the UTF-8 text of a window; called from several threads.
  package init(count: Int, read: @escaping @Sendable (Int) throws -> [UInt8]) {
    self.count = count
    self.read = read
  }

  /// The texts of documents in memory.
  package init(_ texts: [[UInt8]]) { self.init(count: texts.count) { texts[$0] } }

  func text(_ index: Int) throws -> [UInt8] { try read(index) }

  /// Folds every run of 512 windows into one value.
  /// - Parameters:
  ///   - start: the initial value of a run.
  ///   - add: adds the text of a window to the value of its run.
  /// - Returns: the values of the runs, in order.
  /// - Throws: `Stopped`, or the error of the first window that cannot be read.
  func fold<Value: Sendable>(
    pool: ThreadPool, progress: Progress, start: Value, add: (inout Value, Int, [UInt8]) -> Void
  ) throws -> [Value] {
    let runs = (count + Self.grain - 1) / Self.grain
    let results = Mutex([Result<Value, any Error>?](repeating: nil, count: runs))
    pool.run(runs) { run in
      guard !progress.isStopping else { return }
      var value = start
      let result = Result<Value, any Error> {
        for window in run * Self.grain..<min(count, (run + 1) * Self.grain) { add(&value, window, try read(window)) }
        return value
      }
      let done = results.withLock { results in
        results[run] = result
        return results.count { $0 != nil }
      }
      progress.update(Double(done * Self.grain), of: Double(count), unit: "windows")
    }
    return try results.withLock { results in
      try results.map { result in
        guard let result else { throw Stopped() }
        return try result.get()
      }
    }
  }
}
