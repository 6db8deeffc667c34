import Tokenization

/// A tokenizer by definition: each alternative of the pattern is tried at each place (`Reference`), and of all neighbours those of the lowest
/// rank are merged until none is left. What is not UTF-8 is a symbol of one byte. Nothing is remembered between texts.
struct NaiveEncoder {
  let tokenizer: Tokenizer
  private let kind: Pretokenizer
  private var ranks: [UInt64: (rank: Int, token: UInt32)] = [:]
  private var whole: [[UInt8]: UInt32] = [:]
  private var bytes: [UInt32] = []

  init(_ tokenizer: Tokenizer) {
    self.tokenizer = tokenizer
    kind = tokenizer.publishedPretokenizer ?? .gpt2
    for (rank, merge) in tokenizer.merges.enumerated() { ranks[UInt64(merge.left) << 32 | UInt64(merge.right)] = (rank, merge.token) }
    let added = Set(tokenizer.addedTokens.map(\.id))
    for id in 0..<UInt32(tokenizer.vocabularySize) where !added.contains(id) {
      let token = Array(tokenizer.bytes(of: id))
      if !token.isEmpty { whole[token] = id }
    }
    bytes = (0..<256).map { whole[[UInt8($0)]] ?? .max }
  }

  /// The tokens of a text, with what stands in it of added tokens.
  func encode(_ text: [UInt8], allowsSpecials: Bool = false) -> [UInt32] {
    let added = tokenizer.addedTokens.filter { allowsSpecials || !$0.isSpecial }.map { (id: $0.id, text: Array($0.content.utf8)) }
      .sorted { $0.text.count > $1.text.count }
    var ids: [UInt32] = []
    var start = 0
    var at = 0
    while at < text.count {
      if let hit = added.first(where: { text[at...].starts(with: $0.text) }) {
        ids += stretch(Array(text[start..<at])) + [hit.id]
        at += hit.text.count
        start = at
      } else {
        at += 1
      }
    }
    return ids + stretch(Array(text[start...]))
  }

  private func stretch(_ text: [UInt8]) -> [UInt32] {
    if text.isEmpty { return [] }
    let text = tokenizer.addsPrefixSpace && text[0] != 0x20 ? [0x20] + text : text
    var scalars: [Unicode.Scalar] = []
    var starts: [Int] = []
    var at = 0
    while at < text.count {
      starts.append(at)
      // The shortest stretch that is a whole character.
      let width = (1...4).first { at + $0 <= text.count && String(validating: text[at..<at + $0], as: UTF8.self) != nil }
      if let width {
        scalars.append(String(decoding: text[at..<at + width], as: UTF8.self).unicodeScalars.first ?? "\u{FFFD}")
      } else {
        scalars.append("\u{FFFD}")
      }
      at += width ?? 1
    }
    starts.append(text.count)
    var ids: [UInt32] = []
    var first = 0
    while first < scalars.count {
      guard let end = Reference.end(kind, scalars, first) else { return [] }
      ids += word(Array(text[starts[first]..<starts[end]]))
      first = end
    }
    return ids
  }

  private func word(_ word: [UInt8]) -> [UInt32] {
    if tokenizer.ignoresMerges, let id = whole[word] { return [id] }
    var symbols = word.map { bytes[Int($0)] }
    while true {
      var best: (rank: Int, token: UInt32, at: Int)?
      for index in symbols.indices.dropLast() {
        guard let found = ranks[UInt64(symbols[index]) << 32 | UInt64(symbols[index + 1])] else { continue }
        if best.map({ found.rank < $0.rank }) ?? true { best = (found.rank, found.token, index) }
      }
      guard let best else { return symbols }
      symbols[best.at] = best.token
      symbols.remove(at: best.at + 1)
    }
  }
}
