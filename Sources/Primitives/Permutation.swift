/// A pseudo-random permutation of `0..<count` without a table: a four-round Feistel network over the next even power of two,
/// walked until it lands inside (Black and Rogaway 2002). O(1) memory, expected under four rounds of walking.
package struct Permutation: Sendable {
  /// The number of elements.
  package let count: Int
  @usableFromInline let half: UInt64
  @usableFromInline let mask: UInt64
  @usableFromInline let random: CounterRandom

  /// Creates the permutation `stream` of `seed` over `0..<count`.
  package init(count: Int, seed: UInt64, stream: UInt64 = 0) {
    precondition(count > 0, "an empty range has no permutation")
    self.count = count
    let bits = UInt64(max(2, Int.bitWidth - (count - 1).leadingZeroBitCount))
    half = (bits + 1) / 2
    mask = (1 << half) - 1
    random = CounterRandom(seed: seed, stream: stream)
  }

  /// Where element `index` goes.
  package subscript(index: Int) -> Int {
    precondition(index >= 0 && index < count, "out of the permutation's range")
    var value = UInt64(index)
    repeat { value = encipher(value) } while value >= UInt64(count)
    return Int(value)
  }

  /// One step of the walk from `value` to where it goes: a bijection of a power of two of at most 4 · `count` values. An element's walk ends at the
  /// first value below `count`; whoever has many to walk does a step of each in turn, for they do not wait for each other.
  @inlinable package func encipher(_ value: UInt64) -> UInt64 {
    var left = value >> half
    var right = value & mask
    for round in 0..<4 as Range<UInt64> {
      (left, right) = (right, left ^ (random.bits(round << 48 ^ right) & mask))
    }
    return left << half | right
  }
}
