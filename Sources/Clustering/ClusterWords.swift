/// Words of a text: lowercased sequences of at least three letters. Non-ASCII bytes count as letters, so that words of every script are found.
enum Words {
  /// - Complexity: O(bytes).
  static func scan(_ text: [UInt8], _ body: (ArraySlice<UInt8>) -> Void) {
    var lower = text
    for index in lower.indices where lower[index] >= 0x41 && lower[index] <= 0x5A { lower[index] += 0x20 }
    var start = 0
    var letters = 0
    for index in 0...lower.count {
      let byte = index < lower.count ? lower[index] : 0x20
      if (byte >= 0x61 && byte <= 0x7A) || byte >= 0x80 {
        // A continuation byte is not a separate letter.
        letters += byte & 0xC0 == 0x80 ? 0 : 1
      } else {
        if letters >= 3 && index - start <= 40 { body(lower[start..<index]) }
        start = index + 1
        letters = 0
      }
    }
  }
}

/// In how many windows of each cluster each word occurs.
struct ClusterWords {
  private(set) var words: [[UInt8]] = []
  private var numbers: [[UInt8]: Int] = [:]
  /// [clusters] windows with each word, by word number.
  private(set) var byCluster: [[Int: Int]]

  init(clusters: Int) { byCluster = Array(repeating: [:], count: clusters) }

  /// Counts each word of a window once, in its cluster.
  mutating func add(_ text: [UInt8], cluster: Int) {
    var seen: Set<Int> = []
    Words.scan(text) { word in
      let key = Array(word)
      let number: Int
      if let known = numbers[key] {
        number = known
      } else {
        number = words.count
        numbers[key] = number
        words.append(key)
      }
      guard seen.insert(number).inserted else { return }
      byCluster[cluster][number, default: 0] += 1
    }
  }
}
