import Primitives

/// Hashed n-grams of token ids: unigrams and bigrams of a window fall into a fixed number of buckets.
package struct TokenFeatures: Sendable {
  /// The number of buckets, a power of two.
  package let buckets: Int
  /// Whether pairs of neighbouring tokens count too.
  package let bigrams: Bool
  private let shift: UInt64

  package init(buckets: Int, bigrams: Bool) {
    precondition(buckets >= 2 && buckets & (buckets - 1) == 0, "the number of buckets is a power of two")
    self.buckets = buckets
    self.bigrams = bigrams
    shift = UInt64(64 - buckets.trailingZeroBitCount)
  }

  /// The bucket of a token, or of a pair of neighbours.
  @inline(__always) private func bucket(_ key: UInt64) -> Int { Int(CounterRandom.mix(key &+ 0x9E37_79B9_7F4A_7C15) >> shift) }

  /// A counter of a thread's own.
  package var counter: BucketCounter { BucketCounter(limit: buckets) }

  /// Counts a window's features.
  /// - Returns: how many there are at the beginning of `counter.buckets` and `counter.counts`.
  /// - Complexity: O(tokens + buckets / 4096).
  package func count(_ tokens: [Int32], counter: inout BucketCounter) -> Int {
    counter.take(most: tokens.count * (bigrams ? 2 : 1)) { add in
      tokens.withUnsafeBufferPointer { tokens in
        var previous: UInt64 = 0
        for position in 0..<tokens.count {
          let id = UInt64(UInt32(bitPattern: tokens[position]))
          add(bucket(id))
          if bigrams && position > 0 { add(bucket(((previous &+ 1) << 32) | id)) }
          previous = id
        }
      }
    }
  }
}
