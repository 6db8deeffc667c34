import ArgumentParser
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
///     says: Read, filter, deduplicate, tokenize and shard the corpus, so that …
///     do: read corpora/sample | dedup --fuzzy | tokenize --tokenizer tokenizer/bpe4k | shard {run}/dataset
/// summary:
///   crisp: {base: base, crisp: continue-crisp}
/// ```
///
/// `{run}` stands for the run's folder, `{name}` for a value under `set`. Relative paths are relative to the current folder.
struct Recipe: Codable, Equatable {
  /// One step.
  struct Step: Codable, Equatable {
    var name: String
    /// One line: what it does, and why.
    var says: String
    /// The command line, without `weir`.
    var `do`: String
  }

  /// The folder of the run.
  var run: String
  /// Values that command lines name in braces.
  var set: [String: String]?
  /// The steps, in order.
  var steps: [Step]
  /// Which steps the tables of the summary come from.
  var summary: [String: [String: String]]?

  /// Reads and checks a recipe.
  static func read(_ path: String) throws -> Recipe {
    let text = String(decoding: try Files.read(path), as: UTF8.self)
    let recipe: Recipe
    try checkMembers(text, path: path)
    do {
      recipe = try YAMLDecoder().decode(Recipe.self, from: text)
    } catch let error as DecodingError {
      throw WeirError(path, "not a recipe: \(error.place)", remedy: "a recipe has run: FOLDER and steps: with name, says and do")
    } catch {
      throw WeirError(path, "not YAML: \(error)")
    }
    var names: Set<String> = []
    for step in recipe.steps {
      guard names.insert(step.name).inserted else { throw WeirError(path, "two steps are named \(step.name)") }
      guard !step.name.isEmpty, step.name.allSatisfy({ $0.isLetter || $0.isNumber || "-_.".contains($0) }) else {
        throw WeirError(path, "a step's name has letters, digits, - _ . only, not \"\(step.name)\"")
      }
    }
    guard !recipe.steps.isEmpty else { throw WeirError(path, "a recipe without steps") }
    return recipe
  }

  /// Throws where a recipe has a member that means nothing: a slip would otherwise be read as nothing at all.
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
    guard let root = node?.mapping else { return }
    func check(_ mapping: Node.Mapping, _ known: [String]) throws {
      for key in mapping.keys {
        guard let name = key.string, !known.contains(name) else { continue }
        throw WeirError(
          "\(path)\(key.mark.map { ":\($0.line)" } ?? "")", "unknown member \"\(name)\"",
          remedy: "known are \(known.joined(separator: ", "))")
      }
    }
    try check(root, ["run", "set", "steps", "summary"])
    for step in root["steps"]?.sequence ?? [] {
      if let mapping = step.mapping { try check(mapping, ["name", "says", "do"]) }
    }
  }

  /// The commands of a step, `|` between them.
  func commands(of step: Step, path: String) throws -> [[String]] {
    var text = step.do
    for (name, value) in (set ?? [:]).merging(["run": run], uniquingKeysWith: { $1 }) {
      text = text.replacingOccurrences(of: "{\(name)}", with: value)
    }
    if let open = text.firstIndex(of: "{"), let close = text[open...].firstIndex(of: "}") {
      throw WeirError(path, "step \(step.name) names \(text[open...close]), which `set` does not give")
    }
    var commands: [[String]] = [[]]
    for word in try Self.words(text, place: "\(path): step \(step.name)") {
      if word == "|" { commands.append([]) } else { commands[commands.count - 1].append(word) }
    }
    guard commands.allSatisfy({ !$0.isEmpty }) else { throw WeirError(path, "step \(step.name) has an empty command") }
    return commands
  }

  /// Splits a command line at blanks; '…' and "…" keep blanks.
  static func words(_ line: String, place: String) throws -> [String] {
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
    guard quote == nil else { throw WeirError(place, "a quote is not closed") }
    if let word { words.append(word) }
    return words
  }
}

extension DecodingError {
  /// Which member is wrong, on one line.
  var place: String {
    switch self {
    case .keyNotFound(let key, let context): "no \"\((context.codingPath + [key]).map { $0.stringValue }.joined(separator: "."))\""
    case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
      "\(context.codingPath.map { $0.stringValue }.joined(separator: ".")): \(context.debugDescription)"
    @unknown default: "\(self)"
    }
  }
}
