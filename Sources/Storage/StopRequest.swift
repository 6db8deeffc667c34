import Foundation
import Primitives
import Synchronization

/// Lets a request to stop end a read that waits for its writer.
package enum StopRequest {
  private static let descriptor = Atomic<Int32>(-1)

  /// Reads end with `Stopped` once `descriptor` is readable, such as the end of a pipe that a signal handler writes to.
  package static func watch(_ descriptor: Int32) { self.descriptor.store(descriptor, ordering: .relaxed) }

  /// Waits until a descriptor has something to read, is at its end, or has failed.
  /// - Throws: `Stopped`.
  static func waitForInput(_ input: Int32) throws {
    let stop = descriptor.load(ordering: .relaxed)
    if stop < 0 { return }
    var both = [pollfd(fd: input, events: Int16(POLLIN), revents: 0), pollfd(fd: stop, events: Int16(POLLIN), revents: 0)]
    while poll(&both, 2, -1) < 0 {
      if errno != EINTR && errno != EAGAIN { return }
    }
    // What has arrived is read: whether to stop between two records is for others to decide.
    if both[0].revents == 0, both[1].revents != 0 { throw Stopped() }
  }

  /// Reads from a pipe, and ends with `Stopped` on a request to stop.
  package static func read(_ input: Int32, into buffer: UnsafeMutableRawBufferPointer, path: String) throws -> Int {
    try waitForInput(input)
    return try Descriptor.read(input, into: buffer, path: path)
  }
}
