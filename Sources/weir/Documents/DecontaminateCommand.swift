import ArgumentParser
import Deduplication

/// `weir decontaminate --against FILE`: removes documents that share text with evaluation sets.
struct DecontaminateCommand: DocumentCommand {
  static let configuration = CommandConfiguration(
    commandName: "decontaminate",
    abstract: "Remove documents that share text with evaluation sets.",
    discussion: """
      A document is dropped if it shares 13 consecutive words with an evaluation text, as for GPT-3, or contains at least \
      80 % of an evaluation text's 8-grams. Two things are ours: texts of 8 to 12 words must match as a whole, and n-grams \
      are counted in one document, where PaLM took 70 % in the whole training set. --cut keeps the rest of the document, \
      also as for GPT-3: it removes the shared text with 200 characters on each side, then pieces of fewer than 200 \
      characters, and drops documents that fall into more than 10 pieces. The rejects file names the evaluation text and \
      quotes the match, also of documents that are cut and kept (kept, removed_bytes).

      Words are compared in every script after case folding and compatibility decomposition (NFKD), without diacritics; \
      punctuation, symbols and markup separate them. In scripts without spaces, two Han characters, three kana or four \
      characters of Thai, Lao, Khmer, Burmese or Tibetan count as one word: 13 words are 26 Han characters. Vowel signs and \
      other marks belong to the character before them.

      N-grams that more than 10 documents of the corpus contain do not count, because most are common phrases and \
      boilerplate; remove duplicates first. Which n-grams these are is known at the end, so documents wait in a temporary \
      file in TMPDIR.

      EXAMPLES:
        weir decontaminate corpora/sample --against questions.jsonl \\
          --against-field question --rejects found.jsonl -o clean.jsonl.zst
        weir decontaminate corpora/sample --against quiz.jsonl --cut \\
          --against-field question --against-field choices.text
      """)

  @OptionGroup var input: InputOptions
  @OptionGroup var output: OutputOptions

  @Option(parsing: .upToNextOption, help: ArgumentHelp("Files or folders of evaluation texts.", valueName: "file"))
  var against: [String]

  @Option(
    help: ArgumentHelp(
      "Member that holds an evaluation text or a list of them, such as question or choices.text; repeatable. (default: text)",
      valueName: "name"))
  var againstField: [String] = []

  @Option(help: ArgumentHelp("Drop documents that share this many consecutive words; 0 disables the rule.", valueName: "n"))
  var words = DecontaminationConfiguration().words

  @Option(help: ArgumentHelp("Ignore evaluation texts of fewer words.", valueName: "n"))
  var minimumWords = DecontaminationConfiguration().minimumWords

  @Option(help: ArgumentHelp("Words per n-gram that --cover-share counts; 0 disables the rule.", valueName: "n"))
  var coverWords = DecontaminationConfiguration().coverWords

  @Option(help: ArgumentHelp("Drop documents that contain this fraction of an evaluation text's n-grams.", valueName: "share"))
  var coverShare = DecontaminationConfiguration().coverShare

  @Option(
    help: ArgumentHelp("Ignore n-grams that more than this many documents of the corpus contain; 0 counts all.", valueName: "n"))
  var commonDocuments = DecontaminationConfiguration().commonDocuments

  @Flag(help: "Cut shared text out instead of dropping the document.")
  var cut = false

  @Option(
    help: ArgumentHelp(
      "Domains of the table of losses: file, or a member such as source or metadata.domain. (default: metadata.domain, else source, else file)",
      valueName: "name"))
  var by: String?

  @OptionGroup var stream: StreamOptions
  @OptionGroup var common: CommonOptions

  var inputs: [String] { input.paths + against }

  func extend(_ chain: inout ChainBuilder) throws {
    try chain.add(input: input, output: output, stream: stream)
    let fields = againstField.isEmpty ? ["text"] : againstField
    let evaluation = try EvaluationTexts(against, fields: fields)
    if evaluation.ignored > 0 {
      let values = "null, true or false under \(fields.joined(separator: " or ")) \(evaluation.ignored) times, where texts belong"
      Terminal.write("weir: warning: \(against.joined(separator: " ")): \(values); these are ignored\n")
    }
    let index = try EvaluationIndex(evaluation.texts, configuration: configuration())
    if index.tooShort > 0 {
      Terminal.write(
        "weir: warning: \(index.tooShort) of \(index.texts.count) evaluation texts have fewer than \(minimumWords) words and are ignored"
          + index.shortNote + "\n")
    }
    let losses = DomainLosses(by: by)
    if commonDocuments > 0 {
      chain.append(DecontaminationBarrier(index, losses: losses))
    } else {
      chain.append(Decontaminate(index, losses: losses))
    }
    chain.report { try losses.add(to: &$0) }
  }

  func validate() throws {
    try usage { _ = try configuration() }
    guard by != "" else { throw ValidationError("--by must be file or the name of a member") }
    guard !against.contains("-") else { throw ValidationError("--against requires files or folders; standard input is the corpus") }
  }

  private func configuration() throws -> DecontaminationConfiguration {
    var configuration = DecontaminationConfiguration()
    (configuration.words, configuration.minimumWords) = (words, minimumWords)
    (configuration.coverWords, configuration.coverShare) = (coverWords, coverShare)
    (configuration.commonDocuments, configuration.cuts) = (commonDocuments, cut)
    try configuration.validate()
    return configuration
  }
}
