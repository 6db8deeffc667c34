/// How often each pre-token occurs.
struct WordCounts: Sendable {
  private(set) var map = ByteMap()
  private(set) var counts: [Int] = []

  /// The number of different pre-tokens.
  var count: Int { counts.count }

  /// Counts a pre-token `times` times.
  mutating func add(_ word: UnsafeBufferPointer<UInt8>, times: Int = 1) {
    let index = map.insert(word)
    if index == counts.count { counts.append(times) } else { counts[index] += times }
  }

  /// Counts the pre-tokens of a text.
  mutating func add(text: UnsafeBufferPointer<UInt8>, pretokenizer: Pretokenizer) {
    pretokenizer.forEach(in: text) { add(UnsafeBufferPointer(rebasing: text[$0])) }
  }

  /// Adds the counts of another part of the corpus.
  mutating func merge(_ other: WordCounts) {
    for index in 0..<other.count {
      other.map.withKey(index) { add($0, times: other.counts[index]) }
    }
  }

  /// Forgets the rarest pre-tokens until at most `limit` are left: all of count 1, then all of count 2, ….
  /// - Returns: the sum of the counts forgotten.
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
