import Foundation

/// A thread that runs one closure. Dispatch and Foundation wait for ever, or do nothing, where the system has no thread left; this says so.
package final class BackgroundThread {
  private final class Work {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }

  private let thread: pthread_t
  private var isJoined = false

  /// Starts the thread; nil where the system refuses one.
  package init?(_ body: @escaping @Sendable () -> Void) {
    var attributes = pthread_attr_t()
    unsafe pthread_attr_init(&attributes)
    defer { unsafe pthread_attr_destroy(&attributes) }
    unsafe pthread_attr_setstacksize(&attributes, 8 << 20)
    let work = unsafe Unmanaged.passRetained(Work(body))
    #if os(Linux)
    var thread = pthread_t()
    let status = unsafe pthread_create(&thread, &attributes, { unsafe BackgroundThread.run($0) }, work.toOpaque())
    #else
    var created: pthread_t?
    let status = unsafe pthread_create(&created, &attributes, { unsafe BackgroundThread.run($0) }, work.toOpaque())
    guard let thread = created ?? (status == 0 ? nil : pthread_self()) else { return nil }
    #endif
    guard status == 0 else {
      unsafe work.release()
      return nil
    }
    self.thread = thread
  }

  private static func run(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    if let context = unsafe context { unsafe Unmanaged<Work>.fromOpaque(context).takeRetainedValue().body() }
    return nil
  }

  /// Waits for the end of the closure.
  package func join() {
    guard !isJoined else { return }
    isJoined = true
    pthread_join(thread, nil)
  }

  deinit { join() }

  /// Runs `body` on up to `count` threads at once, of which the calling thread is one; on fewer where the system refuses more.
  package static func perform(_ count: Int, _ body: @escaping @Sendable () -> Void) {
    var others: [BackgroundThread] = []
    while others.count < count - 1, let thread = BackgroundThread(body) { others.append(thread) }
    body()
    for thread in others { thread.join() }
  }
}
