import Primitives
import Storage

/// Parses a Hugging Face tokenizer.json of byte-level BPE. Anything beyond is an error that names the member: ignoring it would change the
/// ids.
struct TokenizerFile {
  private let path: String
  let root: JSONNode
  private var list = TokenList()
  private var names = ByteMap()
  private var nameIDs: [UInt32] = []
  /// Added tokens to be matched in the normalized text.
  private var looseForms: [Int] = []

  init(_ bytes: [UInt8], path: String) throws {
    self.path = path
    root = try JSONDocument(bytes, place: path).root
    guard root.isObject else { throw WeirError(path, "is not a JSON object") }
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
      if let value = member(model, name), value.string != "" { throw fail("model.\(name)", "is set; only byte-level BPE is supported") }
    }
    if let dropout = member(model, "dropout"), dropout.double != 0 { throw fail("model.dropout", "is set; encoding would be random") }
    if try flag(model, "byte_fallback", in: "model", default: false) {
      throw fail("model.byte_fallback", "is set; only byte-level BPE is supported")
    }
    let added = try addedTokens()
    try readVocabulary(model, added: added)
    let merges = try readMerges(model)
    let cut = try pretokenizer()
    try checkDecoder()
    let normalization = try normalization()
    if normalization != .none, let index = looseForms.first {
      throw fail(
        "added_tokens[\(index)].normalized", "is set, which is not supported together with a normalizer")
    }
    return try Tokenizer(
      vocabulary: list, merges: merges, added: added, pretokenizer: cut.kind, addsPrefixSpace: cut.addsPrefixSpace,
      ignoresMerges: try flag(model, "ignore_merges", in: "model", default: false), normalization: normalization,
      template: try template(), place: path)
  }

  private func flag(_ node: JSONNode, _ name: String, in place: String, default value: Bool) throws -> Bool {
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
      var ignored: [String] = []
      for name in ["single_word", "lstrip", "rstrip"] where try flag(element, name, in: place, default: false) {
        guard isSpecial else { throw fail("\(place).\(name)", "is set, which is not supported for a non-special token") }
        ignored.append(name)
      }
      if try flag(element, "normalized", in: place, default: false), !isSpecial { looseForms.append(index) }
      tokens.append(Tokenizer.AddedToken(id: UInt32(id), content: content, isSpecial: isSpecial, ignored: ignored))
    }
    return tokens
  }

  private mutating func readVocabulary(_ model: JSONNode, added: [Tokenizer.AddedToken]) throws {
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
      // A special token listed here is still not a product of merges.
      if let twin, twin.isSpecial, key.count > 1 { return }
      token.removeAll(keepingCapacity: true)
      guard ByteAlphabet.decode(key, into: &token) else {
        if twin != nil { return }
        throw fail(name(), "has a character outside the byte alphabet; only byte-level BPE is supported")
      }
      list.append(token, id: UInt32(id))
    }
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

  private func normalization() throws -> Tokenizer.Normalization {
    guard let node = member(root, "normalizer") else { return .none }
    let type = node["type"]?.string ?? "without a type"
    if type == "NFC" { return .nfc }
    if type == "Sequence", let parts = node["normalizers"]?.array {
      if parts.isEmpty { return .none }
      if parts.count == 1, parts[0]["type"]?.string == "NFC" { return .nfc }
    }
    throw fail("normalizer", "is \(type); only NFC and none are supported")
  }

  private func pretokenizer() throws -> (kind: Pretokenizer, addsPrefixSpace: Bool) {
    guard let node = member(root, "pre_tokenizer") else { throw fail("pre_tokenizer", "is missing; only byte-level BPE is supported") }
    var steps = [node]
    if node["type"]?.string == "Sequence" {
      guard let parts = node["pretokenizers"]?.array else { throw fail("pre_tokenizer.pretokenizers", "is not a list") }
      steps = parts
    }
    guard let last = steps.last, last["type"]?.string == "ByteLevel", steps.count <= 2 else {
      let types = steps.map { $0["type"]?.string ?? "without a type" }.joined(separator: ", ")
      throw fail("pre_tokenizer", "is \(types); ByteLevel, or Split and ByteLevel, are supported")
    }
    let prefix = try flag(last, "add_prefix_space", in: "pre_tokenizer", default: true)
    let usesPattern = try flag(last, "use_regex", in: "pre_tokenizer", default: true)
    if steps.count == 1 {
      guard usesPattern else { throw fail("pre_tokenizer.use_regex", "is false without a Split before it") }
      return (.gpt2, prefix)
    }
    guard !usesPattern, !prefix else { throw fail("pre_tokenizer", "has a Split followed by a ByteLevel that splits or adds spaces again") }
    let split = steps[0]
    guard split["type"]?.string == "Split" else {
      throw fail("pre_tokenizer.type", "is \(split["type"]?.string ?? "missing") before ByteLevel; only Split is supported there")
    }
    let inverted = try flag(split, "invert", in: "pre_tokenizer", default: false)
    // The patterns match everywhere, so nothing is removed.
    guard split["behavior"]?.string == (inverted ? "Removed" : "Isolated") else { throw fail("pre_tokenizer.behavior", "is not Isolated") }
    guard let pattern = split["pattern"]?["Regex"]?.string else { throw fail("pre_tokenizer.pattern.Regex", "is missing") }
    guard let kind = Pretokenizer(pattern: pattern) else {
      let known = Pretokenizer.allCases.map(\.rawValue).joined(separator: ", ")
      throw fail("pre_tokenizer.pattern.Regex", "is not one of the patterns of \(known)")
    }
    return (kind, false)
  }
}
