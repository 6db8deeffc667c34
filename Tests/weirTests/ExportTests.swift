import Foundation
import Testing

@Suite struct ExportTests {
  @Test func everyFormatIsSoundAndDoesNotDependOnThreads() throws {
    try inFolder { binary in
      try binary.useMade()
      let dry = try binary.weir("export", "set", "--to", "mds", "--dry-run", "--json")
      #expect(dry.code == 0 && dry.text.contains(#""samples":60"#), "\(dry.text)")
      for format in ["npy", "olmo", "llmc", "mds"] {
        for (name, words) in [
          ("plain", ["--shard-tokens", "500"]), ("shuffled", ["--shuffle", "--seed", "3"]), ("leaves", ["--tree", "tree"]),
          ("drawn", ["--mixture", "mix.json", "--sequence", "16", "--tokens", "1k"]),
        ] {
          var content: [[String: String]] = []
          for threads in ["1", "3"] {
            let result = try binary.run(["export", "set", "--to", format, "-o", "out", "--threads", threads, "--json"] + words)
            #expect(result.code == 0, "\(result.errors)")
            #expect(result.text.contains(#""stage":"export""#))
            content.append(try binary.snapshot().filter { $0.key.hasPrefix("out/") })
          }
          #expect(content[0] == content[1] && content[0].count > 1, "\(format) \(name)")
          #expect(try binary.weir("verify", "out").code == 0)
          #expect(try binary.weir("peek", "out").code == 0)
        }
      }
    }
  }

  /// No document is lost or changed: the npy file holds the same tokens as the dataset.
  @Test func theArrayIsTheDatasets() throws {
    try inFolder { binary in
      try binary.useMade()
      #expect(try binary.weir("export", "set", "--to", "olmo", "-o", "out").code == 0)
      #expect(binary.read("out/part-00000.npy") == binary.read("set/shard-00000.bin"))
    }
  }

  @Test func whatMakesNoSense() throws {
    try inFolder { binary in
      try binary.useMade()
      let before = try binary.snapshot()
      for words in [
        ["--to", "zip", "-o", "new"], ["--to", "npy"], ["--to", "npy", "-o", "new", "--sequence", "5"],
        ["--to", "npy", "-o", "new", "--mixture", "mix.json"], ["--to", "npy", "-o", "new", "--tokens", "5"],
        ["--to", "mds", "-o", "new", "--mixture", "mix.json", "--tokens", "9", "--sequence", "9", "--tree", "tree"],
      ] {
        expectFailure(try binary.run(["export", "set"] + words), code: 64, naming: [])
      }
      let cases: [([String], [String])] = [
        (["export", "nothere", "--to", "npy", "-o", "new"], ["nothere"]),
        (["export", "docs.jsonl", "--to", "npy", "-o", "new"], ["docs.jsonl"]),
        (["export", "set", "--to", "npy", "-o", "run"], ["run", "exists"]),
        (["export", "set", "--to", "npy", "-o", "new", "--shard-tokens", "0"], ["--shard-tokens"]),
        (["export", "set", "--to", "mds", "-o", "new", "--sequence", "0"], ["--sequence"]),
        (["export", "set", "--to", "mds", "-o", "new", "--sequence", "99999999"], ["new", "nothing to export"]),
        (["export", "set", "--to", "npy", "-o", "new", "--tree", "other-tree"], ["set", "not assigned"]),
        (
          ["export", "set", "--to", "npy", "-o", "new", "--mixture", "other-mix.json", "--sequence", "9", "--tokens", "9"],
          ["other-mix.json", "built for dataset"]
        ),
        (["export", "set", "--to", "npy", "-o", "new", "--mixture", "mix.json", "--sequence", "0", "--tokens", "9"], ["--sequence"]),
        (["export", "set", "--to", "npy", "-o", "new", "--mixture", "mix.json", "--sequence", "9", "--tokens", "0"], ["--tokens"]),
      ]
      for (arguments, words) in cases { expectFailure(try binary.run(arguments), naming: words) }
      #expect(try binary.snapshot() == before)
    }
  }
}
