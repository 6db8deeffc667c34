/// Counter-based randomness: the n-th value of a stream is a pure function of (seed, stream, n), so that any position is
/// reached in O(1) and the order of use changes nothing.
///
/// The mixer is SplitMix64's finaliser (Steele, Lea, Flood 2014) applied twice over the key and the counter.
package struct CounterRandom: Sendable, Equatable {
  /// The stream's key.
  @usableFromInline let key: UInt64

  /// Creates the stream `stream` of `seed`.
  package init(seed: UInt64, stream: UInt64 = 0) {
    key = Self.mix(Self.mix(seed &+ 0x9E37_79B9_7F4A_7C15) ^ (stream &* 0xD1B5_4A32_D192_ED03 &+ 0x8CB9_2BA7_2F3D_8DD7))
  }

  /// 64 random bits at position `index`.
  @inlinable package func bits(_ index: UInt64) -> UInt64 {
    Self.mix(Self.mix(key &+ index &* 0x9E37_79B9_7F4A_7C15) ^ index)
  }

  /// A number in [0, 1) at position `index`, 53 bits of precision.
  @inlinable package func uniform(_ index: UInt64) -> Double { Double(bits(index) >> 11) * 0x1p-53 }

  /// A whole number in `0..<bound` at position `index` (multiply-shift; bias below 2⁻⁶⁴·bound).
  @inlinable package func integer(_ index: UInt64, below bound: Int) -> Int {
    precondition(bound > 0, "an empty range has no integer")
    return Int(bits(index).multipliedFullWidth(by: UInt64(bound)).high)
  }

  /// SplitMix64's finaliser: a bijection of 64 bits.
  @inlinable package static func mix(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

/// A generator over a `CounterRandom` stream, for the standard library's `random(in:using:)` and `shuffle(using:)`.
package struct SequentialRandom: RandomNumberGenerator, Sendable {
  private let stream: CounterRandom
  private var position: UInt64 = 0

  /// Creates a generator at the start of the stream.
  package init(seed: UInt64, stream: UInt64 = 0) { self.stream = CounterRandom(seed: seed, stream: stream) }

  /// The next 64 bits.
  package mutating func next() -> UInt64 {
    defer { position += 1 }
    return stream.bits(position)
  }

  /// A number in [0, 1).
  package mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }
}
