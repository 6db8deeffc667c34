import Primitives

/// A vocabulary in the order of its ids, checked for duplicate ids and tokens and for all 256 bytes.
struct VocabularyLayout {
  private(set) var bytes: [UInt8] = []
  private(set) var offsets: [UInt32] = [0]
  /// The byte-level tokens; an added token is included only if it is in the vocabulary as well.
  private(set) var map = ByteMap()
  /// The id of each key of `map`.
  private(set) var mapIDs: [UInt32] = []
  private(set) var byteTokens: [UInt32] = []
  private var ordinary: [Bool] = []

  init(_ list: TokenList, added: [Tokenizer.AddedToken], place: String) throws {
    let largest = max(list.ids.max() ?? 0, added.map(\.id).max() ?? 0)
    guard list.count > 0 else { throw WeirError(place, "model.vocab is empty") }
    guard Int(largest) < Tokenizer.maximumVocabulary else {
      throw WeirError(place, "model.vocab has id \(largest); ids must be below \(Tokenizer.maximumVocabulary)")
    }
    guard list.bytes.count < 1 << 31 else { throw WeirError(place, "model.vocab is larger than 2 GB") }
    var owner = [Int](repeating: -1, count: Int(largest) + 1)
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
    ordinary = owner.map { $0 >= 0 }
    try lay(list, added: added, owner: owner, place: place)
    try findBytes(place: place)
  }

  private mutating func lay(_ list: TokenList, added: [Tokenizer.AddedToken], owner: [Int], place: String) throws {
    var contents: [Int: [UInt8]] = [:]
    var names: Set<String> = []
    for token in added {
      guard !token.content.isEmpty else { throw WeirError(place, "added_tokens has an empty token (id \(token.id))") }
      guard contents.updateValue(Array(token.content.utf8), forKey: Int(token.id)) == nil else {
        throw WeirError(place, "added_tokens has id \(token.id) twice")
      }
      guard names.insert(token.content).inserted else { throw WeirError(place, "added_tokens has \"\(token.content)\" twice") }
    }
    bytes.reserveCapacity(list.bytes.count)
    offsets.reserveCapacity(owner.count + 1)
    for id in owner.indices {
      if let content = contents[id] {
        bytes.append(contentsOf: content)
      } else if owner[id] >= 0 {
        bytes.append(contentsOf: list.bytes[(owner[id] == 0 ? 0 : list.ends[owner[id] - 1])..<list.ends[owner[id]]])
      }
      offsets.append(UInt32(bytes.count))
    }
    for token in added {
      // An added token may also be in the vocabulary, but only with the same id.
      if let index = map.find(Array(token.content.utf8)), mapIDs[index] != token.id {
        throw WeirError(place, "added_tokens gives \"\(token.content)\" id \(token.id), model.vocab id \(mapIDs[index])")
      }
      if owner[Int(token.id)] >= 0, map.find(Array(token.content.utf8)) == nil {
        throw WeirError(place, "added_tokens gives \"\(token.content)\" id \(token.id), which model.vocab assigns to another token")
      }
    }
  }

  private mutating func findBytes(place: String) throws {
    for byte in UInt8.min...UInt8.max {
      guard let index = map.find([byte]) else {
        throw WeirError(place, "model.vocab has no token for the byte \(byte)", remedy: "only byte-level BPE is supported")
      }
      byteTokens.append(mapIDs[index])
    }
  }

  /// Whether the id is a token of the vocabulary.
  func isOrdinary(_ id: UInt32) -> Bool { Int(id) < ordinary.count && ordinary[Int(id)] }

  func token(_ id: UInt32) -> ArraySlice<UInt8> { bytes[Int(offsets[Int(id)])..<Int(offsets[Int(id) + 1])] }
}
