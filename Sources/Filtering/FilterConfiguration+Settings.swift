import Foundation
import Primitives

extension FilterConfiguration {
  /// A configuration of the members in `json`, which may be incomplete, over the published thresholds.
  package init(json: Data) throws { self = try Self().merging(JSONSerialization.jsonObject(with: json)) }

  /// Sets one threshold, for example `gopher.too_few_words` to `20`.
  /// - Parameters:
  ///   - name: the name of the rule, which is also the reason in accounts and rejects; or `group.member`, such as `c4.removesLines`.
  ///   - value: a JSON number, boolean or array.
  /// - Throws: `WeirError` for an unknown name, listing the names, and for a value of the wrong type.
  package mutating func set(_ name: String, to value: String) throws {
    if let (limits, n) = Self.nGrams(of: name) { return try set(limits, n: n, to: value, name: name) }
    let tree = try members()
    let path = (Self.thresholds[name] ?? name).split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard path.count == 2, let group = tree[path[0]] as? [String: Any], group[path[1]] != nil else {
      let rules = Self.thresholds.keys.sorted() + ["gopher.top_2_grams", "gopher.duplicate_5_grams"]
      let names = tree.keys.sorted().flatMap { key in
        ((tree[key] as? [String: Any]) ?? [:]).keys.sorted().map { "\(key).\($0)" }
      }
      throw WeirError("--set", "unknown threshold '\(name)'", remedy: "use one of \((rules + names).joined(separator: ", "))")
    }
    let changed: FilterConfiguration
    do {
      changed = try merging([path[0]: [path[1]: JSONSerialization.jsonObject(with: Data(value.utf8), options: .fragmentsAllowed)]])
    } catch {
      throw WeirError("--set", "'\(value)' is not a value for \(name)", remedy: "give a JSON number, true, false or an array")
    }
    try changed.validate()
    self = changed
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
    guard let share = Double(value), share >= 0 else {
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
  }
}
