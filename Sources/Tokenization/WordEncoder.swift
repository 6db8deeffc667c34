/// One pre-token at a time, for those that the cache does not have.
struct WordEncoder {
  let bytes: UnsafePointer<UInt8>
  let byteTokens: UnsafePointer<UInt32>
  let merges: MergeTable.View
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
}
