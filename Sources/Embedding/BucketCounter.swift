/// Counts how often numbers below a limit occur, for many short lists. A bitmap marks the numbers that occur, so that the counts need neither be
/// searched nor cleared as a whole.
package struct BucketCounter {
  /// One counter per number, one bit per counter, one bit per word of those bits. All are zero between takes.
  private var counters: [UInt32]
  private var touched: [UInt64]
  private var words: [UInt64]
  /// The numbers of the last take, ascending; valid up to the count that it returned.
  package private(set) var buckets: [UInt32] = []
  /// How often each of `buckets` occurs.
  package private(set) var counts: [UInt32] = []

  /// Creates a counter of the numbers 0..<limit.
  package init(limit: Int) {
    counters = [UInt32](repeating: 0, count: limit)
    touched = [UInt64](repeating: 0, count: (limit + 63) / 64)
    words = [UInt64](repeating: 0, count: (touched.count + 63) / 64)
  }

  /// - Parameters:
  ///   - most: an upper bound for the numbers to count.
  ///   - body: receives a function that counts one number, which must be below the limit.
  /// - Returns: the number of valid elements in `buckets` and `counts`.
  /// - Complexity: O(numbers + limit / 4096).
  @inline(__always)
  package mutating func take(most: Int, _ body: ((Int) -> Void) -> Void) -> Int {
    // Up to two elements beyond the last may be written.
    if buckets.count < most + 2 {
      buckets = [UInt32](repeating: 0, count: 2 * most + 4)
      counts = buckets
    }
    return counters.withUnsafeMutableBufferPointer { counters in
      touched.withUnsafeMutableBufferPointer { touched in
        words.withUnsafeMutableBufferPointer { words in
          // Bits are set unconditionally: a branch on whether a bucket is new would be mispredicted often.
          body { bucket in
            touched[bucket &>> 6] |= 1 &<< UInt64(bucket & 63)
            words[bucket &>> 12] |= 1 &<< UInt64(bucket &>> 6 & 63)
            counters[bucket] &+= 1
          }
          return buckets.withUnsafeMutableBufferPointer { found in
            let count = Self.gather(touched: touched, words: words, into: found)
            counts.withUnsafeMutableBufferPointer { counts in
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

  /// Lists the bits that are set, in order, and clears them. A word rarely has more than two, and those are written without a branch.
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
