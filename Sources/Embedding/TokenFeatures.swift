import Primitives

/// Hashed unigrams and bigrams of the token ids of a window.
package struct TokenFeatures: Sendable {
  /// The number of buckets, a power of two.
  package let buckets: Int
  /// Whether bigrams are features too.
  package let bigrams: Bool
  private let shift: UInt64

  package init(buckets: Int, bigrams: Bool) {
    precondition(buckets >= 2 && buckets & (buckets - 1) == 0, "the number of buckets is a power of two")
    self.buckets = buckets
    self.bigrams = bigrams
    shift = UInt64(64 - buckets.trailingZeroBitCount)
  }

  /// The bucket of a unigram or bigram.
  @inline(__always) private func bucket(_ key: UInt64) -> Int { Int(CounterRandom.mix(key &+ 0x9E37_79B9_7F4A_7C15) >> shift) }

  /// A counter for one thread.
  package var counter: BucketCounter { BucketCounter(limit: buckets) }

  /// Counts the features of a window.
  /// - Returns: the number of valid elements in `counter.buckets` and `counter.counts`.
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
