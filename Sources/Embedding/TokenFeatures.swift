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

  /// Reusable space of one thread: a counter per bucket, all zero between windows.
  struct Scratch {
    var counts: [UInt32]
    var touched: [UInt32] = []

    init(buckets: Int) { counts = [UInt32](repeating: 0, count: buckets) }
  }

  @inline(__always) private func bucket(_ key: UInt64) -> Int { Int(CounterRandom.mix(key &+ 0x9E37_79B9_7F4A_7C15) >> shift) }

  /// Counts a window's features and hands them over in ascending order of bucket.
  /// - Complexity: O(tokens), plus the sort of the distinct buckets.
  func count(_ tokens: [Int32], scratch: inout Scratch, _ body: (_ bucket: Int, _ count: UInt32) -> Void) {
    scratch.touched.removeAll(keepingCapacity: true)
    var previous: UInt64 = 0
    for (position, token) in tokens.enumerated() {
      let id = UInt64(UInt32(bitPattern: token))
      Self.add(bucket(id), &scratch)
      if bigrams && position > 0 { Self.add(bucket(((previous &+ 1) << 32) | id), &scratch) }
      previous = id
    }
    scratch.touched.sort()
    for index in scratch.touched {
      body(Int(index), scratch.counts[Int(index)])
      scratch.counts[Int(index)] = 0
    }
  }

  @inline(__always) private static func add(_ bucket: Int, _ scratch: inout Scratch) {
    if scratch.counts[bucket] == 0 { scratch.touched.append(UInt32(bucket)) }
    scratch.counts[bucket] &+= 1
  }
}
