import Primitives
import Storage

/// A byte-level BPE tokenizer: an immutable value, cheap to copy, safe to share between threads.
///
/// `decode(encode(text)) == text` for any bytes (with a normaliser: for texts that it leaves alone).
package struct Tokenizer: Sendable {
  /// One merge: two tokens that become one.
  package struct Merge: Sendable, Equatable {
    /// The left token.
    package var left: UInt32
    /// The right token.
    package var right: UInt32
    /// The token of both, one after the other.
    package var token: UInt32

    /// Creates a merge.
    package init(left: UInt32, right: UInt32, token: UInt32) {
      self.left = left
      self.right = right
      self.token = token
    }
  }

  /// A token that no merge makes: it stands for its text as a whole.
  package struct AddedToken: Sendable, Equatable {
    /// The id.
    package var id: UInt32
    /// The text.
    package var content: String
    /// A special token is text like any other unless the caller allows specials; others are always found in a text.
    package var isSpecial: Bool

    /// Of `single_word`, `lstrip` and `rstrip` those that its file sets and that are not followed here: such a token cannot be looked for in
    /// a text.
    package var ignored: [String]

    /// Creates an added token.
    package init(id: UInt32, content: String, isSpecial: Bool = true, ignored: [String] = []) {
      self.id = id
      self.content = content
      self.isSpecial = isSpecial
      self.ignored = ignored
    }
  }

  /// What is done to a text before it is cut.
  package enum Normalization: String, Codable, Sendable {
    /// Nothing: the default, and what makes decoding exact.
    case none
    /// Unicode's composed form.
    case nfc
  }

  /// The name of the end-of-document token.
  package static let endOfDocumentName = "<|endoftext|>"
  /// Ids are below this.
  package static let maximumVocabulary = 1 << 24

  let tables: Tables
  /// What Hugging Face puts round a text with `add_special_tokens`; nothing in most files. No part of the fingerprint.
  package let template: Template

  /// Everything a tokenizer is made of; shared by its copies.
  final class Tables: Sendable {
    let bytes: [UInt8]
    let offsets: [UInt32]
    let map: ByteMap
    let mapIDs: [UInt32]
    let merges: [Merge]
    let mergeTable: MergeTable
    let byteTokens: [UInt32]
    let added: [AddedToken]
    /// Finds all added tokens, and those that are found in any text; nil where there are none.
    let allAdded: AddedTokenSearch?
    let ordinaryAdded: AddedTokenSearch?
    let pretokenizer: Pretokenizer
    let addsPrefixSpace: Bool
    let ignoresMerges: Bool
    let normalization: Normalization
    let fingerprint: UInt64

    init(
      bytes: [UInt8], offsets: [UInt32], map: ByteMap, mapIDs: [UInt32], merges: [Merge], byteTokens: [UInt32], added: [AddedToken],
      pretokenizer: Pretokenizer, addsPrefixSpace: Bool, ignoresMerges: Bool, normalization: Normalization
    ) {
      self.bytes = bytes
      self.offsets = offsets
      self.map = map
      self.mapIDs = mapIDs
      self.merges = merges
      mergeTable = MergeTable(merges, byteTokens: byteTokens, offsets: offsets)
      if ignoresMerges { mergeTable.addWords(map, ids: mapIDs) }
      self.byteTokens = byteTokens
      self.added = added
      allAdded = added.isEmpty ? nil : AddedTokenSearch(added)
      let ordinary = added.filter { !$0.isSpecial }
      ordinaryAdded = ordinary.isEmpty ? nil : AddedTokenSearch(ordinary)
      self.pretokenizer = pretokenizer
      self.addsPrefixSpace = addsPrefixSpace
      self.ignoresMerges = ignoresMerges
      self.normalization = normalization
      let head = "weir.tokenizer.1 \(pretokenizer.rawValue) \(addsPrefixSpace) \(ignoresMerges) \(normalization.rawValue)"
      let names = added.map { "\($0.id) \($0.isSpecial) \($0.content.utf8.count) \($0.content)" }.joined(separator: "\n")
      let checksum = ChecksumStream()
      Array("\(head)\n\(added.count)\n\(names)\n".utf8).withUnsafeBytes { checksum.update($0) }
      offsets.map(\.littleEndian).withUnsafeBytes { checksum.update($0) }
      bytes.withUnsafeBytes { checksum.update($0) }
      merges.flatMap { [$0.left.littleEndian, $0.right.littleEndian] }.withUnsafeBytes { checksum.update($0) }
      fingerprint = checksum.value
    }
  }

  /// Creates a tokenizer of its parts.
  /// - Parameters:
  ///   - vocabulary: the byte-level tokens with their ids, in any order; every single byte must be among them.
  ///   - merges: the merges in order of rank; the product of each must be in the vocabulary.
  ///   - added: special and other added tokens.
  ///   - pretokenizer: how a text is cut.
  ///   - addsPrefixSpace: whether a blank is put before a text that does not start with one.
  ///   - ignoresMerges: whether a pre-token that is in the vocabulary as a whole becomes that token, whatever the merges say.
  ///   - normalization: what is done to a text first.
  ///   - template: what stands round a text where the caller wants it.
  ///   - place: the file or member that errors name.
  /// - Throws: `WeirError` where parts are missing or contradict each other.
  package init(
    vocabulary: TokenList, merges: [(left: UInt32, right: UInt32)], added: [AddedToken], pretokenizer: Pretokenizer,
    addsPrefixSpace: Bool = false, ignoresMerges: Bool = false, normalization: Normalization = .none, template: Template = Template(),
    place: String = "tokenizer"
  ) throws {
    let layout = try VocabularyLayout(vocabulary, added: added, place: place)
    guard merges.count < MergeTable.limit else { throw WeirError(place, "model.merges has more than \(MergeTable.limit - 1) merges") }
    var products: [Merge] = []
    products.reserveCapacity(merges.count)
    var text: [UInt8] = []
    for (rank, merge) in merges.enumerated() {
      guard layout.isOrdinary(merge.left), layout.isOrdinary(merge.right) else {
        throw WeirError(place, "model.merges[\(rank)] names a token that is not in model.vocab")
      }
      text.removeAll(keepingCapacity: true)
      text.append(contentsOf: layout.token(merge.left))
      text.append(contentsOf: layout.token(merge.right))
      guard let index = layout.map.find(text) else {
        throw WeirError(place, "model.merges[\(rank)] makes a token that is not in model.vocab")
      }
      products.append(Merge(left: merge.left, right: merge.right, token: layout.mapIDs[index]))
    }
    tables = Tables(
      bytes: layout.bytes, offsets: layout.offsets, map: layout.map, mapIDs: layout.mapIDs, merges: products,
      byteTokens: layout.byteTokens, added: added.sorted { $0.id < $1.id }, pretokenizer: pretokenizer,
      addsPrefixSpace: addsPrefixSpace, ignoresMerges: ignoresMerges, normalization: normalization)
    if let rank = tables.mergeTable.repeated {
      throw WeirError(place, "model.merges[\(rank)] merges two tokens that an earlier merge has already")
    }
    self.template = template
    for id in template.prefix + template.suffix where bytes(of: id).isEmpty {
      throw WeirError(place, "post_processor adds the id \(id), which no token has")
    }
  }

  /// The number of ids, the size of a model's embedding: one more than the largest id.
  package var vocabularySize: Int { tables.offsets.count - 1 }
  /// The XXH3 of everything that decides which ids a text gets: 16 hexadecimal digits.
  package var fingerprint: String { Checksum.hex(tables.fingerprint) }
  /// The merges in order of rank.
  package var merges: [Merge] { tables.merges }
  /// Special and other added tokens, by id.
  package var addedTokens: [AddedToken] { tables.added }
  /// How a text is cut.
  package var pretokenizer: Pretokenizer { tables.pretokenizer }
  /// Whether a blank is put before a text that does not start with one.
  package var addsPrefixSpace: Bool { tables.addsPrefixSpace }
  /// Whether a pre-token that is in the vocabulary as a whole becomes that token.
  package var ignoresMerges: Bool { tables.ignoresMerges }
  /// What is done to a text first.
  package var normalization: Normalization { tables.normalization }

  /// The bytes that a token stands for; empty for an id that no token has.
  package func bytes(of id: UInt32) -> ArraySlice<UInt8> {
    guard Int(id) < vocabularySize else { return [] }
    return tables.bytes[Int(tables.offsets[Int(id)])..<Int(tables.offsets[Int(id) + 1])]
  }

  /// The byte-level token of these bytes.
  package func token(of bytes: [UInt8]) -> UInt32? { tables.map.find(bytes).map { tables.mapIDs[$0] } }

  /// The id of an added token.
  package func addedToken(_ content: String) -> UInt32? { tables.added.first { $0.content == content }?.id }

  /// The id of the end-of-document token, `<|endoftext|>` or what other families call it; nil where there is none.
  package var endOfDocument: UInt32? {
    for name in [Self.endOfDocumentName, "<|end_of_text|>", "</s>", "<eos>"] {
      if let id = addedToken(name) { return id }
    }
    return nil
  }
}
