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

  /// Reusable space of one thread: a counter per bucket, a bit for each that counts, a bit for each word of those, all zero between windows;
  /// and what was counted last.
  package struct Scratch {
    fileprivate var counters: [UInt32]
    fileprivate var touched: [UInt64]
    fileprivate var words: [UInt64]
    /// Buckets of the last window, ascending; of them as many as `count` says.
    package fileprivate(set) var buckets: [UInt32] = []
    /// How often each of them occurs.
    package fileprivate(set) var counts: [UInt32] = []

    package init(buckets: Int) {
      counters = [UInt32](repeating: 0, count: buckets)
      touched = [UInt64](repeating: 0, count: (buckets + 63) / 64)
      words = [UInt64](repeating: 0, count: (touched.count + 63) / 64)
    }
  }

  /// The bucket of a token, or of a pair of neighbours.
  @inline(__always) private func bucket(_ key: UInt64) -> Int { Int(CounterRandom.mix(key &+ 0x9E37_79B9_7F4A_7C15) >> shift) }

  /// Counts a window's features.
  /// - Returns: how many there are at the beginning of `scratch.buckets` and `scratch.counts`.
  /// - Complexity: O(tokens + buckets / 4096).
  package func count(_ tokens: [Int32], scratch: inout Scratch) -> Int {
    // Two beyond the last may be written.
    let room = tokens.count * (bigrams ? 2 : 1) + 2
    if scratch.buckets.count < room {
      scratch.buckets = [UInt32](repeating: 0, count: 2 * room)
      scratch.counts = scratch.buckets
    }
    return scratch.counters.withUnsafeMutableBufferPointer { counters in
      scratch.touched.withUnsafeMutableBufferPointer { touched in
        scratch.words.withUnsafeMutableBufferPointer { words in
          add(tokens, counters: counters, touched: touched, words: words)
          return scratch.buckets.withUnsafeMutableBufferPointer { found in
            let count = Self.gather(touched: touched, words: words, into: found)
            scratch.counts.withUnsafeMutableBufferPointer { counts in
              for place in 0..<count {
                let bucket = Int(found[place])
                counts[place] = counters[bucket]
                counters[bucket] = 0
              }
            }
            return count
          }
        }
      }
    }
  }

  /// Bits are set again and again: whether a bucket is new is not to be foretold, and a wrong guess costs more.
  private func add(
    _ tokens: [Int32], counters: UnsafeMutableBufferPointer<UInt32>, touched: UnsafeMutableBufferPointer<UInt64>,
    words: UnsafeMutableBufferPointer<UInt64>
  ) {
    @inline(__always) func add(_ bucket: Int) {
      touched[bucket &>> 6] |= 1 &<< UInt64(bucket & 63)
      words[bucket &>> 12] |= 1 &<< UInt64(bucket &>> 6 & 63)
      counters[bucket] &+= 1
    }
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

  /// The numbers of the bits that are set, in order; they are cleared. A word rarely has more than two, and those are written without asking.
  private static func gather(
    touched: UnsafeMutableBufferPointer<UInt64>, words: UnsafeMutableBufferPointer<UInt64>, into found: UnsafeMutableBufferPointer<UInt32>
  ) -> Int {
    var count = 0
    for block in 0..<words.count {
      var rest = words[block]
      words[block] = 0
      while rest != 0 {
        let word = block &<< 6 &+ rest.trailingZeroBitCount
        rest &= rest &- 1
        var bits = touched[word]
        touched[word] = 0
        let first = UInt32(truncatingIfNeeded: word &<< 6)
        found[count] = first &+ UInt32(truncatingIfNeeded: bits.trailingZeroBitCount)
        bits &= bits &- 1
        found[count &+ 1] = first &+ UInt32(truncatingIfNeeded: bits.trailingZeroBitCount)
        count &+= bits != 0 ? 2 : 1
        bits &= bits &- 1
        while bits != 0 {
          found[count] = first &+ UInt32(truncatingIfNeeded: bits.trailingZeroBitCount)
          count &+= 1
          bits &= bits &- 1
        }
      }
    }
    return count
  }
}
