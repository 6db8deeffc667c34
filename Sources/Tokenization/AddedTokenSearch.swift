/// Finds added tokens in a text, left to right, the longest match at each position.
struct AddedTokenSearch: Sendable {
  private var byFirst: [[(content: [UInt8], id: UInt32)]]

  init(_ tokens: [Tokenizer.AddedToken]) {
    byFirst = Array(repeating: [], count: 256)
    for token in tokens {
      let content = Array(token.content.utf8)
      byFirst[Int(content[0])].append((content, token.id))
    }
    for first in byFirst.indices { byFirst[first].sort { $0.content.count > $1.content.count } }
  }

  /// The non-overlapping matches, in order.
  func matches(in text: [UInt8]) -> [(range: Range<Int>, id: UInt32)] {
    var matches: [(range: Range<Int>, id: UInt32)] = []
    var index = 0
    while index < text.count {
      let candidates = byFirst[Int(text[index])]
      if let hit = candidates.first(where: { text[index...].starts(with: $0.content) }) {
        matches.append((index..<index + hit.content.count, hit.id))
        index += hit.content.count
      } else {
        index += 1
      }
    }
    return matches
  }
}
