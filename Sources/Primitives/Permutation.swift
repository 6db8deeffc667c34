/// A pseudo-random permutation of `0..<count` without a table: a Feistel network on the next even power of two, with cycle walking
/// (Black and Rogaway 2002): four rounds, or eight below 2¹² where the halves are small. Takes O(1) memory and, on average, fewer than four steps
/// per element.
package struct Permutation: Sendable {
  package let count: Int
  @usableFromInline let half: UInt64
  @usableFromInline let mask: UInt64
  @usableFromInline let rounds: UInt64
  @usableFromInline let random: CounterRandom

  package init(count: Int, seed: UInt64, stream: UInt64 = 0) {
    precondition(count > 0, "the range is empty")
    self.count = count
    let bits = UInt64(max(2, Int.bitWidth - (count - 1).leadingZeroBitCount))
    half = (bits + 1) / 2
    rounds = bits <= 12 ? 8 : 4
    mask = (1 << half) - 1
    random = CounterRandom(seed: seed, stream: stream)
  }

  /// The image of `index`.
  package subscript(index: Int) -> Int {
    precondition(index >= 0 && index < count, "the index is out of range")
    var value = UInt64(index)
    repeat { value = encipher(value) } while value >= UInt64(count)
    return Int(value)
  }

  /// One step of a cycle walk: a bijection on a power of two of at most 4 · `count` values. The walk ends at the first value below `count`. Steps
  /// of different walks are independent, so that a caller with many walks interleaves them.
  @inlinable package func encipher(_ value: UInt64) -> UInt64 {
    var left = value >> half
    var right = value & mask
    for round in 0..<rounds { (left, right) = (right, left ^ (random.bits(round << 48 ^ right) & mask)) }
    return left << half | right
  }

  /// The index whose image is `value`.
  package func inverse(of value: Int) -> Int {
    precondition(value >= 0 && value < count, "the value is out of range")
    var index = UInt64(value)
    repeat { index = decipher(index) } while index >= UInt64(count)
    return Int(index)
  }

  /// The inverse of `encipher`.
  private func decipher(_ value: UInt64) -> UInt64 {
    var left = value >> half
    var right = value & mask
    for round in (0..<rounds).reversed() { (left, right) = (right ^ (random.bits(round << 48 ^ left) & mask), left) }
    return left << half | right
  }
}
