import Dispatch
import Synchronization

/// What `Channel.send` throws after the receiver has canceled.
package struct ChannelCanceled: Error {
  package init() {}
}

/// Hands batches from one thread to another, in order, with at most `capacity` in flight. The sender may finish with an error, which the
/// receiver then throws; the receiver may cancel, which makes the sender throw.
package final class Channel<Element: Sendable>: Sendable {
  private struct State {
    var items: [Element] = []
    var failure: (any Error)?
    var isCanceled = false
  }

  private let state = Mutex(State())
  private let spaces = DispatchSemaphore(value: 0)
  private let arrivals = DispatchSemaphore(value: 0)

  package init(capacity: Int) {
    for _ in 0..<max(1, capacity) { spaces.signal() }
  }

  /// Sends one batch; waits while the channel is full.
  package func send(_ element: Element) throws {
    spaces.wait()
    let canceled = state.withLock { state in
      if !state.isCanceled { state.items.append(element) }
      return state.isCanceled
    }
    if canceled {
      spaces.signal()
      throw ChannelCanceled()
    }
    arrivals.signal()
  }

  /// The next batch; nil after the sender finished.
  /// - Throws: the sender's error.
  package func receive() throws -> Element? {
    arrivals.wait()
    let (element, failure) = state.withLock { state -> (Element?, (any Error)?) in
      if !state.items.isEmpty { return (state.items.removeFirst(), nil) }
      return (nil, state.failure)
    }
    if let element {
      spaces.signal()
      return element
    }
    arrivals.signal()
    if let failure { throw failure }
    return nil
  }

  /// Ends the channel for the receiver, with an error where the sender failed.
  package func finish(_ failure: (any Error)? = nil) {
    state.withLock { $0.failure = failure }
    arrivals.signal()
  }

  /// Ends the channel for the sender.
  package func cancel() {
    state.withLock { state in
      state.isCanceled = true
      state.items = []
    }
    spaces.signal()
  }
}
