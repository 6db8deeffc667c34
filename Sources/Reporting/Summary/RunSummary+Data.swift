extension RunSummary {
  /// The token dataset.
  package struct Dataset: Sendable, Codable, Equatable {
    /// Documents.
    package var documents: Double?
    /// Tokens.
    package var tokens: Double?
    /// Bytes of text.
    package var bytes: Double?
    /// Bytes a token.
    package var bytesPerToken: Double?
    /// Windows of at most 1,024 tokens.
    package var windows: Double?
    /// Its fingerprint.
    package var fingerprint: String?
    /// By source.
    package var bySource: [Part]?
    /// By domain.
    package var byDomain: [Part]?

    /// Creates the value; what is not given is not known.
    package init(
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
  package struct Part: Sendable, Codable, Equatable {
    /// Its name.
    package var name: String?
    /// Documents.
    package var documents: Double?
    /// Tokens.
    package var tokens: Double?
    /// Bytes of text.
    package var bytes: Double?

    /// Creates the value; what is not given is not known.
    package init(name: String? = nil, documents: Double? = nil, tokens: Double? = nil, bytes: Double? = nil) {
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
  package struct Tokenizer: Sendable, Codable, Equatable {
    /// Its name.
    package var name: String?
    /// Size of the vocabulary.
    package var vocabulary: Int?
    /// Bytes a token on the dataset.
    package var bytesPerToken: Double?
    /// Its fingerprint.
    package var fingerprint: String?

    /// Creates the value; what is not given is not known.
    package init(name: String? = nil, vocabulary: Int? = nil, bytesPerToken: Double? = nil, fingerprint: String? = nil) {
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
  package struct Machine: Sendable, Codable, Equatable {
    /// The processor's name.
    package var processor: String?
    /// Cores used.
    package var cores: Int?
    /// Memory.
    package var memoryBytes: Double?
    /// Operating system.
    package var system: String?

    /// Creates the value; what is not given is not known.
    package init(processor: String? = nil, cores: Int? = nil, memoryBytes: Double? = nil, system: String? = nil) {
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
  package struct Provenance: Sendable, Codable, Equatable {
    /// Fingerprints of inputs and outputs.
    package var fingerprints: [String: String]?
    /// Random seeds.
    package var seeds: [String: Int]?
    /// Versions of tools and libraries.
    package var versions: [String: String]?
    /// The command line.
    package var command: String?
    /// The recipe's text.
    package var recipe: String?

    /// Creates the value; what is not given is not known.
    package init(
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
