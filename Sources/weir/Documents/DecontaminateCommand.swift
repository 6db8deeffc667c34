import ArgumentParser
import Deduplication
import Documents
import Pipeline
import Primitives

/// `weir decontaminate --against FILE`: removes documents that share text with evaluation sets.
struct DecontaminateCommand: ChainCommand {
  static let configuration = CommandConfiguration(
    commandName: "decontaminate",
    abstract: "Removes documents that share text with evaluation sets.",
    discussion: """
      A document goes that shares 13 words in a row with an evaluation text (as GPT-3; a shorter text counts as a whole, from 8 words on),
      or has 80 % of its 8-grams (as PaLM). Words are compared in lower case, without diacritics and punctuation. --rejects says which
      document matched which text, and where.

      Example: weir decontaminate corpora/sample --against questions.jsonl --against-field question --rejects found.jsonl -o clean.jsonl.zst
      """)

  @OptionGroup var input: InputOptions
  @OptionGroup var output: OutputOptions

  @Option(parsing: .upToNextOption, help: ArgumentHelp("Files or folders of evaluation texts.", valueName: "file"))
  var against: [String]

  @Option(help: ArgumentHelp("The member that holds an evaluation text; may be given several times.", valueName: "name"))
  var againstField: [String] = []

  @Option(help: ArgumentHelp("Words in a row that must not be shared; 0 for none.", valueName: "n"))
  var words = DecontaminationConfiguration().words

  @Option(help: ArgumentHelp("Least words of an evaluation text.", valueName: "n"))
  var minimumWords = DecontaminationConfiguration().minimumWords

  @Option(help: ArgumentHelp("Words of the n-grams whose share is taken; 0 for none.", valueName: "n"))
  var coverWords = DecontaminationConfiguration().coverWords

  @Option(help: ArgumentHelp("Share of the n-grams of an evaluation text that must not be reached.", valueName: "share"))
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
        "weir: warning: \(index.tooShort) of \(texts.count) evaluation texts have fewer than \(minimumWords) words and are not looked for\n"
      )
    }
    chain.links.append(StageLink(Decontaminate(index)))
  }

  func validate() throws {
    do { _ = try configuration() } catch { throw ValidationError("\(error)") }
    guard !against.contains("-") else { throw ValidationError("--against names files; standard input is the corpus.") }
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

  func forecast(_ world: inout Forecast) throws -> Forecast.Row { try world.documents(input, output: output) }
}
