import Documents

/// The report of `weir tokenizer info`: the vocabulary, and how well it compresses given documents.
package struct TokenizerReport: Codable, Sendable, Equatable {
  package struct Token: Codable, Sendable, Equatable {
    package var id: Int
    /// The text, with U+FFFD for invalid UTF-8.
    package var text: String
    package var bytes: Int
  }

  /// The compression of a set of documents.
  package struct Compression: Codable, Sendable, Equatable {
    package var documents = 0
    /// Bytes of text.
    package var bytes = 0
    package var tokens = 0
    /// Mean bytes per token; 0 without tokens.
    package var bytesPerToken: Double { tokens == 0 ? 0 : Double(bytes) / Double(tokens) }

    private enum CodingKeys: String, CodingKey {
      case documents, bytes, tokens
      case bytesPerToken = "bytes_per_token"
    }

    package init() {}

    package init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      documents = try container.decode(Int.self, forKey: .documents)
      bytes = try container.decode(Int.self, forKey: .bytes)
      tokens = try container.decode(Int.self, forKey: .tokens)
    }

    package func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(documents, forKey: .documents)
      try container.encode(bytes, forKey: .bytes)
      try container.encode(tokens, forKey: .tokens)
      try container.encode(bytesPerToken, forKey: .bytesPerToken)
    }

    mutating func add(bytes: Int, tokens: Int) {
      documents += 1
      self.bytes += bytes
      self.tokens += tokens
    }
  }

  /// The tokenizer's fingerprint.
  package var fingerprint: String
  package var vocabulary: Int
  package var merges: Int
  package var pretokenizer: String
  /// Special and other added tokens, by id.
  package var specials: [Token]
  /// The longest tokens, longest first, then by id.
  package var longest: [Token]
  package var overall = Compression()
  /// By source; "" for documents without one.
  package var bySource: [String: Compression] = [:]
  /// By domain, as defined by the caller; nil if not requested.
  package var byDomain: [String: Compression]?
  /// The vocabulary by kinds of tokens.
  package var kinds: [VocabularyKind.Row] = []
  /// How many of the most frequent tokens cover 50, 90 and 99 % of the documents' tokens; nil without documents.
  package var coverage: [String: Int]?
  /// Fraction of the vocabulary (without added tokens) that the documents use; 0 without documents.
  package var used = 0.0

  private enum CodingKeys: String, CodingKey {
    case fingerprint, vocabulary, merges, pretokenizer, specials, longest, overall, used
    case bySource = "by_source"
    case byDomain = "by_domain"
    case kinds, coverage
  }

  /// Describes a tokenizer and its compression of documents.
  /// - Parameters:
  ///   - count: how many of the longest tokens to list.
  ///   - domain: the domain of a document; nil for no table by domain.
  package init(_ tokenizer: Tokenizer, documents: [Document] = [], longest count: Int = 20, domain: ((Document) -> String)? = nil) {
    fingerprint = tokenizer.fingerprint
    vocabulary = tokenizer.vocabularySize
    merges = tokenizer.merges.count
    pretokenizer = tokenizer.pretokenizer
    func token(_ id: UInt32) -> Token {
      let bytes = tokenizer.bytes(of: id)
      return Token(id: Int(id), text: String(decoding: bytes, as: UTF8.self), bytes: bytes.count)
    }
    let added = Set(tokenizer.addedTokens.map(\.id))
    specials = tokenizer.addedTokens.map { token($0.id) }
    let ordinary = (0..<UInt32(tokenizer.vocabularySize)).filter { !added.contains($0) && !tokenizer.bytes(of: $0).isEmpty }
    longest = ordinary.sorted { (tokenizer.bytes(of: $1).count, $0) < (tokenizer.bytes(of: $0).count, $1) }.prefix(count).map(token)
    var uses = [Int](repeating: 0, count: tokenizer.vocabularySize)
    if domain != nil { byDomain = [:] }
    var context = EncodeContext()
    var ids: [UInt32] = []
    for document in documents {
      ids.removeAll(keepingCapacity: true)
      tokenizer.encode(document.text, into: &ids, context: &context)
      for id in ids { uses[Int(id)] += 1 }
      overall.add(bytes: document.text.count, tokens: ids.count)
      bySource[document.source ?? "", default: Compression()].add(bytes: document.text.count, tokens: ids.count)
      if let domain { byDomain?[domain(document), default: Compression()].add(bytes: document.text.count, tokens: ids.count) }
    }
    kinds = VocabularyKind.rows(tokenizer, uses: uses)
    if overall.tokens > 0 { coverage = Self.coverage(uses, shares: [50, 90, 99]) }
    used = ordinary.isEmpty ? 0 : Double(ordinary.filter { uses[Int($0)] > 0 }.count) / Double(ordinary.count)
  }

  /// The number of most frequent tokens that cover each percentage of all uses.
  private static func coverage(_ uses: [Int], shares: [Int]) -> [String: Int] {
    let total = uses.reduce(0, +)
    var result: [String: Int] = [:]
    var sum = 0
    for (rank, count) in uses.sorted(by: >).enumerated() {
      sum += count
      for share in shares where result["\(share)"] == nil && 100 * sum >= share * total { result["\(share)"] = rank + 1 }
    }
    return result
  }
}
