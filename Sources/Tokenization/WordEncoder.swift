/// One pre-token at a time, for those that the cache does not have.
struct WordEncoder {
  let bytes: UnsafePointer<UInt8>
  let byteTokens: UnsafePointer<UInt32>
  let merges: MergeTable.View
  /// Where the bytes of each token begin, and the end.
  let offsets: [UInt32]
  /// The vocabulary where a whole pre-token may be a token, else nil.
  let map: Tokenizer.Tables?

  /// Appends the tokens of a pre-token.
  @inline(never)
  func encode(_ range: Range<Int>, into ids: inout [UInt32], scratch: inout EncodeContext.Scratch) {
    let word = UnsafeBufferPointer(start: bytes + range.lowerBound, count: range.count)
    if let map, let index = map.map.find(word) {
      ids.append(map.mapIDs[index])
      return
    }
    if word.count > WordMerger.shortWord {
      encodeInParts(range, into: &ids, scratch: &scratch)
    } else {
      merge(range, into: &ids, scratch: &scratch)
    }
  }

  /// Appends what the merges make of some bytes.
  private func merge(_ range: Range<Int>, into ids: inout [UInt32], scratch: inout EncodeContext.Scratch) {
    let word = UnsafeBufferPointer(start: bytes + range.lowerBound, count: range.count)
    if word.count > WordMerger.shortWord {
      scratch.long.encode(word, byteTokens: byteTokens, merges: merges, into: &ids)
      return
    }
    let left = scratch.symbols.withUnsafeMutableBufferPointer { symbols in
      scratch.pairs.withUnsafeMutableBufferPointer { pairs -> Int in
        guard let symbols = symbols.baseAddress, let pairs = pairs.baseAddress else { return 0 }
        for index in 0..<word.count { symbols[index] = byteTokens[Int(word[index])] }
        return WordMerger.merge(symbols, pairs, count: word.count, merges)
      }
    }
    ids.append(contentsOf: scratch.symbols[0..<left])
  }

  /// The bytes of a part of a long pre-token.
  private static let part = 48

  /// Appends the tokens of a long pre-token: part by part, with the seams mended, in time linear in its length and little memory.
  ///
  /// A sequence of tokens is what the merges make of its bytes if and only if each two neighbours are what the merges make of their
  /// bytes: the first merge across a border would happen between the two alone just as well. So only the tokens at a seam are made
  /// anew, more and more of them until both their borders hold.
  private func encodeInParts(_ range: Range<Int>, into ids: inout [UInt32], scratch: inout EncodeContext.Scratch) {
    let base = ids.count
    var position = range.lowerBound
    var part: [UInt32] = []
    var middle: [UInt32] = []
    while position < range.upperBound {
      let end = min(position + Self.part, range.upperBound)
      part.removeAll(keepingCapacity: true)
      merge(position..<end, into: &part, scratch: &scratch)
      var left = min(1, ids.count - base)
      var right = left
      while left > 0 {
        let from = position - length(ids[(ids.count - left)...])
        let to = position + length(part[..<right])
        middle.removeAll(keepingCapacity: true)
        merge(from..<to, into: &middle, scratch: &scratch)
        // Mended are the seam and, where the tokens there changed, the borders to the tokens that stay.
        let same = middle.count == left + right && middle.elementsEqual([ids[(ids.count - left)...], part[..<right]].joined())
        let holdsLeft =
          same || ids.count - left == base || holds(ids[ids.count - left - 1], middle[0], at: from, scratch: &scratch)
        let holdsRight = same || right == part.count || holds(middle[middle.count - 1], part[right], at: to, scratch: &scratch)
        if holdsLeft, holdsRight {
          ids.removeLast(left)
          ids.append(contentsOf: middle)
          break
        }
        if !holdsLeft { left = min(2 * left, ids.count - base) }
        if !holdsRight { right = min(2 * right, part.count) }
      }
      ids.append(contentsOf: part[right...])
      position = end
    }
  }

  /// Whether two tokens that meet at a byte are what the merges make of their bytes.
  private func holds(_ left: UInt32, _ right: UInt32, at border: Int, scratch: inout EncodeContext.Scratch) -> Bool {
    var pair: [UInt32] = []
    merge(border - length([left])..<border + length([right]), into: &pair, scratch: &scratch)
    return pair == [left, right]
  }

  private func length(_ tokens: some Sequence<UInt32>) -> Int {
    tokens.reduce(0) { $0 + Int(offsets[Int($1) + 1] - offsets[Int($1)]) }
  }
}
