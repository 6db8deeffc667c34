/// The vocabulary during training: special tokens, the 256 bytes, then one token per merge.
struct TrainingVocabulary {
  private(set) var list = TokenList()
  private(set) var byteTokens = [UInt32](repeating: 0, count: 256)
  private var map = ByteMap()
  private var mapIDs: [UInt32] = []
  private var forbidden: Set<[UInt8]>
  private var starts: [Int] = []
  private let specials: Int

  /// The number of tokens, including special ones.
  var count: Int { specials + list.count }

  /// The bytes, after the special tokens, in the order of their characters.
  init(specials: [String]) {
    self.specials = specials.count
    forbidden = Set(specials.map { Array($0.utf8) })
    for byte in ByteAlphabet.order {
      byteTokens[Int(byte)] = UInt32(count)
      append([byte])
    }
  }

  /// The product of a merge: an earlier token if it has the same bytes, nil if it would spell a special token.
  mutating func token(_ left: UInt32, _ right: UInt32) -> UInt32? {
    let text = Array(bytes(left)) + Array(bytes(right))
    if let index = map.find(text) { return mapIDs[index] }
    if forbidden.contains(text) { return nil }
    return append(text)
  }

  @discardableResult
  private mutating func append(_ text: [UInt8]) -> UInt32 {
    let id = UInt32(count)
    starts.append(list.bytes.count)
    list.append(text, id: id)
    _ = text.withUnsafeBufferPointer { map.insert($0) }
    mapIDs.append(id)
    return id
  }

  private func bytes(_ id: UInt32) -> ArraySlice<UInt8> {
    let index = Int(id) - specials
    return list.bytes[starts[index]..<list.ends[index]]
  }
}
