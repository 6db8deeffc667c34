import CXXHash

/// XXH3-128 of some bytes, wide enough to stand for them: among 10⁹ texts two different ones agree with probability 10⁻²¹.
public struct Checksum128: Sendable, Hashable, BitwiseCopyable {
  /// The upper 64 bits.
  public var high: UInt64
  /// The lower 64 bits.
  public var low: UInt64

  /// Creates a checksum of its halves.
  public init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// The checksum of a buffer.
  public init(_ bytes: UnsafeRawBufferPointer) {
    let value = XXH3_128bits(bytes.baseAddress, bytes.count)
    self.init(high: value.high64, low: value.low64)
  }

  /// The checksum of an array.
  public init(_ bytes: [UInt8]) { self = bytes.withUnsafeBytes { Checksum128($0) } }
}
