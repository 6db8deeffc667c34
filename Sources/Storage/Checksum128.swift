import CXXHash

/// XXH3-128 of some bytes, wide enough to stand for them: among 10⁹ texts two different ones agree with probability 10⁻²¹.
package struct Checksum128: Sendable, Hashable, BitwiseCopyable {
  /// The upper 64 bits.
  package var high: UInt64
  /// The lower 64 bits.
  package var low: UInt64

  /// Creates a checksum of its halves.
  package init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// The checksum of a buffer.
  package init(_ bytes: UnsafeRawBufferPointer) {
    let value = XXH3_128bits(bytes.baseAddress, bytes.count)
    self.init(high: value.high64, low: value.low64)
  }

  /// The checksum of an array.
  package init(_ bytes: [UInt8]) { self = bytes.withUnsafeBytes { Checksum128($0) } }
}
