import ArgumentParser
import Filtering
import Primitives

/// `weir filter`: drops documents that break published quality rules.
struct FilterCommand: DocumentCommand, SeededCommand {
  static let configuration = CommandConfiguration(
    commandName: "filter",
    abstract: "Drop documents that break published quality rules.",
    discussion: """
      Rule sets: \(FilterRules.names.joined(separator: ", ")). A single rule such as c4.policy works too, and a leading - \
      removes a rule from the list.

      Thresholds are the published ones; --set overrides the threshold of a rule by the rule's name, for example --set \
      gopher.too_few_words=20. The rules were made for English prose: they drop code, formulas and other languages. A table \
      at the end says what each rule dropped from each file (or domain, --by), with a sample of it; --rejects keeps all of \
      it, with what a document measured and the limit.

      Languages: \(LanguageModel.languages.joined(separator: ", ")). A text in none of them is undetermined (und), and so is one \
      whose language is unclear.

      EXAMPLES:
        weir filter corpora/sample --rules gopher,fineweb -o kept.jsonl.zst
        weir filter corpora/sample --by metadata.domain -o kept.jsonl.zst
        weir read corpora/sample | weir filter --languages en --rejects dropped.jsonl
      """)

  @OptionGroup var input: InputOptions
  @OptionGroup var output: OutputOptions

  @Option(help: ArgumentHelp("Rules and rule sets, separated by commas.", valueName: "list"))
  var rules = "gopher,c4,-c4.no_terminal_punctuation,fineweb"

  @Option(help: ArgumentHelp("Override the threshold of a rule, as RULE=VALUE; repeatable.", valueName: "rule=value"))
  var set: [String] = []

  @Option(help: ArgumentHelp("Keep only these languages, such as de,en; und means undetermined.", valueName: "codes"))
  var languages: String?

  @Option(help: ArgumentHelp("Minimum probability of the language.", valueName: "share"))
  var languageThreshold = 0.65

  @Flag(help: "Add the members language and language_score to kept documents.")
  var annotateLanguage = false

  @Flag(help: "Mask e-mail and public IP addresses as FineWeb does; use --rules none to do nothing else.")
  var maskPii = false

  @Flag(help: "Mask like --mask-pii, but leave versions and long dotted numbers alone, and mask IPv6 and non-ASCII mail addresses too.")
  var maskPiiStrictly = false

  @Option(
    help: ArgumentHelp("Domains of the table of losses: file, or a member such as source or metadata.domain.", valueName: "name"))
  var by = "file"

  @Option(help: ArgumentHelp("Dropped documents to show per rule.", valueName: "n"))
  var samples = 2

  @OptionGroup var seed: SeedOption
  @OptionGroup var stream: StreamOptions
  @OptionGroup var common: CommonOptions

  func extend(_ chain: inout ChainBuilder) throws {
    try chain.add(input: input, output: output, stream: stream)
    let configuration = try configuration()
    if configuration.rules.enabled.isEmpty, !rules.split(separator: ",").contains("none") {
      Terminal.write("weir: warning: --rules \(rules) leaves no rule; a list begins empty, so name rules before you remove some\n")
    }
    let losses = FilterLosses(by: by, samples: samples, randomSeed: seed.seed)
    chain.append(try FilterDocuments(configuration, losses: losses))
    chain.report { try losses.report.add(to: &$0) }
  }

  func validate() throws {
    guard !by.isEmpty else { throw ValidationError("--by must be file or the name of a member") }
    guard (0...1_000).contains(samples) else { throw ValidationError("--samples must be 0…1000, not \(samples)") }
    try usage { _ = try configuration() }
  }

  private func configuration() throws -> FilterConfiguration {
    var configuration = FilterConfiguration()
    configuration.rules = try FilterRules(parsing: rules)
    configuration.masksPersonalData = maskPii || maskPiiStrictly
    configuration.masksStrictly = maskPiiStrictly
    configuration.language.keeps = try parsedLanguages()
    (configuration.language.threshold, configuration.language.annotates) = (languageThreshold, annotateLanguage)
    var thresholds: [String: String] = [:]
    for assignment in set {
      guard let equals = assignment.firstIndex(of: "=") else {
        throw WeirError("--set", "'\(assignment)' has no =", remedy: "write RULE=VALUE, such as gopher.too_few_words=20")
      }
      let name = String(assignment[..<equals])
      if let other = thresholds.updateValue(name, forKey: FilterConfiguration.threshold(name)) {
        throw WeirError("--set", other == name ? "\(name) is set twice" : "\(other) and \(name) are one threshold", remedy: "set it once")
      }
      do {
        try configuration.set(name, to: String(assignment[assignment.index(after: equals)...]))
      } catch let error as WeirError {
        throw error.place == "--set" ? error : WeirError("--set \(assignment)", error.reason, remedy: error.remedy)
      }
    }
    try configuration.validate()
    return configuration
  }

  private func parsedLanguages() throws -> [String] {
    guard let languages else { return [] }
    let codes = languages.split(separator: ",").map { $0.filter { !$0.isWhitespace }.lowercased() }.filter { !$0.isEmpty }
    guard !codes.isEmpty else { throw WeirError("--languages", "contains no language code", remedy: "write codes such as de,en") }
    return codes
  }
}
