import Primitives

/// Hashed n-grams of token ids: unigrams and bigrams of a window fall into a fixed number of buckets.
struct TokenFeatures: Sendable {
  /// The number of buckets, a power of two.
  let buckets: Int
  /// Whether pairs of neighbouring tokens count too.
  let bigrams: Bool
  private let shift: UInt64

  init(buckets: Int, bigrams: Bool) {
    precondition(buckets >= 2 && buckets & (buckets - 1) == 0, "the number of buckets is a power of two")
    self.buckets = buckets
    self.bigrams = bigrams
    shift = UInt64(64 - buckets.trailingZeroBitCount)
  }

  /// Reusable space of one thread: a counter per bucket, a bit for each that counts, a bit for each word of those; all zero between windows.
  struct Scratch {
    var counts: [UInt32]
    var touched: [UInt64]
    var words: [UInt64]

    init(buckets: Int) {
      counts = [UInt32](repeating: 0, count: buckets)
      touched = [UInt64](repeating: 0, count: (buckets + 63) / 64)
      words = [UInt64](repeating: 0, count: (touched.count + 63) / 64)
    }
  }

  @inline(__always) private func bucket(_ key: UInt64) -> Int { Int(CounterRandom.mix(key &+ 0x9E37_79B9_7F4A_7C15) >> shift) }

  /// Counts a window's features and hands them over in ascending order of bucket.
  /// - Complexity: O(tokens + buckets / 4096).
  func count(_ tokens: [Int32], scratch: inout Scratch, _ body: (_ bucket: Int, _ count: UInt32) -> Void) {
    scratch.counts.withUnsafeMutableBufferPointer { counts in
      scratch.touched.withUnsafeMutableBufferPointer { touched in
        scratch.words.withUnsafeMutableBufferPointer { words in
          // Bits are set again and again: whether a bucket is new is not to be foretold, and a wrong guess costs more.
          func add(_ bucket: Int) {
            touched[bucket >> 6] |= 1 &<< UInt64(bucket & 63)
            words[bucket >> 12] |= 1 &<< UInt64(bucket >> 6 & 63)
            counts[bucket] &+= 1
          }
          var previous: UInt64 = 0
          for (position, token) in tokens.enumerated() {
            let id = UInt64(UInt32(bitPattern: token))
            add(bucket(id))
            if bigrams && position > 0 { add(bucket(((previous &+ 1) << 32) | id)) }
            previous = id
          }
          // In order, by the bits that are set.
          for block in words.indices {
            while words[block] != 0 {
              let word = block << 6 + words[block].trailingZeroBitCount
              words[block] &= words[block] - 1
              while touched[word] != 0 {
                let bucket = word << 6 + touched[word].trailingZeroBitCount
                touched[word] &= touched[word] - 1
                body(bucket, counts[bucket])
                counts[bucket] = 0
              }
            }
          }
        }
      }
    }
  }
}
