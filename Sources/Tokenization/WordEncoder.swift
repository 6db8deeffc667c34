/// One pre-token at a time: the cache first, then the merges.
struct WordEncoder {
  let bytes: UnsafePointer<UInt8>
  let count: Int
  let byteTokens: UnsafePointer<UInt32>
  let merges: MergeTable.View
  /// The vocabulary where a whole pre-token may be a token, else nil.
  let map: Tokenizer.Tables?

  /// The longest pre-token that the cache keeps: 16 bytes less one for the length.
  private static let cached = 15

  /// Appends the tokens of a pre-token of two or more bytes.
  @inline(__always)
  func encode(
    _ range: Range<Int>, into ids: inout [UInt32], cache: UnsafeMutableBufferPointer<EncodeContext.Slot>,
    scratch: inout EncodeContext.Scratch
  ) {
    guard range.count <= Self.cached else {
      encodeAnew(range, into: &ids, scratch: &scratch)
      return
    }
    let key = load(range)
    let hash = ((key.low ^ (key.high &* 0xD6E8_FEB8_6659_FD93)) &* 0x9E37_79B9_7F4A_7C15)
    let slot = Int((hash ^ hash >> 29) >> 8) & (cache.count - 1)
    if cache[slot].low == key.low, cache[slot].high == key.high {
      cache[slot].append(to: &ids)
      return
    }
    let before = ids.count
    encodeAnew(range, into: &ids, scratch: &scratch)
    if ids.count - before <= EncodeContext.Slot.room {
      cache[slot] = EncodeContext.Slot(low: key.low, high: key.high, tokens: ids[before...])
    }
  }

  /// The bytes of a short pre-token in two words, its length in the top byte: two different pre-tokens never look the same.
  @inline(__always)
  private func load(_ range: Range<Int>) -> (low: UInt64, high: UInt64) {
    let length = range.count
    var low: UInt64 = 0
    var high: UInt64 = 0
    if range.lowerBound + 16 <= count {
      let raw = UnsafeRawPointer(bytes + range.lowerBound)
      low = UInt64(littleEndian: raw.loadUnaligned(as: UInt64.self))
      high = UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
      if length < 8 {
        low &= ~(UInt64.max << UInt64(8 * length))
        high = 0
      } else {
        high &= ~(UInt64.max << UInt64(8 * (length - 8)))
      }
    } else {
      for index in 0..<min(8, length) { low |= UInt64(bytes[range.lowerBound + index]) << UInt64(8 * index) }
      for index in 8..<max(8, length) { high |= UInt64(bytes[range.lowerBound + index]) << UInt64(8 * (index - 8)) }
    }
    return (low, high | UInt64(length) << 56)
  }

  /// Merges a pre-token that the cache does not have.
  @inline(never)
  private func encodeAnew(_ range: Range<Int>, into ids: inout [UInt32], scratch: inout EncodeContext.Scratch) {
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
