import Foundation
import Primitives

/// A read-only memory-mapped file. An empty file is an empty buffer.
package final class MappedFile: Sendable {
  private nonisolated(unsafe) let base: UnsafeMutableRawPointer?

  package let count: Int
  package let path: String

  /// - Throws: `WeirError` where the file cannot be opened or is not a regular file.
  package init(_ path: String) throws {
    let descriptor = try Descriptor.openRegular(path)
    defer { close(descriptor) }
    var status = stat()
    if fstat(descriptor, &status) != 0 { throw systemError(path, errno) }
    self.path = path
    count = Int(status.st_size)
    if count == 0 {
      base = nil
      return
    }
    let address = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0)
    if address == MAP_FAILED { throw systemError(path, errno) }
    base = address
  }

  deinit { if let base { munmap(base, count) } }

  /// Calls `body` with the bytes, which are valid during the call.
  package func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    try body(UnsafeRawBufferPointer(start: base, count: count))
  }

  /// Little-endian unsigned integers of `width` bytes, 2 or 4, from the byte `start` on.
  package func integers(at start: Int, width: Int, count: Int) -> [UInt32] {
    withBytes { bytes in
      let elements = UnsafeRawBufferPointer(rebasing: bytes[start...])
      return (0..<count).map { elements.element($0, width: width) }
    }
  }
}
