import Dispatch

/// A value under a lock that is held for long: who waits for it sleeps at once. A `Mutex` spins first, here and in the kernel, on the processor
/// that the work behind the lock could have.
final class SleepingLock<Value>: Sendable {
  private let free = DispatchSemaphore(value: 1)
  private nonisolated(unsafe) var value: Value  // by whoever took `free`

  init(_ value: Value) { unsafe self.value = value }

  func withLock<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result {
    free.wait()
    defer { free.signal() }
    return try unsafe body(&value)
  }
}
