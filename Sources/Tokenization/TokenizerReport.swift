import Documents

/// What `weir tokenizer info` tells: the vocabulary, and how well it fits given documents.
package struct TokenizerReport: Codable, Sendable, Equatable {
  /// A token and what it stands for.
  package struct Token: Codable, Sendable, Equatable {
    /// The id.
    package var id: Int
    /// The text; bytes that are not UTF-8 as U+FFFD.
    package var text: String
    /// Bytes.
    package var bytes: Int
  }

  /// How a set of documents fares.
  package struct Compression: Codable, Sendable, Equatable {
    /// Documents.
    package var documents = 0
    /// Bytes of text.
    package var bytes = 0
    /// Tokens.
    package var tokens = 0
    /// Bytes a token stands for on average; 0 without tokens.
    package var bytesPerToken: Double { tokens == 0 ? 0 : Double(bytes) / Double(tokens) }

    private enum CodingKeys: String, CodingKey {
      case documents, bytes, tokens
      case bytesPerToken = "bytes_per_token"
    }

    /// Creates an empty count.
    package init() {}

    /// Decodes; the average follows from the rest.
    package init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      documents = try container.decode(Int.self, forKey: .documents)
      bytes = try container.decode(Int.self, forKey: .bytes)
      tokens = try container.decode(Int.self, forKey: .tokens)
    }

    /// Encodes, the average too.
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

  /// The XXH3 of vocabulary, merges, special tokens and pre-tokenizer.
  package var fingerprint: String
  /// The number of ids.
  package var vocabulary: Int
  /// The number of merges.
  package var merges: Int
  /// How a text is cut.
  package var pretokenizer: Pretokenizer
  /// Special and other added tokens, by id.
  package var specials: [Token]
  /// The longest tokens, longest first, then by id.
  package var longest: [Token]
  /// All documents given.
  package var overall = Compression()
  /// By source; documents without one under "".
  package var bySource: [String: Compression] = [:]
  /// By what the caller calls a document's domain; nil where it was not asked for.
  package var byDomain: [String: Compression]?
  /// The vocabulary by kinds of tokens.
  package var kinds: [VocabularyKind.Row] = []
  /// How many of the most frequent tokens make 50, 90 and 99 % of the documents' tokens; nil without documents.
  package var coverage: [String: Int]?
  /// The share of the vocabulary without added tokens that the documents use; 0 without documents.
  package var used = 0.0

  private enum CodingKeys: String, CodingKey {
    case fingerprint, vocabulary, merges, pretokenizer, specials, longest, overall, used
    case bySource = "by_source"
    case byDomain = "by_domain"
    case kinds, coverage
  }

  /// Looks at a tokenizer and at how it fares on documents.
  /// - Parameters:
  ///   - tokenizer: the tokenizer.
  ///   - documents: any texts; none is fine.
  ///   - count: how many of the longest tokens are listed.
  ///   - domain: what a document's domain is called; nil where no table by domain is wanted.
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

  /// The number of tokens, the most frequent first, that make at least so many percent of all uses.
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
