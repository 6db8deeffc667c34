import Filtering

/// The rules written again with strings and dictionaries, as slowly as they read.
enum Naive {
  static func words(_ text: String) -> [String] {
    text.unicodeScalars.split { $0.properties.isWhitespace }.map { String(String.UnicodeScalarView($0)) }
  }

  static func length(_ text: String) -> Int { text.unicodeScalars.count }

  static func topShare(_ text: String, _ n: Int) -> Double {
    let words = words(text)
    guard words.count >= n else { return 0 }
    var counts: [String: Int] = [:]
    var order: [String] = []
    for start in 0...(words.count - n) {
      let gram = words[start..<start + n].joined(separator: " ")
      if counts[gram] == nil { order.append(gram) }
      counts[gram, default: 0] += 1
    }
    var best = 0
    var share = 0.0
    for gram in order where (counts[gram] ?? 0) > best {
      best = counts[gram] ?? 0
      share = Double(best * length(gram)) / Double(length(text))
    }
    return share
  }

  static func repeatedShare(_ text: String, _ n: Int) -> Double {
    let words = words(text)
    var seen: Set<[String]> = []
    var sum = 0
    var index = 0
    while index + n <= words.count {
      let gram = Array(words[index..<index + n])
      if seen.contains(gram) {
        sum += gram.reduce(0) { $0 + length($1) }
        index += n
      } else {
        seen.insert(gram)
        index += 1
      }
    }
    return Double(sum) / Double(max(1, length(text)))
  }

  /// The first reason of the n-gram rules, in the order of n.
  static func nGramReason(_ text: String, _ limits: FilterConfiguration.GopherRepetition) -> String? {
    for n in 1...12 {
      for limit in limits.topNGrams where limit.n == n && topShare(text, n) > limit.share { return "gopher.top_\(n)_grams" }
      for limit in limits.duplicateNGrams where limit.n == n && repeatedShare(text, n) > limit.share {
        return "gopher.duplicate_\(n)_grams"
      }
    }
    return nil
  }

  static func repeatedLines(_ text: String) -> (total: Int, repeated: Int, characters: Int) {
    var seen: Set<String> = []
    var found = (total: 0, repeated: 0, characters: 0)
    let parts = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false)
    for (index, part) in parts.enumerated() {
      // A run of newlines separates two lines; at the edges of the text one of them is empty.
      if part.isEmpty, index > 0, index < parts.count - 1 { continue }
      let line = String(String.UnicodeScalarView(part))
      found.total += 1
      if !seen.insert(line).inserted {
        found.repeated += 1
        found.characters += length(line)
      }
    }
    return found
  }
}

/// A small generator with a fixed sequence.
struct Dice: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return state ^ (state >> 29)
  }
}

/// What the judge says with these rules on.
func reason(_ text: String, _ rules: String, _ change: (inout FilterConfiguration) throws -> Void = { _ in }) throws -> String? {
  var configuration = FilterConfiguration(rules: try FilterRules(parsing: rules))
  try change(&configuration)
  var judge = DocumentJudge(configuration)
  return judge.judge(Array(text.utf8)).reason
}
