import Foundation
import Testing

/// `--help` of every command, against texts that are read in review: `WEIR_UPDATE_GOLDEN=1 swift test --filter HelpTests` rewrites them.
@Suite struct HelpTests {
  /// Every command and subcommand, as on the command line.
  static let commands: [[String]] = [
    [], ["read"], ["filter"], ["dedup"], ["decontaminate"], ["tokenizer"], ["tokenizer", "train"], ["tokenizer", "info"],
    ["tokenizer", "convert"], ["tokenizer", "wordpiece"], ["tokenize"], ["shard"], ["embed"],
    ["cluster"], ["cluster", "fit"], ["cluster", "assign"], ["cluster", "show"], ["assign"], ["sample"], ["export"], ["feed"], ["trace"],
    ["train"],
    ["finetune"],
    ["split"], ["eval"], ["generate"], ["plan"], ["plan", "sweep"], ["plan", "fit"], ["plan", "allocate"], ["report"], ["run"], ["verify"],
    ["peek"],
  ]

  private static let golden = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Golden")
  private static let isUpdating = ProcessInfo.processInfo.environment["WEIR_UPDATE_GOLDEN"] == "1"

  private func help(_ words: [String], in binary: Binary) throws -> String {
    let result = try binary.shell("export COLUMNS=80; weir \(words.joined(separator: " ")) --help")
    #expect(result.code == 0)
    #expect(result.errors.isEmpty)
    // The default of --threads is the machine's.
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

  @Test(arguments: commands) func helpShowsAnExample(_ words: [String]) throws {
    // `tokenizer`, `cluster` and `plan` have subcommands only, which have their own.
    guard !["tokenizer", "cluster", "plan"].contains(words.joined(separator: " ")) else { return }
    try inFolder { binary in
      let text = try help(words, in: binary).split(separator: "\n").joined(separator: " ")
      let command = (["weir"] + words).joined(separator: " ")
      let example = words.isEmpty ? "weir run corpora/demo.yaml" : "Example:"
      #expect(text.contains(example))
      guard !words.isEmpty, let start = text.range(of: "Example:") else { return }
      #expect(text[start.upperBound...].contains(command), "the example of \(command) shows another command")
    }
  }

  @Test func everyCommandThatHelpNamesIsHere() throws {
    try inFolder { binary in
      for parent in [[], ["tokenizer"], ["cluster"], ["plan"]] as [[String]] {
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

  @Test func examplesAreParsed() throws {
    // Flags that a help text shows exist: every example's words that look like flags are in the same help.
    try inFolder { binary in
      for words in Self.commands where !words.isEmpty {
        let text = try help(words, in: binary)
        let flat = text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }.joined(separator: " ")
        guard let start = flat.range(of: "Example: "), let end = flat.range(of: " USAGE:") else { continue }
        let parts = flat[start.upperBound..<end.lowerBound].split(separator: "|")
        guard let own = parts.first(where: { $0.contains((["weir"] + words).joined(separator: " ")) }) else { continue }
        for flag in own.split(separator: " ") where flag.hasPrefix("--") {
          #expect(flat[end.lowerBound...].contains(flag), "\(words.joined(separator: " ")) shows \(flag), which it does not take")
        }
      }
    }
  }
}
