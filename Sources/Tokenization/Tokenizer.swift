import Primitives
import Storage

/// A byte-level BPE tokenizer: an immutable value, cheap to copy, safe to share between threads.
///
/// `decode(encode(text)) == text` for any bytes (with a normalizer: for texts that it does not change).
public struct Tokenizer: Sendable {
  /// Two tokens that merge into one.
  package struct Merge: Sendable, Equatable {
    package var left: UInt32
    package var right: UInt32
    /// The token of the concatenation.
    package var token: UInt32

    package init(left: UInt32, right: UInt32, token: UInt32) {
      self.left = left
      self.right = right
      self.token = token
    }
  }

  /// A token that no merge produces: its whole text becomes one id.
  package struct AddedToken: Sendable, Equatable {
    package var id: UInt32
    package var content: String
    /// A special token in a text is plain text unless the caller allows specials; other added tokens are always matched.
    package var isSpecial: Bool

    /// The flags among `single_word`, `lstrip` and `rstrip` that the file sets and that are not supported: such a token cannot be matched in a
    /// text.
    package var ignored: [String]

    package init(id: UInt32, content: String, isSpecial: Bool = true, ignored: [String] = []) {
      self.id = id
      self.content = content
      self.isSpecial = isSpecial
      self.ignored = ignored
    }
  }

  /// Unicode normalization before pre-tokenization.
  package enum Normalization: String, Codable, Sendable {
    /// None: the default, with exact decoding.
    case none
    /// Unicode's composed form, NFC.
    case nfc
  }

  /// The name of the end-of-document token.
  package static let endOfDocumentName = "<|endoftext|>"
  /// Upper bound of ids.
  package static let maximumVocabulary = 1 << 24

  let tables: Tables
  /// The tokens that `add_special_tokens` adds around a text; mostly empty. Not part of the fingerprint.
  package let template: Template

  /// The parts of a tokenizer, shared by its copies.
  final class Tables: Sendable {
    let bytes: [UInt8]
    let offsets: [UInt32]
    let map: ByteMap
    let mapIDs: [UInt32]
    let merges: [Merge]
    let mergeTable: MergeTable
    let byteTokens: [UInt32]
    let added: [AddedToken]
    /// Searches for all added tokens, and for those that are always matched; nil if there are none.
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

  /// Creates a tokenizer from its parts.
  /// - Parameters:
  ///   - vocabulary: the byte-level tokens with their ids, in any order; every single byte must be among them.
  ///   - merges: the merges in order of rank; their products must be in the vocabulary.
  ///   - addsPrefixSpace: whether a text that does not start with a space gets one.
  ///   - ignoresMerges: whether a pre-token in the vocabulary becomes that token regardless of merges.
  ///   - template: the tokens to add around a text on request.
  ///   - place: the file or member, for errors.
  /// - Throws: `WeirError` if parts are missing or contradict each other.
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
        throw WeirError(place, "model.merges[\(rank)] refers to a token that is not in model.vocab")
      }
      text.removeAll(keepingCapacity: true)
      text.append(contentsOf: layout.token(merge.left))
      text.append(contentsOf: layout.token(merge.right))
      guard let index = layout.map.find(text) else {
        throw WeirError(place, "model.merges[\(rank)] produces a token that is not in model.vocab")
      }
      products.append(Merge(left: merge.left, right: merge.right, token: layout.mapIDs[index]))
    }
    tables = Tables(
      bytes: layout.bytes, offsets: layout.offsets, map: layout.map, mapIDs: layout.mapIDs, merges: products,
      byteTokens: layout.byteTokens, added: added.sorted { $0.id < $1.id }, pretokenizer: pretokenizer,
      addsPrefixSpace: addsPrefixSpace, ignoresMerges: ignoresMerges, normalization: normalization)
    if let rank = tables.mergeTable.repeated {
      throw WeirError(place, "model.merges[\(rank)] repeats an earlier merge")
    }
    self.template = template
    for id in template.prefix + template.suffix where bytes(of: id).isEmpty {
      throw WeirError(place, "post_processor adds id \(id), which is not a token")
    }
  }

  /// The number of ids (the size of a model's embedding): one more than the largest id.
  public var vocabularySize: Int { tables.offsets.count - 1 }
  /// XXH3-64 of everything that decides the ids of a text, as 16 hexadecimal digits.
  public var fingerprint: String { Checksum.hex(tables.fingerprint) }
  /// The merges in order of rank.
  package var merges: [Merge] { tables.merges }
  /// Special and other added tokens, by id.
  package var addedTokens: [AddedToken] { tables.added }
  package var pretokenizer: Pretokenizer { tables.pretokenizer }
  /// Whether a text that does not start with a space gets one.
  package var addsPrefixSpace: Bool { tables.addsPrefixSpace }
  /// Whether a pre-token in the vocabulary becomes that token regardless of merges.
  package var ignoresMerges: Bool { tables.ignoresMerges }
  package var normalization: Normalization { tables.normalization }

  /// The bytes of a token; empty for an id that is not a token.
  public func bytes(of id: UInt32) -> ArraySlice<UInt8> {
    guard Int(id) < vocabularySize else { return [] }
    return tables.bytes[Int(tables.offsets[Int(id)])..<Int(tables.offsets[Int(id) + 1])]
  }

  /// The byte-level token with these bytes.
  package func token(of bytes: [UInt8]) -> UInt32? { tables.map.find(bytes).map { tables.mapIDs[$0] } }

  package func addedToken(_ content: String) -> UInt32? { tables.added.first { $0.content == content }?.id }

  /// The id of the end-of-document token, `<|endoftext|>` or its equivalent in other families; nil if there is none.
  public var endOfDocument: UInt32? {
    for name in [Self.endOfDocumentName, "<|end_of_text|>", "</s>", "<eos>"] {
      if let id = addedToken(name) { return id }
    }
    return nil
  }
}
