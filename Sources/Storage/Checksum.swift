import CXXHash
import Foundation

/// XXH3-64, the checksum of everything we write.
package enum Checksum {
  /// The checksum of an array.
  package static func xxh3(_ bytes: [UInt8]) -> UInt64 { bytes.withUnsafeBytes { xxh3($0) } }

  /// The checksum of a buffer.
  package static func xxh3(_ bytes: UnsafeRawBufferPointer) -> UInt64 { XXH3_64bits(bytes.baseAddress, bytes.count) }

  /// The checksum of a file, read in pieces of 1 MiB.
  package static func xxh3(file path: String) throws -> UInt64 { try file(path).checksum }

  /// The size and the checksum of a file, read in pieces of 1 MiB.
  static func file(_ path: String) throws -> (bytes: Int, checksum: UInt64) {
    let descriptor = try Descriptor.openForReading(path)
    defer { close(descriptor) }
    let stream = ChecksumStream()
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
    defer { buffer.deallocate() }
    while true {
      let count = try Descriptor.read(descriptor, into: buffer, path: path)
      if count == 0 { return (stream.count, stream.value) }
      stream.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }
  }

  /// XXH3-128 of a buffer in 32 hexadecimal digits, for names made from content.
  package static func hex128(_ bytes: UnsafeRawBufferPointer) -> String {
    let value = XXH3_128bits(bytes.baseAddress, bytes.count)
    return hex(value.high64) + hex(value.low64)
  }

  /// 16 hexadecimal digits.
  package static func hex(_ value: UInt64) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}

/// XXH3-64 over bytes that come in pieces; the pieces' borders do not matter.
package final class ChecksumStream {
  private let state: OpaquePointer

  /// The number of bytes so far.
  package private(set) var count = 0

  /// Creates the checksum of nothing.
  package init() {
    guard let state = XXH3_createState() else { preconditionFailure("no memory for 576 bytes") }
    self.state = state
    XXH3_64bits_reset(state)
  }

  deinit { XXH3_freeState(state) }

  /// Adds bytes.
  package func update(_ bytes: UnsafeRawBufferPointer) {
    guard bytes.count > 0 else { return }
    XXH3_64bits_update(state, bytes.baseAddress, bytes.count)
    count += bytes.count
  }

  /// The checksum of the bytes so far.
  package var value: UInt64 { XXH3_64bits_digest(state) }

  /// Begins again.
  package func reset() {
    XXH3_64bits_reset(state)
    count = 0
  }
}
