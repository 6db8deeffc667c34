import Primitives
import Storage

/// A BPE tokenizer, of bytes or of characters: an immutable value, cheap to copy, safe to share between threads.
///
/// `decode(encode(text)) == text` for any bytes, except where a normalizer changes the text or characters become unknown tokens.
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
    /// How its text is found.
    package struct Options: OptionSet, Sendable {
      package let rawValue: UInt8

      package init(rawValue: UInt8) { self.rawValue = rawValue }

      /// Only where no letter or digit adjoins it (`single_word`).
      package static let singleWord = Options(rawValue: 1)
      /// With the white space before it (`lstrip`).
      package static let leftStrip = Options(rawValue: 2)
      /// With the white space after it (`rstrip`).
      package static let rightStrip = Options(rawValue: 4)
      /// In the normalized text, in its normalized form (`normalized`).
      package static let normalized = Options(rawValue: 8)

      static let names = [("single_word", singleWord), ("lstrip", leftStrip), ("rstrip", rightStrip), ("normalized", normalized)]
    }

    package var id: UInt32
    package var content: String
    /// A special token in a text is plain text unless the caller allows specials; other added tokens are always matched.
    package var isSpecial: Bool
    package var options: Options

    package init(id: UInt32, content: String, isSpecial: Bool = true, options: Options = []) {
      self.id = id
      self.content = content
      self.isSpecial = isSpecial
      self.options = options
    }
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
    let layout: VocabularyLayout
    let merges: [Merge]
    let mergeTable: MergeTable
    let added: [AddedToken]
    /// Searches for the added tokens that are found in the text itself, and in the normalized text; nil if there are none.
    let rawSearch: AddedTokenSearch?
    let normalizedSearch: AddedTokenSearch?
    let rules: TokenizerRules
    let splitter: Splitter
    /// With `ignore_merges`, the longest text that can be one token, where texts are not split; else 0.
    let longestWhole: Int
    let fingerprint: UInt64

    init(layout: VocabularyLayout, byteTokens: [UInt32?], merges: [Merge], added: [AddedToken], rules: TokenizerRules) throws {
      self.layout = layout
      self.merges = merges
      self.added = added
      self.rules = rules
      let kernel = KernelVocabulary(layout, byteTokens: byteTokens, merges: merges, characters: rules.characters)
      mergeTable = MergeTable(kernel, vocabulary: layout.offsets.count - 1, characters: rules.characters)
      splitter = try rules.splitter(of: layout, merges: merges)
      if rules.ignoresMerges, case .whole = rules.splitting {
        longestWhole = (0..<layout.map.count).reduce(0) { max($0, layout.map.length($1)) }
      } else {
        longestWhole = 0
        if rules.ignoresMerges { mergeTable.addWords(layout.map, ids: layout.mapIDs) }
      }
      rawSearch = AddedTokenSearch(added.filter { !$0.options.contains(.normalized) }.map { ($0, Array($0.content.utf8)) })
      normalizedSearch = AddedTokenSearch(
        added.filter { $0.options.contains(.normalized) }.map { ($0, rules.normalizer.apply(Array($0.content.utf8))) })
      let names = added.map { token in
        let options = token.options.isEmpty ? "" : "\(token.options.rawValue) "
        return "\(token.id) \(token.isSpecial) \(options)\(token.content.utf8.count) \(token.content)"
      }
      let checksum = ChecksumStream()
      let head = "\(rules.signature)\n\(added.count)\n\(names.joined(separator: "\n"))\n"
      Array(head.utf8).withUnsafeBytes { checksum.update($0) }
      layout.offsets.map(\.littleEndian).withUnsafeBytes { checksum.update($0) }
      layout.bytes.withUnsafeBytes { checksum.update($0) }
      merges.flatMap { [$0.left.littleEndian, $0.right.littleEndian] }.withUnsafeBytes { checksum.update($0) }
      fingerprint = checksum.value
    }
  }

  /// Creates a byte-level tokenizer from its parts.
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
    addsPrefixSpace: Bool = false, ignoresMerges: Bool = false, template: Template = Template(), place: String = "tokenizer"
  ) throws {
    var rules = TokenizerRules(splitting: .published(pretokenizer))
    rules.prefix = addsPrefixSpace ? .always : .none
    rules.ignoresMerges = ignoresMerges
    try self.init(vocabulary: vocabulary, merges: merges, added: added, rules: rules, template: template, place: place)
  }

  /// Creates a tokenizer from its parts.
  /// - Parameters:
  ///   - vocabulary: the tokens as they are in a text, with their ids.
  ///   - texts: the bytes of tokens that decode to something else.
  ///   - byteTokens: [256] the tokens of bytes in a vocabulary of characters; nil for byte-level BPE.
  init(
    vocabulary: TokenList, texts: [UInt32: [UInt8]] = [:], byteTokens: [UInt32?]? = nil, merges: [(left: UInt32, right: UInt32)],
    added: [AddedToken], rules: TokenizerRules, template: Template, place: String
  ) throws {
    let layout = try VocabularyLayout(vocabulary, added: added, texts: texts, place: place)
    let byteTokens = try byteTokens ?? layout.byteTokens(place: place)
    // The tokens that stand for a byte without being a character.
    let fallbacks = Set(byteTokens.compactMap { $0 }.filter { layout.isOrdinary($0) && layout.withKey($0, \.count) > 1 })
    guard merges.count < MergeTable.limit else { throw WeirError(place, "model.merges has more than \(MergeTable.limit - 1) merges") }
    var products: [Merge] = []
    products.reserveCapacity(merges.count)
    var text: [UInt8] = []
    for (rank, merge) in merges.enumerated() {
      guard layout.isOrdinary(merge.left), layout.isOrdinary(merge.right) else {
        throw WeirError(place, "model.merges[\(rank)] refers to a token that is not in model.vocab")
      }
      text.removeAll(keepingCapacity: true)
      layout.withKey(merge.left) { text.append(contentsOf: $0) }
      layout.withKey(merge.right) { text.append(contentsOf: $0) }
      guard let index = layout.map.find(text) else {
        throw WeirError(place, "model.merges[\(rank)] produces a token that is not in model.vocab")
      }
      let token = layout.mapIDs[index]
      guard fallbacks.isEmpty || [merge.left, merge.right, token].allSatisfy({ !fallbacks.contains($0) }) else {
        throw WeirError(place, "model.merges[\(rank)] merges the token of a byte, which is not supported")
      }
      products.append(Merge(left: merge.left, right: merge.right, token: token))
    }
    tables = try Tables(layout: layout, byteTokens: byteTokens, merges: products, added: added.sorted { $0.id < $1.id }, rules: rules)
    if let repeated = tables.mergeTable.repeated {
      throw WeirError(place, "model.merges[\(repeated)] repeats an earlier merge")
    }
    self.template = template
    for id in template.prefix + template.suffix where bytes(of: id).isEmpty {
      throw WeirError(place, "post_processor adds id \(id), which is not a token")
    }
  }

  /// The number of ids (the size of a model's embedding): one more than the largest id.
  public var vocabularySize: Int { tables.layout.offsets.count - 1 }
  /// XXH3-64 of everything that decides the ids of a text, as 16 hexadecimal digits.
  public var fingerprint: String { Checksum.hex(tables.fingerprint) }
  /// The merges in order of rank.
  package var merges: [Merge] { tables.merges }
  /// Special and other added tokens, by id.
  package var addedTokens: [AddedToken] { tables.added }
  /// The name of the pre-tokenizer.
  package var pretokenizer: String { tables.rules.name }
  /// The published pre-tokenizer; nil for another one.
  package var publishedPretokenizer: Pretokenizer? {
    if case .published(let kind) = tables.rules.splitting { return kind }
    return nil
  }
  /// Whether a text that does not start with a space gets one.
  package var addsPrefixSpace: Bool { if case .always = tables.rules.prefix { true } else { false } }
  /// Whether a pre-token in the vocabulary becomes that token regardless of merges.
  package var ignoresMerges: Bool { tables.rules.ignoresMerges }
  /// Whether a normalizer may change a text before it is encoded.
  package var normalizes: Bool { !tables.rules.normalizer.isEmpty }
  /// Whether tokens are made of bytes, so that any text can be decoded, and not of characters.
  package var isByteLevel: Bool { tables.rules.characters == nil }

  /// The bytes of a token; empty for an id that is not a token.
  public func bytes(of id: UInt32) -> ArraySlice<UInt8> {
    guard Int(id) < vocabularySize else { return [] }
    let layout = tables.layout
    return layout.bytes[Int(layout.offsets[Int(id)])..<Int(layout.offsets[Int(id) + 1])]
  }

  /// The token of the vocabulary with these bytes in a text.
  package func token(of bytes: [UInt8]) -> UInt32? { tables.layout.map.find(bytes).map { tables.layout.mapIDs[$0] } }

  package func addedToken(_ content: String) -> UInt32? { tables.added.first { $0.content == content }?.id }

  /// The id of the end-of-document token, `<|endoftext|>` or its equivalent in other families; nil if there is none.
  public var endOfDocument: UInt32? {
    for name in [Self.endOfDocumentName, "<|end_of_text|>", "<｜end▁of▁sentence｜>", "</s>", "<eos>", "<EOT>"] {
      if let id = addedToken(name) { return id }
    }
    return nil
  }
}
