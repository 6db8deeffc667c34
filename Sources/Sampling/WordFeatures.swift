import Primitives

/// The bag of hashed word n-grams of a text: what DSIR and the classifier see of a window (Xie et al., arXiv 2302.03169 §3).
///
/// Words are NLTK's WordPunct on bytes: runs of letters, digits, `_` and bytes beyond ASCII, lower-cased in ASCII; and runs of what is
/// neither a word nor white space. Working on bytes makes a window that begins within a character harmless, and leaves no table of
/// Unicode to change features; punctuation beyond ASCII then belongs to its word (ours). A pair is its two words with a blank between.
/// An n-gram's bucket is SplitMix64's mix of the FNV-1a hash of its bytes, scaled to the number of buckets. O(bytes).
package struct WordFeatures: Sendable, Equatable {
  /// The number of buckets; DSIR's is 10,000.
  package var buckets: Int

  /// Creates the features.
  package init(buckets: Int = 10_000) {
    precondition(buckets > 0 && buckets <= 1 << 31, "buckets that an index names")
    self.buckets = buckets
  }

  /// The buckets of a text: each word's, and each pair of neighbours', in order.
  /// - Returns: the buckets, 2 · words − 1 of them, and the number of words.
  package func features(of text: [UInt8]) -> (buckets: [UInt32], words: Int) {
    var found: [UInt32] = []
    found.reserveCapacity(text.count / 2)
    var words = 0
    // The hash of the last word and a blank: what a pair goes on from.
    var before = Self.start
    var index = 0
    while index < text.count {
      let kind = Self.kinds[Int(text[index])]
      guard kind != 0 else {
        index += 1
        continue
      }
      var word = Self.start
      var pair = before
      while index < text.count, Self.kinds[Int(text[index])] == kind {
        let byte = UInt64(Self.lower(text[index]))
        word = (word ^ byte) &* Self.prime
        pair = (pair ^ byte) &* Self.prime
        index += 1
      }
      found.append(bucket(word))
      if words > 0 { found.append(bucket(pair)) }
      words += 1
      before = (word ^ 0x20) &* Self.prime
    }
    return (found, words)
  }

  private func bucket(_ hash: UInt64) -> UInt32 {
    UInt32(truncatingIfNeeded: CounterRandom.mix(hash).multipliedFullWidth(by: UInt64(buckets)).high)
  }

  private static let start: UInt64 = 0xCBF2_9CE4_8422_2325
  private static let prime: UInt64 = 0x100_0000_01B3

  private static func lower(_ byte: UInt8) -> UInt8 { byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte }

  /// By byte: 0 white space, 1 part of a word, 2 anything else.
  private static let kinds: [UInt8] = (0..<256).map { byte in
    switch byte {
    case 0x09...0x0D, 0x20: 0
    case 0x30...0x39, 0x41...0x5A, 0x5F, 0x61...0x7A, 0x80...0xFF: 1
    default: 2
    }
  }
}
