import Pipeline
import Synchronization

/// The results of `body` for 0..<count in order, computed on several threads; the first error in that order is thrown.
func parallelMap<T: Sendable>(_ count: Int, threads: Int, _ body: @Sendable (Int) throws -> T) throws -> [T] {
  guard threads > 1, count > 1 else { return try (0..<count).map(body) }
  let results = Mutex<[Result<T, any Error>?]>(Array(repeating: nil, count: count))
  let next = Atomic(0)
  withoutActuallyEscaping(body) { body in
    BackgroundThread.perform(min(threads, count)) {
      while true {
        let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard index < count else { return }
        let result = Result { try body(index) }
        results.withLock { $0[index] = result }
      }
    }
  }
  return try results.withLock { $0 }.compactMap { try $0?.get() }
}
