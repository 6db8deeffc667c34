import Foundation
import Testing

/// Stages in separate processes, connected by pipes.
@Suite struct PipeTests {
  private static let stages = "dedup --exact | dedup --fuzzy"

  /// The data files of a dataset, and its fingerprint.
  private func content(_ dataset: String, in binary: Binary) throws -> [String: [UInt8]] {
    var content: [String: [UInt8]] = [:]
    let folder = binary.folder.appendingPathComponent(dataset).path
    for name in try FileManager.default.contentsOfDirectory(atPath: folder) where name.hasPrefix("shard") || name == "manifest.json" {
      content[name] = binary.read("\(dataset)/\(name)")
    }
    return content
  }

  @Test func pipeRecipeAndThreadsGiveTheSameBytes() throws {
    try inFolder { binary in
      // Three files with duplicates and near-duplicates.
      let lines = Samples.lines(90)
      try binary.write("in/a.jsonl", (lines[..<40] + lines[..<7]).joined(separator: "\n") + "\n")
      try binary.write("in/b.jsonl", lines[40...].joined(separator: "\n"))
      try binary.write("in/c.jsonl", lines[20..<30].map { $0.replacing(" é.", with: " more") }.joined(separator: "\n") + "\n")
      #expect(try binary.weir("tokenizer", "train", "in", "-o", "tok", "--vocabulary", "320").code == 0)
      let piped = try binary.shell(
        """
        set -o pipefail
        weir read in | weir dedup --exact | weir dedup --fuzzy | weir tokenize --tokenizer tok | weir shard piped --shard-tokens 4000
        """)
      #expect(piped.code == 0, "\(piped.errors)")
      let expected = try content("piped", in: binary)
      #expect(expected.keys.filter { $0.hasSuffix(".bin") }.count > 1)
      for threads in 1...3 {
        try binary.write(
          "recipe.yaml",
          """
          run: run\(threads)
          steps:
            - name: dataset
              says: All in one
              do: read in | \(Self.stages) | tokenize --tokenizer tok | shard {run}/set --shard-tokens 4000
          """)
        let fused = try binary.weir("run", "recipe.yaml", "--threads", "\(threads)")
        #expect(fused.code == 0, "\(fused.errors)")
        #expect(try content("run\(threads)/set", in: binary) == expected)
      }
      let short = try binary.shell(
        "weir read in | weir dedup | weir tokenize --tokenizer tok --shards short --shard-tokens 4000 --threads 3")
      #expect(short.code == 0, "\(short.errors)")
      #expect(try content("short", in: binary) == expected)
      #expect(try binary.weir("verify", "piped").code == 0)
    }
  }

  @Test func decontaminationSaysWhatMatchedWhat() throws {
    try inFolder { binary in
      let lines = Samples.lines(60)
      try binary.write("docs.jsonl", lines.joined(separator: "\n") + "\n")
      // A question that quotes fourteen words of the fifth document, one that quotes ten, and one with only three words.
      let words = lines[4].split(separator: "\"")[7].split(separator: " ").map(String.init)
      let quote = words[5..<19].joined(separator: " ")
      try binary.write(
        "eval.jsonl",
        """
        {"question":"\(words[5..<15].joined(separator: " ")) wholly other words than these here"}
        {"question":"Who said: \(quote.uppercased())?"}
        {"question":"far too short"}

        """)
      let command = "--against eval.jsonl --against-field question --rejects found.jsonl"
      let result = try binary.shell("set -o pipefail; weir read docs.jsonl | weir decontaminate \(command) -o clean.jsonl")
      #expect(result.code == 0, "\(result.errors)")
      #expect(result.errors.contains("1 of 3 evaluation texts have fewer than 8 words"), "\(result.errors)")
      let found = String(decoding: try #require(binary.read("found.jsonl")), as: UTF8.self)
      let reason = "docs.jsonl:5\",\"reason\":\"words_in_a_row: 13 words of eval.jsonl:2: \\\"\(words[5..<18].joined(separator: " "))\\\""
      #expect(found.replacing(": \"", with: ":\"").replacing(", \"", with: ",\"").contains(reason), "\(found)")
      let kept = String(decoding: try #require(binary.read("clean.jsonl")), as: UTF8.self).split(separator: "\n")
      let gone = found.split(separator: "\n").count
      #expect(gone > 0 && kept.count == 60 - gone)
      let missing = try binary.weir("decontaminate", "docs.jsonl", "--against", "eval.jsonl", "-o", "x.jsonl")
      #expect(missing.code == 1 && missing.errors.contains("eval.jsonl:1"), "\(missing.errors)")
      #expect(try binary.weir("decontaminate", "docs.jsonl", "--against", "eval.jsonl", "--cover-share", "2").code == 64)
      #expect(binary.read("x.jsonl") == nil)
    }
  }

  @Test func decontaminationReadsListsLeavesOutCommonNGramsAndCuts() throws {
    try inFolder { binary in
      let phrase = (0..<13).map { "c\($0)" }.joined(separator: " ")
      let choice = (0..<13).map { "q\($0)" }.joined(separator: " ")
      let long = String(repeating: "a ", count: 400)
      let texts = (0..<12).map { "d\($0) \(phrase)" } + [long + choice + " " + long, "nothing"]
      try binary.write(
        "docs.jsonl", texts.map { "{\"text\":\"\($0)\",\"source\":\"\($0.first == "d" ? "common" : "rare")\"}" }.joined(separator: "\n"))
      try binary.write("eval.jsonl", "{\"question\":\"\(phrase)\",\"answers\":{\"text\":[\"\(choice)\",\"short\"]}}\n")
      func run(_ arguments: String...) throws -> (lines: [String], errors: String) {
        let fields = ["--against", "eval.jsonl", "--against-field", "question", "--against-field", "answers.text"]
        let result = try binary.run(["decontaminate", "docs.jsonl", "-o", "clean.jsonl"] + fields + arguments)
        #expect(result.code == 0, "\(result.errors)")
        return (
          String(decoding: try #require(binary.read("clean.jsonl")), as: UTF8.self).split(separator: "\n").map(String.init),
          result.errors + result.text
        )
      }
      let dropped = try run()
      #expect(dropped.lines.count == 13)
      #expect(
        dropped.errors.contains("note: 1 n-grams of evaluation texts do not count because more than 10 documents contain them"),
        "\(dropped.errors)")
      #expect(dropped.errors.contains("in 12 documents: \"\(phrase)\" (eval.jsonl:1)"), "\(dropped.errors)")
      #expect(dropped.errors.contains("rare") && dropped.errors.contains("1 domains lost nothing"), "\(dropped.errors)")
      #expect(try run("--common-documents", "0").lines.count == 1)
      let cut = try run("--cut", "--json")
      #expect(cut.lines.count == 14 && cut.lines[12].contains(" a \\n\\n"), "\(cut.lines[12])")
      #expect(cut.errors.replacing(" ", with: "").contains("\"decontamination\":{\"domains\":["), "\(cut.errors)")
    }
  }

  @Test func aStreamThatWasCutIsNotCommitted() throws {
    try inFolder { binary in
      try binary.write("docs.jsonl", Samples.file(400))
      #expect(try binary.shell("weir read docs.jsonl > whole; weir tokenizer train docs.jsonl -o tok --vocabulary 300").code == 0)
      #expect(try binary.shell("weir tokenize docs.jsonl --tokenizer tok > tokens").code == 0)
      let whole = try #require(binary.read("whole")).count
      let before = try binary.snapshot()
      for count in [1, 4, 11, 100, whole / 2, whole - 40, whole - 17, whole - 8, whole - 1] {
        let cut = try binary.shell("head -c \(count) whole | weir dedup --exact -o out.jsonl.zst")
        expectFailure(cut, naming: ["standard input"])
        #expect(try binary.snapshot() == before, "\(count) of \(whole) bytes")
      }
      let tokens = try #require(binary.read("tokens")).count
      for count in [1, 11, tokens / 2, tokens - 40, tokens - 17, tokens - 1] {
        expectFailure(try binary.shell("head -c \(count) tokens | weir shard set"), naming: ["standard input"])
        expectFailure(
          try binary.shell("head -c \(count) tokens | weir tokenize --decode --tokenizer tok -o out"), naming: ["standard input"])
        #expect(try binary.snapshot() == before, "\(count) of \(tokens) bytes")
      }
      // Data after the end marker is rejected, and so is a second stream in place of the end of the first.
      #expect(try binary.shell("(cat whole; echo) | weir dedup --exact -o out.jsonl.zst").code == 1)
      #expect(try binary.shell("head -c \(whole / 2) whole | cat - whole | weir dedup --exact -o out.jsonl.zst").code == 1)
      #expect(try binary.snapshot() == before)
      #expect(try binary.shell("cat whole | weir dedup --exact -o out.jsonl.zst").code == 0)
    }
  }

  @Test func aKilledStageFailsWhatFollows() throws {
    try inFolder { binary in
      try binary.write("docs.jsonl", Samples.file(60))
      #expect(try binary.weir("tokenizer", "train", "docs.jsonl", "-o", "tok", "--vocabulary", "300").code == 0)
      // The first stage never finishes; it is killed once the second has received data.
      let line = """
        mkfifo lines
        "\(Binary.path)" read - --text-field text < lines 2> killed > >(exec "\(Binary.path)" dedup --exact -o out.jsonl 2> said; ) &
        first=$!
        exec 3> lines
        for i in $(seq 40); do cat docs.jsonl >&3; done
        kill -9 $first
        exec 3>&-
        wait $first; echo $?
        for i in $(seq 1200); do [ -s said ] && break; sleep 0.05; done
        cat said
        ls
        """
      let result = try binary.shell(line)
      #expect(result.text.hasPrefix("137\n"), "\(result.text)")
      #expect(result.text.contains("weir: standard input"), "\(result.text)")
      #expect(!binary.names.contains { $0.hasPrefix("out") }, "\(binary.names)")
    }
  }

  @Test func tokensDecodeToTheDocuments() throws {
    try inFolder { binary in
      try binary.write(
        "docs.jsonl", Samples.file(20) + #"{"id":"x","text":"","k":1}"# + "\n" + #"{"id":"y","text":"日本 \u0000\t😀\r\n"}"# + "\n")
      #expect(try binary.weir("tokenizer", "train", "docs.jsonl", "-o", "tok", "--vocabulary", "300").code == 0)
      let result = try binary.shell(
        """
        set -o pipefail
        weir read docs.jsonl --plain > plain.jsonl
        weir tokenize docs.jsonl --tokenizer tok | weir tokenize --tokenizer tok --decode --plain > decoded.jsonl
        """)
      #expect(result.code == 0, "\(result.errors)")
      #expect(binary.read("decoded.jsonl") == binary.read("plain.jsonl"))
    }
  }

  @Test func plainLinesAreTaken() throws {
    try inFolder { binary in
      let text = Samples.file(20)
      try binary.write("docs.jsonl", text)
      let proven = try binary.shell("weir read docs.jsonl | weir dedup --exact --plain")
      let plain = try binary.shell("weir read docs.jsonl --plain | weir dedup --exact --plain")
      #expect(proven.code == 0 && plain.code == 0)
      #expect(proven.output == plain.output)
      let foreign = try binary.weir("dedup", "--exact", "--plain", input: Array(text.utf8))
      #expect(foreign.code == 0)
      #expect(foreign.text.split(separator: "\n").count == 20)
      // Also streams that other programs compressed.
      let packed = try binary.shell("gzip -c docs.jsonl | weir read --plain")
      #expect(packed.output == foreign.output)
    }
  }

  private struct Report: Decodable {
    struct Account: Decodable {
      var stage: String
      var input: Int
      var output: Int
      var dropped: [String: Int]
      var quarantined: [String: Int]
    }
    var accounts: [Account]

    /// Checks that no record is lost within a stage or between stages.
    func check() {
      for account in accounts {
        #expect(account.input == account.output + account.dropped.values.reduce(0, +) + account.quarantined.values.reduce(0, +))
      }
      for (first, second) in zip(accounts, accounts.dropFirst()) { #expect(first.output == second.input) }
    }
  }

  @Test func reportsBalance() throws {
    try inFolder { binary in
      try binary.write("docs.jsonl", Samples.file(30) + "broken\n" + Samples.file(10))
      #expect(try binary.weir("tokenizer", "train", "docs.jsonl", "-o", "tok", "--vocabulary", "300", "--max-bad", "0.1").code == 0)
      for line in [
        "read -o out.jsonl", "filter --rules length --set length.minimumCharacters=250 -o out.jsonl",
        "dedup --rejects no.jsonl -o out.jsonl",
        "dedup --paragraphs -o out.jsonl.zst", "tokenize --tokenizer tok --shards set",
      ] {
        let result = try binary.shell("weir \(line) --max-bad 0.1 --json docs.jsonl")
        #expect(result.code == 0, "\(line): \(result.errors)")
        let report = try JSONDecoder().decode(Report.self, from: Data(result.output))
        #expect(report.accounts.first?.input == 41)
        #expect(report.accounts.first?.quarantined == ["broken JSON": 1])
        report.check()
      }
    }
  }

  @Test func accountsOfARecipeBalance() throws {
    try inFolder { binary in
      try binary.write("docs.jsonl", Samples.file(30) + "broken\n" + Samples.file(10))
      try binary.write(
        "recipe.yaml",
        """
        run: run
        steps:
          - name: all
            says: All in one
            do: read docs.jsonl --max-bad 0.1 | filter --rules length --set length.minimumCharacters=250 | dedup -o {run}/docs.jsonl
        """)
      let result = try binary.weir("run", "recipe.yaml")
      #expect(result.code == 0, "\(result.errors)")
      let report = try JSONDecoder().decode(Report.self, from: Data(binary.read("run/steps/all.json") ?? []))
      let accounts = report.accounts
      #expect(accounts.map(\.stage) == ["read", "filter", "dedup.exact", "dedup.fuzzy"])
      #expect(accounts.first?.input == 41)
      #expect(accounts.first?.quarantined == ["broken JSON": 1])
      report.check()
      #expect(String(decoding: binary.read("run/docs.jsonl") ?? [], as: UTF8.self).split(separator: "\n").count == accounts.last?.output)
    }
  }

  @Test func unknownMembersStayAsTheyAre() throws {
    try inFolder { binary in
      let odd = #""odd":{ "n": 1.50e3,"s":"\u00e9\/"}"#
      try binary.write("docs.jsonl", Samples.file(12))
      #expect(try binary.weir("tokenizer", "train", "docs.jsonl", "-o", "tok", "--vocabulary", "300").code == 0)
      let result = try binary.shell(
        """
        set -o pipefail
        weir read docs.jsonl | weir filter --rules length | weir dedup --exact --paragraphs | weir dedup --fuzzy \\
          | weir tokenize --tokenizer tok | weir tokenize --tokenizer tok --decode --plain
        """)
      #expect(result.code == 0, "\(result.errors)")
      let lines = result.text.split(separator: "\n")
      #expect(lines.count == 12)
      for line in lines {
        #expect(line.contains(odd), "\(line)")
        #expect(line.contains(#""metadata":{"domain":""#))
      }
    }
  }
}
