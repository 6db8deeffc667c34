import Foundation
import Testing

/// Compares `--help` of every command with the golden texts; `WEIR_UPDATE_GOLDEN=1 swift test --filter HelpTests` rewrites these.
@Suite struct HelpTests {
  /// Every command and subcommand, as words of the command line.
  static let commands: [[String]] = [
    [], ["read"], ["filter"], ["dedup"], ["decontaminate"], ["holdout"], ["tokenizer"], ["tokenizer", "train"], ["tokenizer", "info"],
    ["tokenizer", "convert"], ["tokenizer", "wordpiece"], ["tokenize"], ["shard"], ["embed"],
    ["cluster"], ["cluster", "fit"], ["cluster", "assign"], ["cluster", "show"], ["assign"], ["sample"], ["export"], ["feed"], ["pack"],
    ["trace"],
    ["train"],
    ["finetune"], ["finetune", "sweep"],
    ["split"], ["merge"], ["eval"], ["generate"], ["plan"], ["plan", "sweep"], ["plan", "fit"], ["plan", "predict"], ["plan", "allocate"],
    ["plan", "mix"], ["plan", "mix", "generate"], ["plan", "mix", "fit"], ["plan", "mix", "predict"], ["plan", "mix", "solve"],
    ["plan", "mix", "reuse"],
    ["report"], ["run"],
    ["verify"],
    ["peek"],
  ]

  private static let golden = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Golden")
  private static let isUpdating = ProcessInfo.processInfo.environment["WEIR_UPDATE_GOLDEN"] == "1"

  private func help(_ words: [String], in binary: Binary) throws -> String {
    let result = try binary.shell("export COLUMNS=80; weir \(words.joined(separator: " ")) --help")
    #expect(result.code == 0)
    #expect(result.errors.isEmpty)
    // The default of --threads depends on the machine.
    return result.text.replacing(try Regex(#"\(default:\s+\d+\)(?=\s+--quiet)"#), with: "(default: cores)")
  }

  @Test(arguments: commands) func helpIsAsReviewed(_ words: [String]) throws {
    try inFolder { binary in
      let text = try help(words, in: binary)
      let file = Self.golden.appendingPathComponent((["weir"] + words).joined(separator: "-") + ".txt")
      if Self.isUpdating {
        try FileManager.default.createDirectory(at: Self.golden, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
      }
      let expected = String(decoding: try Data(contentsOf: file), as: UTF8.self)
      #expect(text == expected, "weir \(words.joined(separator: " ")) --help is not \(file.lastPathComponent)")
      for line in text.split(separator: "\n") where !line.hasPrefix("USAGE: ") { #expect(line.count <= 80) }
    }
  }

  /// The examples of a help text, with continuation lines joined.
  private func examples(_ text: String) -> [String] {
    guard let start = text.range(of: "EXAMPLES:\n"), let end = text.range(of: "\n\nUSAGE:") else { return [] }
    return text[start.upperBound..<end.lowerBound].replacing("\\\n", with: " ").split(separator: "\n").map {
      $0.trimmingCharacters(in: .whitespaces)
    }
  }

  @Test(arguments: commands) func helpShowsExamplesThatExist(_ words: [String]) throws {
    // `tokenizer`, `cluster` and `plan` only have subcommands, which have examples of their own.
    guard !["tokenizer", "cluster", "plan", "plan mix"].contains(words.joined(separator: " ")) else { return }
    try inFolder { binary in
      let text = try help(words, in: binary)
      let command = (["weir"] + words).joined(separator: " ")
      let examples = examples(text)
      #expect(!examples.isEmpty)
      #expect(examples.contains { $0.contains(command) }, "the examples of \(command) show other commands")
      guard !words.isEmpty else { return }
      for example in examples {
        for part in example.split(separator: "|") where part.contains(command + " ") {
          for flag in part.split(separator: " ") where flag.hasPrefix("--") {
            #expect(text.contains("\(flag) ") || text.contains("\(flag)/"), "\(command) shows \(flag), which it does not take")
          }
        }
      }
    }
  }

  @Test func everyCommandThatHelpNamesIsHere() throws {
    try inFolder { binary in
      for parent in [[], ["tokenizer"], ["cluster"], ["plan"], ["plan", "mix"]] as [[String]] {
        let known = Set(
          Self.commands.filter { $0.count == parent.count + 1 && Array($0.prefix(parent.count)) == parent }.compactMap(\.last))
        var listed: Set<String> = []
        var isList = false
        for line in try help(parent, in: binary).split(separator: "\n", omittingEmptySubsequences: false) {
          if line.hasSuffix("SUBCOMMANDS:") {
            isList = true
          } else if line.isEmpty {
            isList = false
          } else if isList, line.hasPrefix("  "), !line.hasPrefix("   "), let name = line.split(separator: " ").first {
            listed.insert(String(name))
          }
        }
        #expect(listed == known, "under weir \(parent.joined(separator: " "))")
      }
    }
  }

  @Test(arguments: ["import"]) func commandsToComeAreAbsent(_ name: String) throws {
    try inFolder { binary in
      let text = try help([], in: binary)
      #expect(!text.contains("  \(name)"))
      let result = try binary.weir(name)
      #expect(result.code == 64)
    }
  }
}
