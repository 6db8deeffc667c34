import Foundation
import Primitives

extension FilterConfiguration {
  /// Sets one threshold by its name, as a flag or a recipe gives it: `gopherQuality.minimumWords` to `20`.
  /// - Parameters:
  ///   - name: the path of the member.
  ///   - value: JSON: a number, `true`, a list.
  /// - Throws: `WeirError` that lists the names for an unknown one, and for a value of the wrong kind.
  package mutating func set(_ name: String, to value: String) throws {
    let encoded = try JSONEncoder().encode(self)
    guard var tree = try JSONSerialization.jsonObject(with: encoded) as? [String: Any] else { return }
    let path = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard path.count == 2, var group = tree[path[0]] as? [String: Any], group[path[1]] != nil else {
      let names = tree.keys.sorted().flatMap { key in
        ((tree[key] as? [String: Any]) ?? [:]).keys.sorted().map { "\(key).\($0)" }
      }
      throw WeirError("--set", "unknown threshold '\(name)'", remedy: "valid are \(names.joined(separator: ", "))")
    }
    do {
      group[path[1]] = try JSONSerialization.jsonObject(with: Data(value.utf8), options: .fragmentsAllowed)
      tree[path[0]] = group
      self = try JSONDecoder().decode(Self.self, from: JSONSerialization.data(withJSONObject: tree))
    } catch {
      throw WeirError("--set", "'\(value)' is no value for \(name)", remedy: "give a JSON number, true, false or a list")
    }
    try validate()
  }

  /// Checks what no text could satisfy or what would make a rule meaningless.
  /// - Throws: `WeirError` that names the member.
  package func validate() throws {
    for limit in gopherRepetition.topNGrams + gopherRepetition.duplicateNGrams where limit.n < 1 || limit.n > 100 {
      throw WeirError("gopherRepetition", "an n-gram of \(limit.n) words", remedy: "give 1 to 100")
    }
    for code in language.keeps where code != "und" && !LanguageModel.builtIn.languages.contains(code) {
      let known = (LanguageModel.builtIn.languages + ["und"]).joined(separator: ", ")
      throw WeirError("--languages", "no language '\(code)'", remedy: "the model knows \(known)")
    }
    guard (0...1).contains(language.threshold) else {
      throw WeirError("--language-threshold", "\(language.threshold) is no probability", remedy: "give 0 to 1")
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
