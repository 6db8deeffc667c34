import CXXHash

/// XXH3-128, wide enough to identify content: among 10⁹ different texts, two collide with a probability of 10⁻²¹.
package struct Checksum128: Sendable, Hashable, BitwiseCopyable {
  package var high: UInt64
  package var low: UInt64

  package init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  package init(_ bytes: UnsafeRawBufferPointer) {
    let value = XXH3_128bits(bytes.baseAddress, bytes.count)
    self.init(high: value.high64, low: value.low64)
  }

  package init(_ bytes: [UInt8]) { self = bytes.withUnsafeBytes { Checksum128($0) } }

  /// 32 hexadecimal digits.
  package var hex: String { Checksum.hex(high) + Checksum.hex(low) }
}
