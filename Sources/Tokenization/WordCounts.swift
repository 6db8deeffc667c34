/// Counts of pre-tokens.
struct WordCounts: Sendable {
  private(set) var map = ByteMap()
  private(set) var counts: [Int] = []

  var count: Int { counts.count }

  /// Adds `times` occurrences of a pre-token.
  mutating func add(_ word: UnsafeBufferPointer<UInt8>, times: Int = 1) {
    let index = map.insert(word)
    if index == counts.count { counts.append(times) } else { counts[index] += times }
  }

  /// Counts the pre-tokens of a text.
  mutating func add(text: UnsafeBufferPointer<UInt8>, pretokenizer: Pretokenizer) {
    pretokenizer.splitter.forEach(in: text) { add(UnsafeBufferPointer(rebasing: text[$0])) }
  }

  /// Adds the counts of another part of the corpus.
  mutating func merge(_ other: WordCounts) {
    for index in 0..<other.count {
      other.map.withKey(index) { add($0, times: other.counts[index]) }
    }
  }

  /// Discards the rarest pre-tokens until at most `limit` remain: all of count 1, then all of count 2, and so on.
  /// - Returns: the sum of the discarded counts.
  mutating func prune(to limit: Int) -> Int {
    var forgotten = 0
    var threshold = 1
    while count > limit {
      var kept = WordCounts()
      for index in 0..<count {
        if counts[index] > threshold {
          map.withKey(index) { kept.add($0, times: counts[index]) }
        } else {
          forgotten += counts[index]
        }
      }
      self = kept
      threshold *= 2
    }
    return forgotten
  }
}
