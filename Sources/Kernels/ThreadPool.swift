import CKernels

/// A persistent thread pool for data-parallel loops. The shape of the data, never the number of threads, determines the tasks, so that results do
/// not depend on the number of threads.
package final class ThreadPool: Sendable {
  private nonisolated(unsafe) let pool: OpaquePointer

  /// The number of threads, including the calling thread.
  package let threads: Int

  package init(threads: Int) {
    pool = weir_pool_create(Int32(max(1, threads)))!
    self.threads = Int(weir_pool_threads(pool))
  }

  deinit { weir_pool_destroy(pool) }

  /// Runs `body(0)` … `body(tasks - 1)` in any order and returns when all are done. Not reentrant; one caller at a time.
  package func run(_ tasks: Int, _ body: (Int) -> Void) {
    guard tasks > 1, threads > 1 else {
      for index in 0..<tasks { body(index) }
      return
    }
    withoutActuallyEscaping(body) { escaping in
      var box = escaping
      withUnsafeMutablePointer(to: &box) { context in
        weir_pool_run(pool, tasks, { context, index in context!.assumingMemoryBound(to: ((Int) -> Void).self).pointee(index) }, context)
      }
    }
  }

  /// Runs `body` on `0..<count` in ranges of `grain`; the last one can be shorter.
  package func ranges(_ count: Int, grain: Int, _ body: (Range<Int>) -> Void) {
    let grain = max(1, grain)
    run((count + grain - 1) / grain) { task in body(task * grain..<min(count, (task + 1) * grain)) }
  }
}
