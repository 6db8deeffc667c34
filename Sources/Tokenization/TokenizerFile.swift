import Primitives
import Storage

/// Parses a Hugging Face tokenizer.json of BPE, of bytes or of characters. Anything beyond is an error that names the member: ignoring it would
/// change the ids.
struct TokenizerFile {
  let path: String
  let root: JSONNode
  /// The tokens as they are in a text, and as they are in the file.
  private var list = TokenList()
  private var names = ByteMap()
  private var nameIDs: [UInt32] = []
  /// [256] the index in `list` of each token of one byte.
  private var singles = [Int?](repeating: nil, count: 256)

  init(_ bytes: [UInt8], path: String) throws {
    self.path = path
    try Self.refuseModel(bytes, path: path)
    root = try JSONDocument(bytes, place: path).root
    guard root.isObject else { throw WeirError(path, "is not a JSON object") }
  }

  /// Names a SentencePiece model, which is often next to a tokenizer.json. It begins with its first piece: a text, then a score.
  static func refuseModel(_ bytes: [UInt8], path: String) throws {
    guard bytes.count > 16, bytes[0] == 0x0A, bytes[2] == 0x0A, bytes[3] < bytes[1], Int(bytes[3]) + 4 < bytes.count,
      bytes[4 + Int(bytes[3])] == 0x15
    else { return }
    throw WeirError(
      path, "is a SentencePiece model, not a tokenizer.json",
      remedy: "convert it: transformers' AutoTokenizer.from_pretrained(FOLDER).save_pretrained(OUT) writes a tokenizer.json")
  }

  func fail(_ member: String, _ reason: String) -> WeirError { WeirError(path, "\(member) \(reason)") }

  /// The member of an object; nil if absent or null.
  func member(_ node: JSONNode, _ name: String) -> JSONNode? {
    guard let found = node[name], !found.isNull else { return nil }
    return found
  }

  /// The tokenizer that the file describes.
  mutating func tokenizer() throws -> Tokenizer {
    guard let model = member(root, "model") else { throw fail("model", "is missing") }
    guard model.isObject else { throw fail("model", "is not an object") }
    if let type = member(model, "type"), type.string != "BPE" {
      throw fail("model.type", "is \(type.string ?? "not a string"); only BPE is supported")
    }
    for name in ["continuing_subword_prefix", "end_of_word_suffix"] {
      if let value = member(model, name), value.string != "" { throw fail("model.\(name)", "is set, which is not supported") }
    }
    if let dropout = member(model, "dropout"), dropout.double != 0 { throw fail("model.dropout", "is set; encoding would be random") }
    var rules = try rules()
    rules.ignoresMerges = try flag(model, "ignore_merges", in: "model", default: false)
    let fallsBack = try flag(model, "byte_fallback", in: "model", default: false)
    if rules.characters == nil, fallsBack { throw fail("model.byte_fallback", "is set together with ByteLevel, which is not supported") }
    let added = try addedTokens()
    try readVocabulary(model, added: added, characters: rules.characters)
    var texts: [UInt32: [UInt8]] = [:]
    var byteTokens: [UInt32?]?
    if rules.characters != nil {
      rules.characters?.fallsBack = fallsBack
      rules.characters?.fuses = try flag(model, "fuse_unk", in: "model", default: false)
      rules.characters?.unknown = try unknown(model)
      byteTokens = try bytesOfCharacters(fallsBack, rules, texts: &texts)
      for token in added where readsMarks {
        texts[token.id] = Normalizer.blanks(Array(token.content.utf8))
      }
      if readsMarks, rules.characters?.marksBlanks == false { unmark(&texts) }
    }
    do {
      let tokenizer = try Tokenizer(
        vocabulary: list, texts: texts, byteTokens: byteTokens, merges: try readMerges(model), added: added, rules: rules,
        template: try template(), place: path)
      try checkNumbers(of: added)
      return tokenizer
    } catch let error as PatternError {
      throw fail("pre_tokenizer", error.reason)
    }
  }

  func flag(_ node: JSONNode, _ name: String, in place: String, default value: Bool) throws -> Bool {
    guard let found = member(node, name) else { return value }
    guard let flag = found.bool else { throw fail("\(place).\(name)", "is neither true nor false") }
    return flag
  }

  private mutating func addedTokens() throws -> [Tokenizer.AddedToken] {
    guard let node = member(root, "added_tokens") else { return [] }
    guard let elements = node.array else { throw fail("added_tokens", "is not a list") }
    var tokens: [Tokenizer.AddedToken] = []
    for (index, element) in elements.enumerated() {
      let place = "added_tokens[\(index)]"
      guard element.isObject else { throw fail(place, "is not an object") }
      guard let id = element["id"]?.int, id >= 0, id < Tokenizer.maximumVocabulary else { throw fail("\(place).id", "is not an id") }
      guard let content = element["content"]?.string, !content.isEmpty else { throw fail("\(place).content", "is missing") }
      let isSpecial = try flag(element, "special", in: place, default: false)
      var options: Tokenizer.AddedToken.Options = []
      for (name, option) in Tokenizer.AddedToken.Options.names where try flag(element, name, in: place, default: false) {
        options.insert(option)
      }
      tokens.append(Tokenizer.AddedToken(id: UInt32(id), content: content, isSpecial: isSpecial, options: options))
    }
    return tokens
  }

  /// Added tokens that the vocabulary does not have are numbered after it, in the order of the file, whatever number the file gives them.
  private func checkNumbers(of added: [Tokenizer.AddedToken]) throws {
    var next = UInt32(names.count)
    for token in added {
      let own = names.find(Array(token.content.utf8)).map { nameIDs[$0] }
      let number = own ?? next
      guard number == token.id else {
        let reason = own == nil ? "Hugging Face tokenizers numbers it \(number), after model.vocab" : "model.vocab id \(number)"
        throw WeirError(
          path, "added_tokens gives \"\(token.content)\" id \(token.id), \(reason)",
          remedy: "correct the id, or add the token to model.vocab")
      }
      if own == nil { next += 1 }
    }
  }

  private mutating func readVocabulary(
    _ model: JSONNode, added: [Tokenizer.AddedToken], characters: TokenizerRules.Characters?
  ) throws {
    guard let vocabulary = member(model, "vocab") else { throw fail("model.vocab", "is missing") }
    guard vocabulary.isObject else { throw fail("model.vocab", "is not an object") }
    var addedByID: [Int: Tokenizer.AddedToken] = [:]
    for token in added { addedByID[Int(token.id)] = token }
    names.reserve(keys: vocabulary.count, bytes: 8 * vocabulary.count)
    var token: [UInt8] = []
    try vocabulary.forEachMember { key, value in
      func name() -> String { "model.vocab[\"\(String(decoding: key, as: UTF8.self))\"]" }
      guard let id = value.int, id >= 0, id < Tokenizer.maximumVocabulary else { throw fail(name(), "is not an id") }
      guard names.insert(key) == nameIDs.count else { throw fail(name(), "occurs twice") }
      nameIDs.append(UInt32(id))
      let twin = addedByID[id].flatMap { $0.content.utf8.elementsEqual(key) ? $0 : nil }
      // A special token listed here is still not a product of merges, unless it is a character.
      if let twin, twin.isSpecial, twin.content.unicodeScalars.count > 1 { return }
      token.removeAll(keepingCapacity: true)
      if let characters {
        token.append(contentsOf: key)
        if characters.marksBlanks {
          if token.contains(0x20) {
            if twin != nil { return }
            throw fail(name(), "has a blank, which no text has where blanks are written as ▁")
          }
          token = Normalizer.blanks(token)
        }
      } else if !ByteAlphabet.decode(key, into: &token) {
        if twin != nil { return }
        throw fail(name(), "has a character outside the byte alphabet of byte-level BPE")
      }
      if token.count == 1 { singles[Int(token[0])] = list.count }
      list.append(token, id: UInt32(id))
    }
  }

  /// The token of unknown characters.
  private func unknown(_ model: JSONNode) throws -> UInt32? {
    guard let node = member(model, "unk_token") else { return nil }
    guard let name = node.string, let index = names.find(Array(name.utf8)) else { throw fail("model.unk_token", "is not in model.vocab") }
    return nameIDs[index]
  }

  /// The tokens of single bytes in a vocabulary of characters; `texts` receives the bytes of those of `byte_fallback`.
  private func bytesOfCharacters(
    _ fallsBack: Bool, _ rules: TokenizerRules, texts: inout [UInt32: [UInt8]]
  ) throws -> [UInt32?] {
    let hasUnknown = rules.characters?.unknown != nil
    let marksBlanks = rules.characters?.marksBlanks == true
    var tokens = [UInt32?](repeating: nil, count: 256)
    for byte in UInt8.min...UInt8.max {
      let digits = String(byte, radix: 16, uppercase: true)
      let name = "<0x\(byte < 16 ? "0" : "")\(digits)>"
      if fallsBack, let index = names.find(Array(name.utf8)) {
        tokens[Int(byte)] = nameIDs[index]
        if decodesBytes { texts[nameIDs[index]] = [byte] }
      }
      if fallsBack, marksBlanks, byte == 0x20, singles[0x20] == nil {
        throw fail("model.vocab", "has no token ▁, so that a blank would become the bytes of ▁, which is not supported")
      }
      if byte < 0x80, let index = singles[Int(byte)] { tokens[Int(byte)] = list.ids[index] }
      guard tokens[Int(byte)] == nil else { continue }
      if fallsBack, byte >= 0x80 { throw fail("model.vocab", "has no token \(name), which model.byte_fallback needs") }
      guard hasUnknown else {
        throw fail("model.unk_token", "is missing, so that characters that are not in model.vocab would disappear")
      }
    }
    return tokens
  }

  private func readMerges(_ model: JSONNode) throws -> [(left: UInt32, right: UInt32)] {
    guard let node = member(model, "merges") else { throw fail("model.merges", "is missing") }
    guard node.isArray else { throw fail("model.merges", "is not a list") }
    var merges: [(left: UInt32, right: UInt32)] = []
    merges.reserveCapacity(node.count)
    try node.forEachElement { element in
      let place = "model.merges[\(merges.count)]"
      let pair: (UInt32, UInt32)?
      if element.isArray {
        var ids: [UInt32] = []
        var known = true
        element.forEachElement { part in
          if let id = part.withString({ find($0) }) ?? nil { ids.append(id) } else { known = false }
        }
        guard ids.count == 2 || !known else { throw fail(place, "is not a pair") }
        pair = known ? (ids[0], ids[1]) : nil
      } else {
        // The older form: "left right".
        let halves: (UInt32, UInt32)?? = try element.withString { text in
          guard let blank = text.firstIndex(of: 0x20), text.lastIndex(of: 0x20) == blank else { throw fail(place, "is not a pair") }
          guard let left = find(UnsafeBufferPointer(rebasing: text[..<blank])) else { return nil }
          guard let right = find(UnsafeBufferPointer(rebasing: text[(blank + 1)...])) else { return nil }
          return (left, right)
        }
        guard let found = halves else { throw fail(place, "is not a pair") }
        pair = found
      }
      guard let pair else { throw fail(place, "refers to a token that is not in model.vocab") }
      merges.append((left: pair.0, right: pair.1))
    }
    return merges
  }

  private func find(_ name: UnsafeBufferPointer<UInt8>) -> UInt32? { names.find(name).map { nameIDs[$0] } }

  /// Tokens that decode to other bytes than they are in a text.
  private func unmark(_ texts: inout [UInt32: [UInt8]]) {
    for index in 0..<list.count where texts[list.ids[index]] == nil {
      let token = Array(list.bytes[(index == 0 ? 0 : list.ends[index - 1])..<list.ends[index]])
      let text = Normalizer.blanks(token)
      if text != token { texts[list.ids[index]] = text }
    }
  }
}
