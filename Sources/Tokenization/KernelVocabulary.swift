/// The vocabulary as the kernels merge it: tokens of single bytes, and merges.
///
/// A vocabulary of characters becomes one of bytes: merges of lower rank than all others put the bytes of each character together. A character that
/// is not in the vocabulary stays in bytes, or in the first bytes that it shares with others; `weir_merges_finish` replaces these.
struct KernelVocabulary {
  private(set) var byteTokens: [UInt32] = []
  private(set) var merges: [Tokenizer.Merge] = []
  /// The number of merges, at the end, that are the tokenizer's.
  let ownMerges: Int
  /// [tokens + 1] sums of the lengths of the tokens in a text.
  private(set) var offsets: [UInt32]
  /// Three tokens for each beyond the vocabulary.
  private(set) var replacements: [UInt32] = []

  /// - Parameters:
  ///   - layout: the vocabulary.
  ///   - byteTokens: the tokens of single bytes; nil for a byte without one.
  ///   - merges: the merges of the tokenizer.
  ///   - characters: whether its tokens are of characters.
  init(_ layout: VocabularyLayout, byteTokens: [UInt32?], merges: [Tokenizer.Merge], characters: TokenizerRules.Characters?) {
    offsets = [0]
    ownMerges = merges.count
    let single = Set(byteTokens.compactMap { $0 })
    for (id, length) in layout.lengths.enumerated() {
      offsets.append(offsets[offsets.count - 1] + (single.contains(UInt32(id)) ? 1 : UInt32(length)))
    }
    for byte in byteTokens { self.byteTokens.append(byte ?? add(length: 1, replacement: [])) }
    if characters != nil { assemble(layout) }
    self.merges += merges
  }

  /// The number of tokens of the vocabulary.
  private var ordinary: Int { offsets.count - 1 - replacements.count / 3 }

  /// A token beyond the vocabulary; without a replacement, its bytes are unknown.
  private mutating func add(length: Int, replacement: [UInt32]) -> UInt32 {
    offsets.append(offsets[offsets.count - 1] + UInt32(length))
    replacements += (replacement + [.max, .max, .max]).prefix(3)
    return UInt32(offsets.count - 2)
  }

  private mutating func assemble(_ layout: VocabularyLayout) {
    let first = ordinary
    var parts: [[UInt8]: UInt32] = [:]
    for index in 0..<layout.map.count {
      let character = layout.map.withKey(index) { Array($0) }
      guard character.count > 1, let (_, width) = character[...].firstScalar, width == character.count else { continue }
      var left = byteTokens[Int(character[0])]
      for length in 2...character.count {
        let part = Array(character[..<length])
        let right = byteTokens[Int(character[length - 1])]
        if length < character.count, let known = parts[part] {
          left = known
          continue
        }
        var product = layout.mapIDs[index]
        if length < character.count {
          let bytes = part.map { byteTokens[Int($0)] }
          product = add(length: length, replacement: bytes.contains { Int($0) >= first } ? [] : bytes)
          parts[part] = product
        }
        merges.append(Tokenizer.Merge(left: left, right: right, token: product))
        left = product
      }
    }
  }
}
