import Dispatch

/// A value under a lock that is held for long. Waiting threads sleep at once; with a `Mutex` they would spin first, on a processor that the
/// work behind the lock could use.
final class SleepingLock<Value>: Sendable {
  private let free = DispatchSemaphore(value: 1)
  private nonisolated(unsafe) var value: Value  // accessed by the thread that took `free`

  init(_ value: Value) { unsafe self.value = value }

  func withLock<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result {
    free.wait()
    defer { free.signal() }
    return try unsafe body(&value)
  }
}
