import Foundation
import Primitives

extension FilterConfiguration {
  /// A configuration of the members in `json`, which may be incomplete, over the published thresholds.
  package init(json: Data) throws { self = try Self().merging(JSONSerialization.jsonObject(with: json)) }

  /// Sets one threshold, for example `gopher.too_few_words` to `20`.
  /// - Parameters:
  ///   - name: the name of the rule, which is also the reason in accounts and rejects; or `group.member`, such as `c4.removesLines`.
  ///   - value: a JSON number, boolean or array.
  /// - Throws: `WeirError` for an unknown name, listing the names, for a value of the wrong type or out of range, and where none of the
  ///   rules that the threshold is of is on.
  package mutating func set(_ name: String, to value: String) throws {
    if let (limits, n) = Self.nGrams(of: name) {
      try requireOne(of: [limits == \.topNGrams ? .topNGrams : .duplicateNGrams], name)
      return try set(limits, n: n, to: value, name: name)
    }
    let tree = try members()
    let path = Self.threshold(name).split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard path.count == 2, let group = tree[path[0]] as? [String: Any], let old = group[path[1]] else {
      let rules = Self.thresholds.keys.sorted() + ["gopher.top_2_grams", "gopher.duplicate_5_grams"]
      let names = tree.keys.sorted().flatMap { key in
        ((tree[key] as? [String: Any]) ?? [:]).keys.sorted().map { "\(key).\($0)" }
      }
      throw WeirError("--set", "unknown threshold '\(name)'", remedy: "use one of \((rules + names).joined(separator: ", "))")
    }
    try requireOne(of: Self.rules(of: path), name)
    let changed: FilterConfiguration
    do {
      changed = try merging([path[0]: [path[1]: JSONSerialization.jsonObject(with: Data(value.utf8), options: .fragmentsAllowed)]])
    } catch {
      let needed = old is [Any] ? "a JSON array" : name == "c4.removesLines" ? "true or false" : "a number"
      throw WeirError(
        "--set", "'\(value)' is not a value for \(name)",
        remedy: Double(value) != nil && needed == "a number" ? "give a whole number" : "give \(needed)")
    }
    try changed.validate()
    self = changed
  }

  /// The threshold that a name sets: two names may stand for one.
  package static func threshold(_ name: String) -> String {
    nGrams(of: name).map { "\($0 == \.topNGrams ? "top" : "duplicate") \($1)" } ?? thresholds[name] ?? name
  }

  /// Refuses a threshold that no rule uses.
  private func requireOne(of wanted: Set<FilterRule>, _ name: String) throws {
    guard !wanted.isEmpty, rules.enabled.isDisjoint(with: wanted) else { return }
    let names = wanted.sorted().map(\.rawValue).joined(separator: " or ")
    throw WeirError("--set", "\(name) has no effect: \(names) is not on", remedy: "add it to --rules, or remove --set \(name)")
  }

  /// The rules that use a threshold: those that are named for it, otherwise all of its group.
  private static func rules(of path: [String]) -> Set<FilterRule> {
    let named = thresholds.filter { $0.value == path.joined(separator: ".") }.keys.compactMap { FilterRule(rawValue: $0) }
    switch path.joined(separator: ".") {
    case "fineweb.shortLineCharacters": return [.manyShortLines]
    case "gopherQuality.stopWords": return [.tooFewStopWords]
    case "gopherRepetition.topNGrams": return [.topNGrams]
    case "gopherRepetition.duplicateNGrams": return [.duplicateNGrams]
    case "c4.removesLines": return FilterRules.rules(named: "c4") ?? []
    default: return Set(named)
    }
  }

  /// The thresholds of the rules, as `group.member`.
  private static let thresholds: [String: String] = [
    FilterRule.tooShort: "length.minimumCharacters", .tooLong: "length.maximumCharacters",
    .duplicateParagraphs: "gopherRepetition.duplicateParagraphShare",
    .duplicateParagraphCharacters: "gopherRepetition.duplicateParagraphCharacterShare",
    .duplicateLines: "gopherRepetition.duplicateLineShare", .duplicateLineCharacters: "gopherRepetition.duplicateLineCharacterShare",
    .tooFewWords: "gopherQuality.minimumWords", .tooManyWords: "gopherQuality.maximumWords",
    .wordsTooShort: "gopherQuality.minimumMeanWordLength", .wordsTooLong: "gopherQuality.maximumMeanWordLength",
    .tooManyHashes: "gopherQuality.maximumSymbolsPerWord", .tooManyEllipses: "gopherQuality.maximumSymbolsPerWord",
    .tooManyBullets: "gopherQuality.maximumBulletLineShare", .tooManyEllipsisLines: "gopherQuality.maximumEllipsisLineShare",
    .tooFewAlphabeticWords: "gopherQuality.minimumAlphabeticWordShare", .tooFewStopWords: "gopherQuality.minimumStopWords",
    .tooFewSentences: "c4.minimumSentences", .shortLines: "c4.minimumWordsPerLine", .longWords: "c4.maximumWordLength",
    .fewPunctuatedLines: "fineweb.minimumPunctuatedLineShare", .manyShortLines: "fineweb.maximumShortLineShare",
    .repeatedLineCharacters: "fineweb.maximumDuplicateCharacterShare", .listLike: "fineweb.maximumNewlinesPerWord",
  ].reduce(into: [:]) { $0[$1.key.rawValue] = $1.value }

  /// The limits and the n of a name such as `gopher.top_2_grams`.
  private static func nGrams(of name: String) -> (WritableKeyPath<GopherRepetition, [NGramLimit]>, Int)? {
    let parts = name.split(separator: "_")
    guard parts.count == 3, parts[2] == "grams", let n = Int(parts[1]) else { return nil }
    switch parts[0] {
    case "gopher.top": return (\.topNGrams, n)
    case "gopher.duplicate": return (\.duplicateNGrams, n)
    default: return nil
    }
  }

  /// Sets the limit on n-grams of one length, and adds it where there is none.
  private mutating func set(_ limits: WritableKeyPath<GopherRepetition, [NGramLimit]>, n: Int, to value: String, name: String) throws {
    guard let share = Double(value) else {
      throw WeirError("--set", "'\(value)' is not a value for \(name)", remedy: "give a share, 0…1")
    }
    var changed = self
    changed.gopherRepetition[keyPath: limits].removeAll { $0.n == n }
    changed.gopherRepetition[keyPath: limits].append(NGramLimit(n: n, share: share))
    try changed.validate()
    self = changed
  }

  private func members() throws -> [String: Any] {
    try JSONSerialization.jsonObject(with: JSONEncoder().encode(self)) as? [String: Any] ?? [:]
  }

  /// This configuration with the members of a JSON object in place of its own, one level deep.
  private func merging(_ changes: Any) throws -> FilterConfiguration {
    let merged = try members().merging(changes as? [String: Any] ?? [:]) { old, new in
      guard let old = old as? [String: Any], let new = new as? [String: Any] else { return new }
      return old.merging(new) { $1 }
    }
    return try JSONDecoder().decode(Self.self, from: JSONSerialization.data(withJSONObject: merged))
  }

  /// Refuses thresholds that no text can satisfy or that make a rule meaningless.
  package func validate() throws {
    for limit in gopherRepetition.topNGrams + gopherRepetition.duplicateNGrams where limit.n < 1 || limit.n > 100 {
      throw WeirError("gopherRepetition", "n-grams of \(limit.n) words", remedy: "use 1 to 100")
    }
    try validateRanges()
    for code in language.keeps where code != "und" && !LanguageModel.languages.contains(code) {
      let known = (LanguageModel.languages + ["und"]).joined(separator: ", ")
      throw WeirError("--languages", "unknown language '\(code)'", remedy: "use one of \(known)")
    }
    guard (0...1).contains(language.threshold) else {
      throw WeirError("--language-threshold", "\(language.threshold) is not a probability", remedy: "use 0 to 1")
    }
    guard length.minimumCharacters <= length.maximumCharacters else {
      throw WeirError("length", "the minimum of \(length.minimumCharacters) is above the maximum of \(length.maximumCharacters)")
    }
    guard gopherQuality.minimumWords <= gopherQuality.maximumWords else {
      throw WeirError(
        "gopherQuality", "the minimum of \(gopherQuality.minimumWords) words is above the maximum of \(gopherQuality.maximumWords)")
    }
    guard gopherQuality.minimumMeanWordLength <= gopherQuality.maximumMeanWordLength else {
      throw WeirError(
        "gopherQuality",
        "the minimum mean word length of \(gopherQuality.minimumMeanWordLength) is above the maximum of \(gopherQuality.maximumMeanWordLength)"
      )
    }
  }

  /// Refuses shares beyond 0…1 and negative counts.
  private func validateRanges() throws {
    let (repetition, quality) = (gopherRepetition, gopherQuality)
    let shares: [(String, Double)] =
      [
        ("gopherRepetition.duplicateParagraphShare", repetition.duplicateParagraphShare),
        ("gopherRepetition.duplicateParagraphCharacterShare", repetition.duplicateParagraphCharacterShare),
        ("gopherRepetition.duplicateLineShare", repetition.duplicateLineShare),
        ("gopherRepetition.duplicateLineCharacterShare", repetition.duplicateLineCharacterShare),
        ("gopherQuality.maximumBulletLineShare", quality.maximumBulletLineShare),
        ("gopherQuality.maximumEllipsisLineShare", quality.maximumEllipsisLineShare),
        ("gopherQuality.minimumAlphabeticWordShare", quality.minimumAlphabeticWordShare),
        ("fineweb.minimumPunctuatedLineShare", fineweb.minimumPunctuatedLineShare),
        ("fineweb.maximumShortLineShare", fineweb.maximumShortLineShare),
        ("fineweb.maximumDuplicateCharacterShare", fineweb.maximumDuplicateCharacterShare),
      ] + repetition.topNGrams.map { ("gopher.top_\($0.n)_grams", $0.share) }
      + repetition.duplicateNGrams.map { ("gopher.duplicate_\($0.n)_grams", $0.share) }
    let counts: [(String, Double)] = [
      ("length.minimumCharacters", Double(length.minimumCharacters)), ("length.maximumCharacters", Double(length.maximumCharacters)),
      ("gopherQuality.minimumWords", Double(quality.minimumWords)), ("gopherQuality.maximumWords", Double(quality.maximumWords)),
      ("gopherQuality.minimumMeanWordLength", quality.minimumMeanWordLength),
      ("gopherQuality.maximumMeanWordLength", quality.maximumMeanWordLength),
      ("gopherQuality.maximumSymbolsPerWord", quality.maximumSymbolsPerWord),
      ("gopherQuality.minimumStopWords", Double(quality.minimumStopWords)), ("c4.minimumSentences", Double(c4.minimumSentences)),
      ("c4.minimumWordsPerLine", Double(c4.minimumWordsPerLine)), ("c4.maximumWordLength", Double(c4.maximumWordLength)),
      ("fineweb.shortLineCharacters", Double(fineweb.shortLineCharacters)),
      ("fineweb.maximumNewlinesPerWord", fineweb.maximumNewlinesPerWord),
    ]
    for (name, value) in shares where !(0...1).contains(value) {
      throw WeirError(name, "\(value) is not a share", remedy: "use 0 to 1; a rule is switched off in --rules")
    }
    for (name, value) in counts where !(value >= 0) {
      throw WeirError(name, "\(Format.significant(value)) is below 0", remedy: "use 0 or more; a rule is switched off in --rules")
    }
  }
}
