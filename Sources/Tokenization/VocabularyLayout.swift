import Primitives

/// A vocabulary in the order of its ids, checked for duplicate ids and tokens.
struct VocabularyLayout {
  private(set) var bytes: [UInt8] = []
  private(set) var offsets: [UInt32] = [0]
  /// The tokens of the vocabulary, as they are in a text; an added token is included only if it is in the vocabulary as well.
  private(set) var map = ByteMap()
  /// The id of each key of `map`.
  private(set) var mapIDs: [UInt32] = []
  /// [ids] the number of bytes that a token stands for in a text.
  private(set) var lengths: [Int] = []
  /// [ids] the index of a token of the vocabulary; −1 for others.
  private var owner: [Int] = []

  /// - Parameters:
  ///   - list: the tokens of the vocabulary as they are in a text.
  ///   - texts: the bytes of tokens that decode to something else.
  init(_ list: TokenList, added: [Tokenizer.AddedToken], texts: [UInt32: [UInt8]] = [:], place: String) throws {
    let largest = max(list.ids.max() ?? 0, added.map(\.id).max() ?? 0)
    guard list.count > 0 else { throw WeirError(place, "model.vocab is empty") }
    guard Int(largest) < Tokenizer.maximumVocabulary else {
      throw WeirError(place, "model.vocab has id \(largest); ids must be below \(Tokenizer.maximumVocabulary)")
    }
    guard list.bytes.count < 1 << 31 else { throw WeirError(place, "model.vocab is larger than 2 GB") }
    owner = [Int](repeating: -1, count: Int(largest) + 1)
    map.reserve(keys: list.count, bytes: list.bytes.count)
    mapIDs.reserveCapacity(list.count)
    for index in 0..<list.count {
      let id = Int(list.ids[index])
      let range = (index == 0 ? 0 : list.ends[index - 1])..<list.ends[index]
      guard !range.isEmpty else { throw WeirError(place, "model.vocab has an empty token (id \(id))") }
      guard owner[id] < 0 else { throw WeirError(place, "model.vocab has id \(id) twice") }
      owner[id] = index
      let number = list.bytes.withUnsafeBufferPointer { map.insert(UnsafeBufferPointer(rebasing: $0[range])) }
      guard number == mapIDs.count else { throw WeirError(place, "model.vocab has a token twice (ids \(mapIDs[number]) and \(id))") }
      mapIDs.append(UInt32(id))
    }
    try lay(list, added: added, texts: texts, place: place)
  }

  private mutating func lay(_ list: TokenList, added: [Tokenizer.AddedToken], texts: [UInt32: [UInt8]], place: String) throws {
    var contents: [Int: [UInt8]] = [:]
    var names: Set<[UInt8]> = []
    for token in added {
      guard !token.content.isEmpty else { throw WeirError(place, "added_tokens has an empty token (id \(token.id))") }
      guard contents.updateValue(Array(token.content.utf8), forKey: Int(token.id)) == nil else {
        throw WeirError(place, "added_tokens has id \(token.id) twice")
      }
      guard names.insert(Array(token.content.utf8)).inserted else { throw WeirError(place, "added_tokens has \"\(token.content)\" twice") }
    }
    bytes.reserveCapacity(list.bytes.count)
    offsets.reserveCapacity(owner.count + 1)
    lengths = [Int](repeating: 0, count: owner.count)
    for id in owner.indices {
      if owner[id] >= 0 { lengths[id] = list.ends[owner[id]] - (owner[id] == 0 ? 0 : list.ends[owner[id] - 1]) }
      if let text = texts[UInt32(id)] {
        bytes.append(contentsOf: text)
      } else if owner[id] >= 0 {
        bytes.append(contentsOf: list.bytes[(list.ends[owner[id]] - lengths[id])..<list.ends[owner[id]]])
      } else if let content = contents[id] {
        bytes.append(contentsOf: content)
      }
      offsets.append(UInt32(bytes.count))
    }
  }

  /// The token of each single byte, in byte-level BPE. Some vocabularies lack bytes that UTF-8 never has.
  func byteTokens(place: String) throws -> [UInt32?] {
    try (UInt8.min...UInt8.max).map { byte in
      if let index = map.find([byte]) { return mapIDs[index] }
      guard byte == 0xC0 || byte == 0xC1 || byte >= 0xF5 else {
        throw WeirError(place, "model.vocab has no token for the byte \(byte)", remedy: "byte-level BPE needs all bytes of UTF-8")
      }
      return nil
    }
  }

  /// Whether the id is a token of the vocabulary.
  func isOrdinary(_ id: UInt32) -> Bool { Int(id) < owner.count && owner[Int(id)] >= 0 }

  /// A token of the vocabulary as it is in a text.
  func withKey<R>(_ id: UInt32, _ body: (UnsafeBufferPointer<UInt8>) throws -> R) rethrows -> R { try map.withKey(owner[Int(id)], body) }
}
