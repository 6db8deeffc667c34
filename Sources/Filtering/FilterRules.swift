import Primitives

/// A set of rules, given as rule sets (`gopher`), single rules (`c4.policy`), and exclusions of either (`-c4.policy`).
package struct FilterRules: Sendable, Equatable {
  package var enabled: Set<FilterRule>

  package init(_ enabled: Set<FilterRule>) { self.enabled = enabled }

  /// Parses a list such as `gopher,c4,-c4.no_terminal_punctuation`; later names override earlier ones.
  /// - Parameter list: names separated by commas; a leading `-` removes the rules.
  /// - Throws: `WeirError` that lists the valid names for an unknown or missing one.
  package init(parsing list: String) throws {
    enabled = []
    var named = false
    for item in list.split(separator: ",") {
      var name = item.filter { !$0.isWhitespace }
      guard !name.isEmpty else { continue }
      let removes = name.hasPrefix("-")
      if removes { name.removeFirst() }
      guard let rules = Self.rules(named: name) else {
        throw WeirError(
          "--rules", "unknown rule '\(name)'", remedy: "use \(Self.names.joined(separator: ", ")) or single rules such as c4.policy"
        )
      }
      named = true
      if removes { enabled.subtract(rules) } else { enabled.formUnion(rules) }
    }
    guard named else { throw WeirError("--rules", "no rule given", remedy: "use \(Self.names.joined(separator: ", "))") }
  }

  /// Whether a rule is on.
  package func contains(_ rule: FilterRule) -> Bool { enabled.contains(rule) }

  /// Why a text breaks a rule with a maximum; nil if the rule is off.
  func reason(_ rule: FilterRule, _ measured: Double, above limit: Double) -> Violation? {
    contains(rule) && measured > limit ? Violation(reason: rule.rawValue, measured: measured, limit: limit) : nil
  }

  /// Why a text breaks a rule with a minimum; nil if the rule is off.
  func reason(_ rule: FilterRule, _ measured: Double, below limit: Double) -> Violation? {
    contains(rule) && measured < limit ? Violation(reason: rule.rawValue, measured: measured, limit: limit) : nil
  }

  /// The names of the rule sets, in order of evaluation.
  package static let names = ["length", "gopher-repetition", "gopher-quality", "gopher", "c4", "fineweb", "none"]

  /// The rules of a rule set or of a single rule's name; nil for an unknown name.
  package static func rules(named name: String) -> Set<FilterRule>? {
    switch name {
    case "length": between(.tooShort, .tooLong)
    case "gopher-repetition": between(.duplicateParagraphs, .duplicateNGrams)
    case "gopher-quality": between(.tooFewWords, .tooFewStopWords)
    case "gopher": between(.duplicateParagraphs, .tooFewStopWords)
    case "c4": between(.loremIpsum, .citations)
    case "none": []
    case "fineweb": between(.fewPunctuatedLines, .listLike)
    default: FilterRule(rawValue: name).map { [$0] }
    }
  }

  /// The rules of FineWeb's pipeline: Gopher repetition, Gopher quality, C4 without the terminal-punctuation rule, FineWeb.
  package static let finewebRecipe = FilterRules(between(.duplicateParagraphs, .listLike).subtracting([.noTerminalPunctuation]))

  private static func between(_ first: FilterRule, _ last: FilterRule) -> Set<FilterRule> {
    Set(FilterRule.allCases.filter { first <= $0 && $0 <= last })
  }
}

extension FilterRules: Codable {
  package init(from decoder: any Decoder) throws {
    let names = try decoder.singleValueContainer().decode([String].self)
    try self.init(parsing: names.joined(separator: ","))
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(enabled.sorted().map(\.rawValue))
  }
}
