import Pipeline
import Synchronization
import Testing

@Test func aThreadRunsItsClosureOnce() {
  let count = Mutex(0)
  for _ in 0..<50 {
    let thread = BackgroundThread { count.withLock { $0 += 1 } }
    #expect(thread != nil)
    thread?.join()
    thread?.join()
  }
  #expect(count.withLock { $0 } == 50)
}
