/// A counter-based RNG: the value at position n of a stream is a pure function of (seed, stream, n), so that every position costs O(1) and the
/// order of use does not matter.
///
/// The SplitMix64 finalizer (Steele, Lea and Flood 2014) is applied twice to the key and the counter.
package struct CounterRandom: Sendable, Equatable {
  @usableFromInline let key: UInt64

  package init(seed: UInt64, stream: UInt64 = 0) {
    key = Self.mix(Self.mix(seed &+ 0x9E37_79B9_7F4A_7C15) ^ (stream &* 0xD1B5_4A32_D192_ED03 &+ 0x8CB9_2BA7_2F3D_8DD7))
  }

  /// 64 random bits at position `index`.
  @inlinable package func bits(_ index: UInt64) -> UInt64 { Self.mix(Self.mix(key &+ index &* 0x9E37_79B9_7F4A_7C15) ^ index) }

  /// A number in [0, 1) at position `index`, with 53 random bits.
  @inlinable package func uniform(_ index: UInt64) -> Double { Double(bits(index) >> 11) * 0x1p-53 }

  /// An integer in `0..<bound` at position `index` (multiply-shift; bias below 2⁻⁶⁴·bound).
  @inlinable package func integer(_ index: UInt64, below bound: Int) -> Int {
    precondition(bound > 0, "the bound is not positive")
    return Int(bits(index).multipliedFullWidth(by: UInt64(bound)).high)
  }

  /// The SplitMix64 finalizer: a bijection of 64 bits.
  @inlinable @inline(__always) package static func mix(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

/// A `CounterRandom` stream read in order.
package struct SequentialRandom: RandomNumberGenerator, Sendable {
  private let stream: CounterRandom
  private var position: UInt64 = 0

  package init(seed: UInt64, stream: UInt64 = 0) { self.stream = CounterRandom(seed: seed, stream: stream) }

  package mutating func next() -> UInt64 {
    defer { position += 1 }
    return stream.bits(position)
  }

  /// A number in [0, 1), with 53 random bits.
  package mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }
}
