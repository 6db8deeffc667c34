import Kernels
import Pipeline
import Primitives
import Synchronization

/// The texts of a corpus's windows by number, read by several threads at once.
package struct WindowTexts: Sendable {
  /// The number of windows.
  package let count: Int
  private let read: @Sendable (Int) throws -> [UInt8]
  /// Windows of one task: fixed, so that no sum depends on the number of threads.
  private static let grain = 512

  /// Creates a reader.
  /// - Parameters:
  ///   - count: the number of windows.
  ///   - read: the UTF-8 text of a window; called from several threads.
  package init(count: Int, read: @escaping @Sendable (Int) throws -> [UInt8]) {
    self.count = count
    self.read = read
  }

  /// The texts of documents in memory.
  package init(_ texts: [[UInt8]]) { self.init(count: texts.count) { texts[$0] } }

  /// The text of window `index`.
  func text(_ index: Int) throws -> [UInt8] { try read(index) }

  /// Reads every window and makes one value of each run of 512 of them.
  /// - Parameters:
  ///   - pool: the threads.
  ///   - progress: told after each run; may stop the work.
  ///   - start: the value a run begins with.
  ///   - add: adds a window's text to the run's value.
  /// - Returns: the values of the runs, in the windows' order.
  /// - Throws: what reading throws, of the first window that cannot be read; `Stopped`.
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
