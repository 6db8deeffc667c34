import ArgumentParser
import Filtering
import Primitives

/// `weir filter`: drops documents that break published quality rules.
struct FilterCommand: DocumentCommand {
  static let configuration = CommandConfiguration(
    commandName: "filter",
    abstract: "Drop documents that break published quality rules.",
    discussion: """
      Rule sets: \(FilterRules.names.joined(separator: ", ")). A single rule such as c4.policy works too, and a leading - \
      removes a rule from the list.

      Thresholds are the published ones; --set overrides one, for example --set gopherQuality.minimumWords=20. The rules \
      were made for English prose: they drop code, formulas and other languages, so check what is dropped.

      Languages: \(LanguageModel.languages.joined(separator: ", ")). A text in none of them is undetermined (und), and so is one \
      whose language is unclear.

      EXAMPLES:
        weir filter corpora/sample --rules gopher,fineweb -o kept.jsonl.zst
        weir read corpora/sample | weir filter --languages en --rejects dropped.jsonl
      """)

  @OptionGroup var input: InputOptions
  @OptionGroup var output: OutputOptions

  @Option(help: ArgumentHelp("Rules and rule sets, separated by commas.", valueName: "list"))
  var rules = "gopher,c4,-c4.no_terminal_punctuation,fineweb"

  @Option(help: ArgumentHelp("Override a threshold, as group.name=value; repeatable.", valueName: "name=value"))
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

  @OptionGroup var stream: StreamOptions
  @OptionGroup var common: CommonOptions

  func extend(_ chain: inout ChainBuilder) throws {
    try chain.add(input: input, output: output, stream: stream)
    chain.append(try FilterDocuments(configuration()))
  }

  func validate() throws { try usage { _ = try configuration() } }

  private func configuration() throws -> FilterConfiguration {
    var configuration = FilterConfiguration()
    configuration.rules = try FilterRules(parsing: rules)
    configuration.masksPersonalData = maskPii || maskPiiStrictly
    configuration.masksStrictly = maskPiiStrictly
    configuration.language.keeps = try parsedLanguages()
    (configuration.language.threshold, configuration.language.annotates) = (languageThreshold, annotateLanguage)
    for assignment in set {
      guard let equals = assignment.firstIndex(of: "=") else {
        throw WeirError("--set", "'\(assignment)' has no =", remedy: "write group.name=value")
      }
      try configuration.set(String(assignment[..<equals]), to: String(assignment[assignment.index(after: equals)...]))
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
