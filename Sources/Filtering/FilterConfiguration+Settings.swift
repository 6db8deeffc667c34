import Foundation
import Primitives

extension FilterConfiguration {
  /// A configuration of the members in `json`, which may be incomplete, over the published thresholds.
  package init(json: Data) throws { self = try Self().merging(JSONSerialization.jsonObject(with: json)) }

  /// Sets one threshold by its name, for example `gopherQuality.minimumWords` to `20`.
  /// - Parameters:
  ///   - name: `group.member`.
  ///   - value: a JSON number, boolean or array.
  /// - Throws: `WeirError` for an unknown name, listing the names, and for a value of the wrong type.
  package mutating func set(_ name: String, to value: String) throws {
    let tree = try members()
    let path = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard path.count == 2, let group = tree[path[0]] as? [String: Any], group[path[1]] != nil else {
      let names = tree.keys.sorted().flatMap { key in
        ((tree[key] as? [String: Any]) ?? [:]).keys.sorted().map { "\(key).\($0)" }
      }
      throw WeirError("--set", "unknown threshold '\(name)'", remedy: "use one of \(names.joined(separator: ", "))")
    }
    do {
      self = try merging([path[0]: [path[1]: JSONSerialization.jsonObject(with: Data(value.utf8), options: .fragmentsAllowed)]])
    } catch {
      throw WeirError("--set", "'\(value)' is not a value for \(name)", remedy: "give a JSON number, true, false or an array")
    }
    try validate()
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
