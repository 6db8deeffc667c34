import Documents
import Pipeline
import Primitives

/// Trains a byte-level BPE tokenizer: counts pre-tokens text by text, then learns merges.
///
/// The result depends on the texts and the configuration alone, not on the order of texts (as long as `maximumWords` is not
/// reached) nor on the number of threads. Merges equal those of Hugging Face's `BpeTrainer` over the same pre-tokenizer.
package struct BytePairTrainer: Sendable {
  /// What to train.
  package struct Configuration: Codable, Sendable, Equatable {
    /// The number of tokens, bytes and special tokens included.
    package var vocabulary = 16_384
    /// How a text is cut.
    package var pretokenizer = Pretokenizer.llama3
    /// The special tokens; they get the ids from 0.
    package var specials = [Tokenizer.endOfDocumentName]
    /// The smallest count of a pair that is merged.
    package var minimumFrequency = 2
    /// The most different pre-tokens kept in memory (some 60 bytes each); the rarest are forgotten beyond it.
    package var maximumWords = 8_000_000

    /// Creates the default configuration.
    package init() {}

    /// Throws a `WeirError` that names the flag where a value makes no sense.
    package func validate() throws {
      guard vocabulary < Tokenizer.maximumVocabulary else {
        throw WeirError("--vocabulary", "must be below \(Tokenizer.maximumVocabulary)")
      }
      guard vocabulary >= 256 + specials.count else {
        throw WeirError("--vocabulary", "must be at least \(256 + specials.count): 256 bytes and \(specials.count) special tokens")
      }
      guard minimumFrequency >= 1 else { throw WeirError("--min-frequency", "must be at least 1") }
      guard maximumWords >= 1_000 else { throw WeirError("--max-words", "must be at least 1000") }
      for special in specials where special.utf8.count < 2 {
        throw WeirError("--special", "\"\(special)\" is too short; a special token has at least two bytes")
      }
      guard Set(specials).count == specials.count else { throw WeirError("--special", "a special token is named twice") }
    }
  }

  /// What it was made with.
  package let configuration: Configuration
  /// Texts counted so far.
  package private(set) var texts = 0
  /// Bytes counted so far.
  package private(set) var bytes = 0
  /// Occurrences of pre-tokens that were forgotten to stay within `maximumWords`.
  package private(set) var forgotten = 0
  private var words = WordCounts()

  /// Different pre-tokens counted so far.
  package var wordCount: Int { words.count }

  /// Creates a trainer.
  /// - Throws: `WeirError` that names the flag of a bad value.
  package init(_ configuration: Configuration) throws {
    try configuration.validate()
    self.configuration = configuration
  }

  /// Counts a text.
  package mutating func add(_ text: [UInt8]) {
    text.withUnsafeBufferPointer { words.add(text: $0, pretokenizer: configuration.pretokenizer) }
    count(texts: 1, bytes: text.count)
  }

  /// Counts the documents of a source, in parallel: stretches of some megabytes each, added in order.
  /// - Parameters:
  ///   - source: where the lines come from.
  ///   - parse: which members they have.
  ///   - threads: how many count at a time.
  ///   - progress: told how far it is.
  ///   - reject: takes what is no document; nil where nobody wants it.
  /// - Returns: the account of reading.
  /// - Throws: `WeirError` for a file that cannot be read, `Stopped`.
  package mutating func add(
    _ source: DocumentSource, parse: ParseDocuments = ParseDocuments(), threads: Int, progress: Progress = .silent,
    reject: (([Reject]) throws -> Void)? = nil
  ) throws -> [Account] {
    let stage = CountDocuments(parse: parse, pretokenizer: configuration.pretokenizer)
    return try OrderedRunner(threads: threads, keepsRejects: reject != nil).run(
      stage,
      source: {
        try progress.checkStop()
        progress.update(Double(source.bytesRead), of: source.totalBytes.map { Double($0) }, unit: "B", detail: "counting words")
        return try CountDocuments.stretch(of: source)
      },
      sink: { part, ledger in
        try reject?(ledger.rejects)
        words.merge(part.words)
        count(texts: part.texts, bytes: part.bytes)
      })
  }

  private mutating func count(texts: Int, bytes: Int) {
    self.texts += texts
    self.bytes += bytes
    if words.count > configuration.maximumWords { forgotten += words.prune(to: configuration.maximumWords / 2) }
  }

  /// Learns the merges.
  /// - Returns: the tokenizer; smaller than asked for where the texts have too few pairs.
  /// - Throws: `WeirError` where nothing was counted, `Stopped`.
  package func finish(progress: Progress = .silent) throws -> Tokenizer {
    guard words.count > 0 else { throw WeirError("tokenizer train", "there is no text to train on") }
    var vocabulary = TrainingVocabulary(specials: configuration.specials)
    var learner = try MergeLearner(words, byteTokens: vocabulary.byteTokens)
    let merges = try learner.learn(
      into: &vocabulary, size: configuration.vocabulary, minimum: configuration.minimumFrequency, progress: progress)
    return try Tokenizer(
      vocabulary: vocabulary.list, merges: merges,
      added: configuration.specials.enumerated().map { .init(id: UInt32($0.offset), content: $0.element) },
      pretokenizer: configuration.pretokenizer)
  }
}
