import ArgumentParser
import Documents
import Filtering
import Pipeline
import Primitives

/// `weir filter`: drops documents by published rules, with reasons.
struct FilterCommand: ChainCommand {
  static let configuration = CommandConfiguration(
    commandName: "filter",
    abstract: "Drops documents by published quality rules, with reasons.",
    discussion: """
      Rules: \(FilterRules.names.joined(separator: ", ")), or a single rule such as c4.policy; a leading - takes rules out again.
      Thresholds are the published ones; --set changes one: --set gopherQuality.minimumWords=20. Rules for English prose
      drop code, formulas and other languages: look at the account.

      Example: weir read corpora/sample | weir filter --rules gopher,c4,-c4.no_terminal_punctuation --rejects dropped.jsonl > kept.jsonl.zst
      """)

  @OptionGroup var input: InputOptions
  @OptionGroup var output: OutputOptions

  @Option(help: ArgumentHelp("Rules, separated by commas.", valueName: "list"))
  var rules = "gopher,c4,-c4.no_terminal_punctuation,fineweb"

  @Option(help: ArgumentHelp("A threshold, group.name=value; may be given several times.", valueName: "name=value"))
  var set: [String] = []

  @Option(help: ArgumentHelp("Keep these languages only, as de,en; und is what is in none.", valueName: "codes"))
  var languages: String?

  @Option(help: ArgumentHelp("Probability a language must have.", valueName: "share"))
  var languageThreshold = 0.65

  @Flag(help: "Note language and language_score in what is kept.")
  var annotateLanguage = false

  @Flag(help: "Replace e-mail and public IP addresses in what is kept, as FineWeb does; --rules none to do only that.")
  var maskPii = false

  @OptionGroup var stream: StreamOptions
  @OptionGroup var common: CommonOptions

  var inputs: [String] { input.paths }
  var outputs: [String] { output.output.map { [$0] } ?? [] }

  func extend(_ chain: inout ChainBuilder) throws {
    try chain.add(input: input, output: output, stream: stream)
    chain.links.append(StageLink(try FilterDocuments(configuration(), record: { SerializeDocuments.line($0) })))
  }

  func validate() throws {
    do { _ = try configuration() } catch { throw ValidationError("\(error)") }
  }

  private func configuration() throws -> FilterConfiguration {
    var configuration = FilterConfiguration()
    configuration.rules = try FilterRules(parsing: rules)
    configuration.masksPersonalData = maskPii
    configuration.language.keeps = try parsedLanguages()
    configuration.language.threshold = languageThreshold
    configuration.language.annotates = annotateLanguage
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
    guard !codes.isEmpty else { throw WeirError("--languages", "no language named", remedy: "write codes such as de,en") }
    return codes
  }

  func forecast(_ world: inout Forecast) throws -> Forecast.Row { try world.documents(input, output: output) }
}
