import Documents
import Pipeline
import Primitives

/// Trains a byte-level BPE tokenizer: counts pre-tokens text by text, then learns merges.
///
/// The result depends only on the texts and the configuration, not on their order (unless `maximumWords` is reached) or the number of
/// threads. Merges equal those of Hugging Face's `BpeTrainer` over the same pre-tokenizer.
package struct BytePairTrainer: Sendable {
  package struct Configuration: Codable, Sendable, Equatable {
    /// Vocabulary size, including bytes and special tokens.
    package var vocabulary = 16_384
    package var pretokenizer = Pretokenizer.llama3
    /// Special tokens; their ids start at 0.
    package var specials = [Tokenizer.endOfDocumentName]
    /// Minimum count of a pair to merge.
    package var minimumFrequency = 2
    /// Maximum length of a token in bytes.
    package var maximumTokenLength = 128
    /// Maximum distinct pre-tokens in memory (about 60 bytes each); beyond it, the rarest are discarded.
    package var maximumWords = 8_000_000

    package init() {}

    package func validate() throws {
      guard vocabulary < Tokenizer.maximumVocabulary else {
        throw WeirError("vocabulary", "must be below \(Tokenizer.maximumVocabulary)")
      }
      guard vocabulary >= 256 + specials.count else {
        throw WeirError("vocabulary", "must be at least \(256 + specials.count): 256 bytes and \(specials.count) special tokens")
      }
      guard minimumFrequency >= 1 else { throw WeirError("minimumFrequency", "must be at least 1") }
      guard maximumTokenLength >= 2 else { throw WeirError("maximumTokenLength", "must be at least 2 bytes") }
      guard maximumWords >= 1_000 else { throw WeirError("maximumWords", "must be at least 1000") }
      for special in specials where special.utf8.count < 2 {
        throw WeirError("specials", "\"\(special)\" is too short; a special token has at least two bytes")
      }
      guard Set(specials).count == specials.count else { throw WeirError("specials", "a special token is given twice") }
    }
  }

  package let configuration: Configuration
  /// Number of texts so far.
  package private(set) var texts = 0
  /// Bytes of text so far.
  package private(set) var bytes = 0
  /// Occurrences of pre-tokens discarded to stay within `maximumWords`.
  package private(set) var forgotten = 0
  private var words = WordCounts()

  /// Distinct pre-tokens so far.
  package var wordCount: Int { words.count }

  package init(_ configuration: Configuration) throws {
    try configuration.validate()
    self.configuration = configuration
  }

  package mutating func add(_ text: [UInt8]) {
    text.withUnsafeBufferPointer { words.add(text: $0, pretokenizer: configuration.pretokenizer) }
    count(texts: 1, bytes: text.count)
  }

  /// Counts the documents of a source in parallel, in blocks of some megabytes that are added in order.
  /// - Parameter reject: receives the quarantined records; nil to discard them.
  /// - Returns: the account of reading.
  package mutating func add(
    _ source: DocumentSource, parse: ParseDocuments = ParseDocuments(), threads: Int, progress: Progress = .silent,
    reject: (([Reject]) throws -> Void)? = nil
  ) throws -> [Account] {
    let stage = CountDocuments(parse: parse, pretokenizer: configuration.pretokenizer)
    return try OrderedRunner(threads: threads, keepsRejects: reject != nil).run(
      Stages(stage),
      source: {
        try progress.checkStop()
        progress.update(Double(source.bytesRead), of: source.totalBytes.map { Double($0) }, unit: "bytes", detail: "counting words")
        return try CountDocuments.group(of: source)
      },
      sink: { delivery in
        try reject?(delivery.rejects)
        words.merge(delivery.output.words)
        count(texts: delivery.output.texts, bytes: delivery.output.bytes)
      })
  }

  private mutating func count(texts: Int, bytes: Int) {
    self.texts += texts
    self.bytes += bytes
    if words.count > configuration.maximumWords { forgotten += words.prune(to: configuration.maximumWords / 2) }
  }

  /// Learns the merges.
  /// - Returns: the tokenizer, with a smaller vocabulary than configured if the texts have too few pairs.
  /// - Throws: `WeirError` if no text was counted.
  package func finish(progress: Progress = .silent) throws -> Tokenizer {
    guard words.count > 0 else { throw WeirError("tokenizer train", "there is no text to train on") }
    var vocabulary = TrainingVocabulary(specials: configuration.specials)
    var learner = try MergeLearner(words, byteTokens: vocabulary.byteTokens)
    let merges = try learner.learn(
      into: &vocabulary, size: configuration.vocabulary, minimum: configuration.minimumFrequency, longest: configuration.maximumTokenLength,
      progress: progress)
    return try Tokenizer(
      vocabulary: vocabulary.list, merges: merges,
      added: configuration.specials.enumerated().map { .init(id: UInt32($0.offset), content: $0.element) },
      pretokenizer: configuration.pretokenizer)
  }
}
