import ArgumentParser
import Deduplication
import Documents

/// `weir decontaminate --against FILE`: removes documents that share text with evaluation sets.
struct DecontaminateCommand: DocumentCommand {
  static let configuration = CommandConfiguration(
    commandName: "decontaminate",
    abstract: "Remove documents that share text with evaluation sets.",
    discussion: """
      A document is dropped if it shares 13 consecutive words with an evaluation text, as for GPT-3, or contains at least \
      80 % of an evaluation text's 8-grams. Two things are ours: texts of 8 to 12 words must match as a whole, and n-grams \
      are counted in one document, where PaLM took 70 % in the whole training set. Words are compared in lowercase, without \
      diacritics and punctuation. The rejects file names the evaluation text and quotes the match.

      EXAMPLES:
        weir decontaminate corpora/sample --against questions.jsonl \\
          --against-field question --rejects found.jsonl -o clean.jsonl.zst
      """)

  @OptionGroup var input: InputOptions
  @OptionGroup var output: OutputOptions

  @Option(parsing: .upToNextOption, help: ArgumentHelp("Files or folders of evaluation texts.", valueName: "file"))
  var against: [String]

  @Option(help: ArgumentHelp("Member that holds an evaluation text; repeatable. (default: text)", valueName: "name"))
  var againstField: [String] = []

  @Option(help: ArgumentHelp("Drop documents that share this many consecutive words; 0 disables the rule.", valueName: "n"))
  var words = DecontaminationConfiguration().words

  @Option(help: ArgumentHelp("Ignore evaluation texts of fewer words.", valueName: "n"))
  var minimumWords = DecontaminationConfiguration().minimumWords

  @Option(help: ArgumentHelp("Words per n-gram that --cover-share counts; 0 disables the rule.", valueName: "n"))
  var coverWords = DecontaminationConfiguration().coverWords

  @Option(help: ArgumentHelp("Drop documents that contain this fraction of an evaluation text's n-grams.", valueName: "share"))
  var coverShare = DecontaminationConfiguration().coverShare

  @OptionGroup var stream: StreamOptions
  @OptionGroup var common: CommonOptions

  var inputs: [String] { input.paths + against }

  func extend(_ chain: inout ChainBuilder) throws {
    try chain.add(input: input, output: output, stream: stream)
    let fields = againstField.isEmpty ? ["text"] : againstField
    let texts = try fields.flatMap { try DocumentFile.readAll(against, textField: $0) }
    let index = try EvaluationIndex(texts, configuration: configuration())
    if index.tooShort > 0 {
      Terminal.write(
        "weir: warning: \(index.tooShort) of \(texts.count) evaluation texts have fewer than \(minimumWords) words and are ignored\n")
    }
    chain.append(Decontaminate(index))
  }

  func validate() throws {
    try usage { _ = try configuration() }
    guard !against.contains("-") else { throw ValidationError("--against requires files or folders; standard input is the corpus") }
  }

  private func configuration() throws -> DecontaminationConfiguration {
    var configuration = DecontaminationConfiguration()
    (configuration.words, configuration.minimumWords) = (words, minimumWords)
    (configuration.coverWords, configuration.coverShare) = (coverWords, coverShare)
    try configuration.validate()
    return configuration
  }
}
