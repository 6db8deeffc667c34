import ArgumentParser
import Documents
import Primitives
import Storage
import Tokenization
import Workflows

/// `weir tokenizer train PATH… -o DIR`.
struct TokenizerTrainCommand: WeirCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train a byte-level BPE tokenizer on documents.",
    discussion: """
      Writes a folder with a tokenizer.json that Hugging Face tokenizers loads. If the documents have too few frequent \
      pairs for the vocabulary, it is smaller and a warning says so. The result does not depend on the number of \
      threads; ties between pairs are broken as Hugging Face does.

      EXAMPLES:
        weir tokenizer train corpora/sample -o my-bpe --vocabulary 8192
      """)

  @OptionGroup var input: InputOptions

  @Option(name: [.customShort("o"), .long], help: ArgumentHelp("Tokenizer folder.", valueName: "folder"))
  var output: String

  @Option(help: ArgumentHelp("Vocabulary size, including bytes and special tokens.", valueName: "n"))
  var vocabulary = 16_384

  @Option(help: "Pre-tokenizer.")
  var pretokenizer = Pretokenizer.llama3

  @Option(help: ArgumentHelp("Special token; repeatable.", valueName: "text"))
  var special: [String] = []

  @Option(help: ArgumentHelp("Minimum count of a pair to merge.", valueName: "n"))
  var minFrequency = 2

  @Option(help: ArgumentHelp("Maximum length of a token in bytes.", valueName: "n"))
  var maxTokenLength = 128

  @Option(help: ArgumentHelp("Maximum digits per pre-token: 1 or 3. (default: the pre-tokenizer's)", valueName: "n"))
  var digits: Int?

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("Held-out documents for the compression report (bytes per token by domain).", valueName: "file"))
  var heldOut: [String] = []

  @OptionGroup var stream: StreamOptions
  @OptionGroup var common: CommonOptions

  var inputs: [String] { input.paths + heldOut }
  var outputs: [String] { [output] }

  var propertyFlags: PropertyFlags {
    [
      "vocabulary": "--vocabulary", "minimumFrequency": "--min-frequency", "maximumTokenLength": "--max-token-length",
      "specials": "--special",
    ]
  }

  /// The pre-tokenizer with the rule for digits. Llama 3's pattern with single digits is Qwen 2's.
  private func resolvedPretokenizer() throws -> Pretokenizer {
    switch (pretokenizer, digits) {
    case (_, nil): return pretokenizer
    case (.llama3, 1), (.qwen2, 1): return .qwen2
    case (.llama3, 3), (.qwen2, 3): return .llama3
    case (.gpt2, 1), (.starcoder, 1): return .starcoder
    case (.cl100k, 3): return .cl100k
    case (.o200k, 3): return .o200k
    default:
      throw WeirError(
        "--digits", "\(digits ?? 0) is not supported with \(pretokenizer.rawValue)",
        remedy: "use 1 or 3 with llama3 or qwen2, 1 with gpt2 or starcoder, 3 with cl100k or o200k")
    }
  }

  func perform(_ session: Session) throws -> Outcome {
    var configuration = BytePairTrainer.Configuration()
    configuration.vocabulary = vocabulary
    configuration.pretokenizer = try resolvedPretokenizer()
    configuration.specials = special.isEmpty ? [Tokenizer.endOfDocumentName] : special
    configuration.minimumFrequency = minFrequency
    configuration.maximumTokenLength = maxTokenLength
    // Read before training, so that a wrong path fails at once.
    let heldOut = heldOut.isEmpty ? [] : try DocumentFile.readAll(heldOut)
    var trainer = try BytePairTrainer(configuration)
    let (tokenizer, accounts) = try session.with("train") { progress in
      let source = try DocumentSource(paths: input.resolvedPaths(), limit: input.maxDocument.value)
      let parse = ParseDocuments(textField: input.textField, idField: input.idField)
      let rejects = try stream.rejects.map { try RejectFile($0) }
      let accounts = try trainer.add(
        source, parse: parse, threads: session.threads, progress: progress, reject: rejects.map { file in { try file.write($0) } })
      try source.finish()
      try rejects?.commit()
      guard trainer.texts > 0 else { throw WeirError(input.place, "no documents to train on") }
      return (try trainer.finish(progress: progress), accounts)
    }
    _ = try tokenizer.write(to: output, tool: Weir.tool, configuration: JSONValue(encoding: configuration), replacing: true)
    if tokenizer.vocabularySize < vocabulary {
      Terminal.write(
        "weir: warning: \(tokenizer.vocabularySize) tokens instead of \(vocabulary): no other pair occurs \(minFrequency) times and makes a token of "
          + "at most \(maxTokenLength) bytes; use more documents or a smaller --vocabulary\n")
    }
    let report = TokenizerReport(tokenizer, byDomain: heldOut)
    var members: [String: JSONValue] = [
      "vocabulary": .number(Double(tokenizer.vocabularySize)), "documents": .number(Double(trainer.texts)),
      "bytes": .number(Double(trainer.bytes)), "words": .number(Double(trainer.wordCount)),
    ]
    if !heldOut.isEmpty { members["held_out"] = try JSONValue(encoding: report) }
    return Outcome(
      accounts: accounts, report: .object(members),
      lines: [
        "  \(Format.count(tokenizer.vocabularySize)) tokens from \(Format.bytes(trainer.bytes)) in \(Format.count(trainer.texts)) documents, \(Format.count(trainer.wordCount)) distinct words; fingerprint \(tokenizer.fingerprint)",
        report.vocabularyTable,
      ] + report.compressionLines, maxBad: stream.maxBad)
  }

  func forecast(_ forecast: inout Forecast) throws -> Forecast.Row {
    let size = try forecast.size(of: input.paths, textField: input.textField)
    return Forecast.Row(documents: size.documents, memory: 100 * 5e6, disk: Double(vocabulary) * 70)
  }
}

extension Pretokenizer: ExpressibleByArgument {}
