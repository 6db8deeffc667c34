import Foundation
import Primitives
import Storage
import Yams

/// A recipe: named steps, each a command line of `weir` (stages chained by `|`), read from YAML.
///
/// ```yaml
/// run: runs/demo
/// steps:
///   - name: dataset
///     says: Read, filter, deduplicate, tokenize and shard the corpus
///     do: read corpora/sample | dedup --fuzzy | tokenize --tokenizer tokenizer/bpe4k | shard {run}/dataset
/// summary:
///   crisp: {base: base, crisp: continue-crisp}
/// ```
///
/// `{run}` is replaced by the run folder, `{name}` by a value under `set`. Relative paths are relative to the working directory.
package struct Recipe: Codable, Sendable, Equatable {
  package struct Step: Codable, Sendable, Equatable {
    package var name: String
    /// What the step does, on one line.
    package var says: String
    /// The command line, without `weir`.
    package var `do`: String
  }

  /// The run folder.
  package var run: String
  /// Values for names in braces.
  package var set: [String: String]?
  /// The steps, in order.
  package var steps: [Step]
  /// Which steps the tables of the report come from, by section.
  package var summary: [String: [String: String]]?

  /// Reads and checks a recipe.
  package static func read(_ path: String) throws -> Recipe {
    let text = String(decoding: try Files.read(path), as: UTF8.self)
    let recipe: Recipe
    try checkMembers(text, path: path)
    do {
      recipe = try YAMLDecoder().decode(Recipe.self, from: text)
    } catch let error as DecodingError {
      throw WeirError(
        path, "not a recipe: \(JSONFile.explain(error))", remedy: "a recipe has `run: FOLDER` and `steps:` with name, says and do")
    } catch {
      throw WeirError(path, "not YAML: \(error)")
    }
    var names: Set<String> = []
    for step in recipe.steps {
      guard names.insert(step.name).inserted else { throw WeirError(path, "two steps are named \(step.name)") }
      guard step.name.utf8.count <= 200 else {
        throw WeirError(path, "a step name has \(step.name.utf8.count) bytes, more than 200", remedy: "choose a shorter one")
      }
      guard step.name != ".", step.name != ".." else {
        throw WeirError(path, "a step is named \"\(step.name)\", which is a folder", remedy: "choose another name")
      }
      guard !step.name.isEmpty, step.name.allSatisfy({ $0.isLetter || $0.isNumber || "-_.".contains($0) }) else {
        throw WeirError(path, "step name \"\(step.name)\" has characters other than letters, digits, - _ and .")
      }
    }
    try recipe.checkRun(path)
    guard !recipe.steps.isEmpty else { throw WeirError(path, "the recipe has no steps") }
    return recipe
  }

  /// Refuses a run folder that is not a folder of its own below the working directory, or at an absolute path.
  private func checkRun(_ path: String) throws {
    let parts = run.split(separator: "/")
    func wrong(_ reason: String) -> WeirError {
      WeirError(path, "`run` is \"\(Format.clip(run, 80))\", \(reason)", remedy: "name a folder, such as runs/demo")
    }
    guard !parts.allSatisfy({ $0 == "." || $0.allSatisfy(\.isWhitespace) }) else { throw wrong("which is not a folder of its own") }
    guard run.hasPrefix("/") || parts.first != "~" else { throw wrong("where only a shell knows what ~ is") }
    guard !parts.contains("..") else { throw wrong("which leads out of its folder") }
    guard run.utf8.count <= 4_096, parts.allSatisfy({ $0.utf8.count <= 255 }) else { throw wrong("which is too long") }
    guard !run.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else {
      throw wrong("which contains control characters")
    }
  }

  /// Refuses unknown members, which the decoder would ignore: a typo must not change a recipe silently.
  private static func checkMembers(_ text: String, path: String) throws {
    let node: Node?
    do {
      node = try Yams.compose(yaml: text)
    } catch let error as YamlError {
      switch error {
      case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _), .composer(_, let problem, let mark, _):
        throw WeirError("\(path):\(mark.line)", "not YAML: \(problem)")
      default: throw WeirError(path, "not YAML: \("\(error)".split(separator: "\n").joined(separator: " "))")
      }
    }
    guard let root = node?.mapping else {
      throw WeirError(path, "not a recipe: the top level has no members", remedy: "a recipe has `run: FOLDER` and `steps:`")
    }
    func check(_ mapping: Node.Mapping, _ known: [String]) throws {
      for key in mapping.keys {
        guard let name = key.string, !known.contains(name) else { continue }
        throw WeirError(
          "\(path)\(key.mark.map { ":\($0.line)" } ?? "")", "unknown member \"\(name)\"",
          remedy: "known are \(known.joined(separator: ", "))")
      }
    }
    try check(root, ["run", "set", "steps", "summary"])
    // The decoder takes null for a string.
    if let run = root["run"]?.scalar, run.style == .plain, ["~", "null", "Null", "NULL"].contains(run.string) {
      throw WeirError("\(path)\(run.mark.map { ":\($0.line)" } ?? "")", "`run` is null", remedy: "name a folder, such as runs/demo")
    }
    for step in root["steps"]?.sequence ?? [] {
      if let mapping = step.mapping { try check(mapping, ["name", "says", "do"]) }
    }
    guard let summary = root["summary"]?.mapping else { return }
    try check(summary, RecipeSection.allCases.map(\.rawValue))
    let steps = Set((root["steps"]?.sequence ?? []).compactMap { $0.mapping?["name"]?.string })
    for (key, members) in summary {
      guard let section = RecipeSection(rawValue: key.string ?? ""), let members = members.mapping else { continue }
      for (key, value) in members {
        guard let problem = section.problem(member: key.string ?? "", value: value.string, isStep: steps.contains) else { continue }
        throw WeirError(
          "\(path)\(key.mark.map { ":\($0.line)" } ?? "")", problem,
          remedy: "`summary.\(section.rawValue)` has \(section.members.joined(separator: ", "))")
      }
    }
  }

  /// The commands of a step, as separated by `|`.
  package func commands(of step: Step, path: String) throws -> [[String]] {
    var text = step.do
    for (name, value) in (set ?? [:]).merging(["run": run], uniquingKeysWith: { $1 }) {
      text = text.replacingOccurrences(of: "{\(name)}", with: value)
    }
    if let open = text.firstIndex(of: "{"), let close = text[open...].firstIndex(of: "}") {
      throw WeirError(path, "step \(step.name) uses \(text[open...close]), which `set` does not define")
    }
    var commands: [[String]] = [[]]
    for word in try Self.words(text, place: "\(path): step \(step.name)") {
      if word == "|" { commands.append([]) } else { commands[commands.count - 1].append(word) }
    }
    guard commands.allSatisfy({ !$0.isEmpty }) else { throw WeirError(path, "step \(step.name) has an empty command") }
    return commands
  }

  /// Splits a command line at whitespace outside quotes.
  package static func words(_ line: String, place: String) throws -> [String] {
    var words: [String] = []
    var word: String?
    var quote: Character?
    for character in line {
      if let open = quote {
        if character == open { quote = nil } else { word?.append(character) }
      } else if character == "'" || character == "\"" {
        quote = character
        word = word ?? ""
      } else if character.isWhitespace {
        if let done = word { words.append(done) }
        word = nil
      } else {
        word = (word ?? "") + String(character)
      }
    }
    guard quote == nil else { throw WeirError(place, "unbalanced quote") }
    if let word { words.append(word) }
    return words
  }
}
