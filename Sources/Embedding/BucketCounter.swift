/// Counts how often numbers below a limit occur, again and again: those that do are found by bits, so that neither what was counted is searched
/// nor the rest cleared.
package struct BucketCounter {
  /// A counter a number, a bit for each that counts, a bit for each word of those: all zero between takes.
  private var counters: [UInt32]
  private var touched: [UInt64]
  private var words: [UInt64]
  /// Numbers of the last take, ascending; of them as many as it said.
  package private(set) var buckets: [UInt32] = []
  /// How often each of them occurs.
  package private(set) var counts: [UInt32] = []

  /// Creates a counter of the numbers 0 ..< limit.
  package init(limit: Int) {
    counters = [UInt32](repeating: 0, count: limit)
    touched = [UInt64](repeating: 0, count: (limit + 63) / 64)
    words = [UInt64](repeating: 0, count: (touched.count + 63) / 64)
  }

  /// Counts numbers.
  /// - Parameters:
  ///   - most: no more are given.
  ///   - body: is handed what counts a number below the limit, which it does not check.
  /// - Returns: how many there are at the beginning of `buckets` and `counts`.
  /// - Complexity: O(numbers + limit / 4096).
  @inline(__always)
  package mutating func take(most: Int, _ body: ((Int) -> Void) -> Void) -> Int {
    // Two beyond the last may be written.
    if buckets.count < most + 2 {
      buckets = [UInt32](repeating: 0, count: 2 * most + 4)
      counts = buckets
    }
    return counters.withUnsafeMutableBufferPointer { counters in
      touched.withUnsafeMutableBufferPointer { touched in
        words.withUnsafeMutableBufferPointer { words in
          // Bits are set again and again: whether a bucket is new is not to be foretold, and a wrong guess costs more.
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
