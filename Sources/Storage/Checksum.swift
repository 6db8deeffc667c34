import CXXHash
import Foundation

/// XXH3-64, the checksum in all formats of weir.
package enum Checksum {
  package static func xxh3(_ bytes: [UInt8]) -> UInt64 { bytes.withUnsafeBytes { xxh3($0) } }

  package static func xxh3(_ bytes: UnsafeRawBufferPointer) -> UInt64 { XXH3_64bits(bytes.baseAddress, bytes.count) }

  package static func hex(file path: String) throws -> String { try file(path).checksum }

  /// The size of a regular file, and its checksum in hexadecimal.
  /// - Parameter each: called with the content, piece by piece.
  package static func file(
    _ path: String, each: (UnsafeRawBufferPointer) -> Void = { _ in }
  ) throws -> (bytes: Int, checksum: String) {
    let descriptor = try Descriptor.openRegular(path)
    defer { close(descriptor) }
    let stream = ChecksumStream()
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
    defer { buffer.deallocate() }
    while true {
      let count = try Descriptor.read(descriptor, into: buffer, path: path)
      if count == 0 { return (stream.count, hex(stream.value)) }
      let piece = UnsafeRawBufferPointer(rebasing: buffer[..<count])
      stream.update(piece)
      each(piece)
    }
  }

  /// A checksum as 16 hexadecimal digits.
  package static func hex(_ value: UInt64) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}

/// Incremental XXH3-64.
package final class ChecksumStream {
  private let state: OpaquePointer

  /// The number of bytes added.
  package private(set) var count = 0

  package init() {
    guard let state = XXH3_createState() else { preconditionFailure("no memory for 576 bytes") }
    self.state = state
    XXH3_64bits_reset(state)
  }

  deinit { XXH3_freeState(state) }

  package func update(_ bytes: UnsafeRawBufferPointer) {
    guard bytes.count > 0 else { return }
    XXH3_64bits_update(state, bytes.baseAddress, bytes.count)
    count += bytes.count
  }

  /// The checksum of the bytes added.
  package var value: UInt64 { XXH3_64bits_digest(state) }

  /// Discards all bytes added.
  package func reset() {
    XXH3_64bits_reset(state)
    count = 0
  }
}
