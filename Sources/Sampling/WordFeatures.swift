import Primitives

/// Hashed word n-grams, the features of DSIR and the classifier (Xie et al., arXiv 2302.03169 §3).
///
/// Words are those of NLTK's WordPunctTokenizer, on bytes: runs of letters, digits, `_` and non-ASCII bytes, lowercased in ASCII, and runs of
/// other characters except white space. On bytes, a window that starts inside a character does no harm, and features do not depend on a Unicode
/// version; punctuation beyond ASCII becomes part of its word (our choice). A bigram is two words with a space between them. The bucket of an
/// n-gram is the FNV-1a hash of its bytes, mixed by SplitMix64 and scaled to the number of buckets.
package struct WordFeatures: Sendable, Equatable {
  /// The number of buckets; DSIR's is 10,000.
  package var buckets: Int

  package init(buckets: Int = 10_000) {
    precondition(buckets > 0 && buckets <= 1 << 31, "the number of buckets is in 1…2^31")
    self.buckets = buckets
  }

  /// The buckets of the unigrams and bigrams of a text, in order.
  /// - Returns: 2 · words − 1 buckets, and the number of words.
  /// - Complexity: O(bytes).
  package func features(of text: [UInt8]) -> (buckets: [UInt32], words: Int) {
    var found: [UInt32] = []
    found.reserveCapacity(text.count / 2)
    var words = 0
    // The hash of the previous word and a space: the prefix of a bigram.
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

  /// [bytes] 0 for white space, 1 for word characters, 2 for anything else.
  private static let kinds: [UInt8] = (0..<256).map { byte in
    switch byte {
    case 0x09...0x0D, 0x20: 0
    case 0x30...0x39, 0x41...0x5A, 0x5F, 0x61...0x7A, 0x80...0xFF: 1
    default: 2
    }
  }
}
