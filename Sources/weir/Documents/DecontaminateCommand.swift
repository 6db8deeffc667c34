import ArgumentParser
import Deduplication
import Documents
import Pipeline
import Workflows

/// `weir decontaminate --against FILE`: removes documents that share text with evaluation sets.
struct DecontaminateCommand: ChainCommand {
  static let configuration = CommandConfiguration(
    commandName: "decontaminate",
    abstract: "Remove documents that share text with evaluation sets.",
    discussion: """
      A document is dropped if it shares 13 consecutive words with an evaluation text (GPT-3's rule; texts of 8 to 12 words \
      must match as a whole), or contains at least 80 % of its 8-grams (PaLM's rule). Words are compared in lowercase, \
      without diacritics and punctuation. The rejects file names the evaluation text and quotes the match.

      EXAMPLES:
        weir decontaminate corpora/sample --against questions.jsonl \\
          --against-field question --rejects found.jsonl -o clean.jsonl.zst
      """)

  @OptionGroup var input: InputOptions
  @OptionGroup var output: OutputOptions

  @Option(parsing: .upToNextOption, help: ArgumentHelp("Files or folders of evaluation texts.", valueName: "file"))
  var against: [String]

  @Option(help: ArgumentHelp("Member that holds an evaluation text; repeatable.", valueName: "name"))
  var againstField: [String] = []

  @Option(help: ArgumentHelp("Consecutive shared words that drop a document; 0 disables the rule.", valueName: "n"))
  var words = DecontaminationConfiguration().words

  @Option(help: ArgumentHelp("Minimum words of an evaluation text.", valueName: "n"))
  var minimumWords = DecontaminationConfiguration().minimumWords

  @Option(help: ArgumentHelp("n of the n-grams for --cover-share; 0 disables the rule.", valueName: "n"))
  var coverWords = DecontaminationConfiguration().coverWords

  @Option(help: ArgumentHelp("Fraction of an evaluation text's n-grams that drops a document.", valueName: "share"))
  var coverShare = DecontaminationConfiguration().coverShare

  @OptionGroup var stream: StreamOptions
  @OptionGroup var common: CommonOptions

  var inputs: [String] { input.paths + against }
  var outputs: [String] { output.output.map { [$0] } ?? [] }

  func extend(_ chain: inout ChainBuilder) throws {
    try chain.add(input: input, output: output, stream: stream)
    let fields = againstField.isEmpty ? ["text"] : againstField
    let texts = try fields.flatMap { try DocumentFile.readAll(against, textField: $0) }
    let index = try EvaluationIndex(texts, configuration: configuration())
    if index.tooShort > 0 {
      Terminal.write(
        "weir: warning: \(index.tooShort) of \(texts.count) evaluation texts have fewer than \(minimumWords) words and are ignored\n"
      )
    }
    chain.append(Decontaminate(index))
  }

  func validate() throws {
    do { _ = try configuration() } catch { throw ValidationError("\(error)") }
    guard !against.contains("-") else { throw ValidationError("--against requires files or folders; standard input is the corpus") }
  }

  private func configuration() throws -> DecontaminationConfiguration {
    var configuration = DecontaminationConfiguration()
    configuration.words = words
    configuration.minimumWords = minimumWords
    configuration.coverWords = coverWords
    configuration.coverShare = coverShare
    try configuration.validate()
    return configuration
  }

  func forecast(_ forecast: inout Forecast) throws -> Forecast.Row { try forecast.documents(input, output: output) }
}
