extension RunSummary {
  /// The token dataset.
  public struct Dataset: Sendable, Codable, Equatable {
    /// Documents.
    public var documents: Double?
    /// Tokens.
    public var tokens: Double?
    /// Bytes of text.
    public var bytes: Double?
    /// Bytes a token.
    public var bytesPerToken: Double?
    /// Windows of at most 1,024 tokens.
    public var windows: Double?
    /// Its fingerprint.
    public var fingerprint: String?
    /// By source.
    public var bySource: [Part]?
    /// By domain.
    public var byDomain: [Part]?

    /// Creates the value; what is not given is not known.
    public init(
      documents: Double? = nil, tokens: Double? = nil, bytes: Double? = nil, bytesPerToken: Double? = nil, windows: Double? = nil,
      fingerprint: String? = nil, bySource: [Part]? = nil, byDomain: [Part]? = nil
    ) {
      self.documents = documents
      self.tokens = tokens
      self.bytes = bytes
      self.bytesPerToken = bytesPerToken
      self.windows = windows
      self.fingerprint = fingerprint
      self.bySource = bySource
      self.byDomain = byDomain
    }

    private enum CodingKeys: String, CodingKey {
      case documents, tokens, bytes, windows, fingerprint
      case bytesPerToken = "bytes_per_token"
      case bySource = "by_source"
      case byDomain = "by_domain"
    }
  }

  /// A part of the dataset.
  public struct Part: Sendable, Codable, Equatable {
    /// Its name.
    public var name: String?
    /// Documents.
    public var documents: Double?
    /// Tokens.
    public var tokens: Double?
    /// Bytes of text.
    public var bytes: Double?

    /// Creates the value; what is not given is not known.
    public init(name: String? = nil, documents: Double? = nil, tokens: Double? = nil, bytes: Double? = nil) {
      self.name = name
      self.documents = documents
      self.tokens = tokens
      self.bytes = bytes
    }

    private enum CodingKeys: String, CodingKey {
      case name, documents, tokens, bytes
    }
  }

  /// The tokenizer.
  public struct Tokenizer: Sendable, Codable, Equatable {
    /// Its name.
    public var name: String?
    /// Size of the vocabulary.
    public var vocabulary: Int?
    /// Bytes a token on the dataset.
    public var bytesPerToken: Double?
    /// Its fingerprint.
    public var fingerprint: String?

    /// Creates the value; what is not given is not known.
    public init(name: String? = nil, vocabulary: Int? = nil, bytesPerToken: Double? = nil, fingerprint: String? = nil) {
      self.name = name
      self.vocabulary = vocabulary
      self.bytesPerToken = bytesPerToken
      self.fingerprint = fingerprint
    }

    private enum CodingKeys: String, CodingKey {
      case name, vocabulary, fingerprint
      case bytesPerToken = "bytes_per_token"
    }
  }

  /// Where it ran.
  public struct Machine: Sendable, Codable, Equatable {
    /// The processor's name.
    public var processor: String?
    /// Cores used.
    public var cores: Int?
    /// Memory.
    public var memoryBytes: Double?
    /// Operating system.
    public var system: String?

    /// Creates the value; what is not given is not known.
    public init(processor: String? = nil, cores: Int? = nil, memoryBytes: Double? = nil, system: String? = nil) {
      self.processor = processor
      self.cores = cores
      self.memoryBytes = memoryBytes
      self.system = system
    }

    private enum CodingKeys: String, CodingKey {
      case processor, cores, system
      case memoryBytes = "memory_bytes"
    }
  }

  /// What is needed to make it again.
  public struct Provenance: Sendable, Codable, Equatable {
    /// Fingerprints of inputs and outputs.
    public var fingerprints: [String: String]?
    /// Random seeds.
    public var seeds: [String: Int]?
    /// Versions of tools and libraries.
    public var versions: [String: String]?
    /// The command line.
    public var command: String?
    /// The recipe's text.
    public var recipe: String?

    /// Creates the value; what is not given is not known.
    public init(
      fingerprints: [String: String]? = nil, seeds: [String: Int]? = nil, versions: [String: String]? = nil, command: String? = nil,
      recipe: String? = nil
    ) {
      self.fingerprints = fingerprints
      self.seeds = seeds
      self.versions = versions
      self.command = command
      self.recipe = recipe
    }

    private enum CodingKeys: String, CodingKey {
      case fingerprints, seeds, versions, command, recipe
    }
  }
}
