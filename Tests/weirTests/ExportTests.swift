import Foundation
import Testing

@Suite struct ExportTests {
  @Test func everyFormatIsSoundAndDoesNotDependOnThreads() throws {
    try inFolder { binary in
      try binary.useMade()
      let dry = try binary.weir("export", "set", "--to", "mds", "--dry-run", "--json")
      #expect(dry.code == 0 && dry.text.contains(#""samples":60"#), "\(dry.text)")
      for format in ["npy", "olmo", "llmc", "mds", "megatron"] {
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

  private func documents(_ binary: Binary, _ name: String) throws -> [[String: NSObject]] {
    try #require(binary.read(name)).split(separator: 10).map {
      try JSONSerialization.jsonObject(with: Data($0)) as? [String: NSObject] ?? [:]
    }
  }

  /// Read back, an export is the corpus, byte for byte.
  @Test func documentsComeBackAsTheyWere() throws {
    try inFolder { binary in
      try binary.useMade()
      #expect(try binary.weir("read", "docs.jsonl", "-o", "whole.jsonl").code == 0)
      for threads in ["1", "3"] {
        #expect(try binary.weir("export", "set", "--to", "jsonl", "-o", "out.jsonl", "--threads", threads).code == 0)
        #expect(binary.read("out.jsonl") == binary.read("whole.jsonl"))
        #expect(try binary.weir("export", "set", "--to", "jsonl", "-o", "out.jsonl.zst", "--threads", threads).code == 0)
        #expect(
          try binary.shell("weir read out.jsonl.zst -o back.jsonl").code == 0 && binary.read("back.jsonl") == binary.read("whole.jsonl"))
        #expect(try binary.shell("weir export set --to jsonl -o - | weir read -o back.jsonl").code == 0)
        #expect(binary.read("back.jsonl") == binary.read("whole.jsonl"))
      }
      #expect(try binary.weir("export", "set", "--to", "jsonl", "--shuffle", "--seed", "4", "-o", "mixed.jsonl").code == 0)
      let lines = try #require(binary.read("out.jsonl")).split(separator: 10).map { String(decoding: $0, as: UTF8.self) }
      let mixed = try #require(binary.read("mixed.jsonl")).split(separator: 10).map { String(decoding: $0, as: UTF8.self) }
      #expect(mixed != lines && mixed.sorted() == lines.sorted())
    }
  }

  @Test func theSubsetOfAMixtureHasClustersAndRepeats() throws {
    try inFolder { binary in
      try binary.useMade()
      #expect(try binary.weir("export", "set", "--to", "jsonl", "-o", "all.jsonl").code == 0)
      let all = try documents(binary, "all.jsonl")
      // Long before every document is read, and long after.
      for (tokens, everything) in [("300", false), ("60k", true)] {
        var content: [[UInt8]?] = []
        for threads in ["1", "3"] {
          let result = try binary.weir(
            "export", "set", "--to", "jsonl", "--mixture", "mix.json", "--tokens", tokens, "--sequence", "32", "--tree", "tree", "-o",
            "part.jsonl", "--threads", threads)
          #expect(result.code == 0, "\(result.errors)")
          content.append(binary.read("part.jsonl"))
        }
        #expect(content[0] == content[1])
        let part = try documents(binary, "part.jsonl")
        #expect(!part.isEmpty && (everything || part.count < all.count))
        let mixture = try JSONSerialization.jsonObject(with: Data(binary.read("mix.json") ?? [])) as? [String: NSObject]
        let weights = try #require((mixture?["clusters"] as? [[String: NSObject]])?.map { ($0["weight"] as? Double) ?? 0 })
        for document in part {
          let original = try #require(all.first { $0["id"] == document["id"] })
          for (name, value) in original { #expect(document[name] == value) }
          let cluster = try #require(document["cluster"] as? Int), windows = try #require(document["window_clusters"] as? [Int])
          #expect(windows.contains(cluster))
          let epochs = try #require(document["epochs"] as? Double), drawn = try #require(document["drawn"] as? Double)
          #expect(epochs > 0 && drawn > 0 && windows.contains { weights[$0] > 0 })
          #expect(Set(document.keys) == Set(original.keys).union(["cluster", "window_clusters", "epochs", "drawn"]))
        }
        // Together the documents are read for the tokens of the run.
        let report = try binary.weir(
          "export", "set", "--to", "jsonl", "--mixture", "mix.json", "--tokens", tokens, "--sequence", "32", "--dry-run", "--json")
        #expect(report.text.contains("\"documents\":\(part.count)"))
        if everything {
          let reads = part.map { ($0["drawn"] as? Double) ?? 0 }, expected = part.map { ($0["epochs"] as? Double) ?? 0 }
          for (read, epochs) in zip(reads, expected) { #expect((read - epochs).magnitude <= 1.01, "\(read) for \(epochs)") }
        }
      }
      #expect(try binary.weir("export", "set", "--to", "jsonl", "--mixture", "mix.json", "-o", "own.jsonl").code == 0)
      #expect(try !documents(binary, "own.jsonl").isEmpty)
    }
  }

  /// With programs that stand for duckdb: what they are given, and what becomes of their failures.
  @Test func parquetIsWholeOrNotThere() throws {
    try inFolder { binary in
      try binary.useMade()
      #expect(try binary.weir("read", "docs.jsonl", "-o", "whole.jsonl").code == 0)
      let programs = [
        ("good", "echo \"$5\" >statement; printf PAR1; cat"), ("fails", "cat >/dev/null; echo no room >&2; exit 1"),
        ("dies", "head -c 100 >/dev/null; kill -9 $$"), ("deaf", "exec <&-; exec sleep 0.1"),
      ]
      for (name, script) in programs {
        try binary.write("\(name)/duckdb", "#!/bin/bash\n\(script)\n")
        #expect(try binary.shell("chmod +x \(name)/duckdb").code == 0)
      }
      func export(_ program: String, threads: Int = 1) throws -> Binary.Result {
        try binary.shell("PATH=$PWD/\(program):/usr/bin:/bin weir export set --to parquet -o out.parquet --threads \(threads)")
      }
      for threads in [1, 3] {
        #expect(try export("good", threads: threads).code == 0)
        #expect(binary.read("out.parquet") == Array("PAR1".utf8) + (binary.read("whole.jsonl") ?? []))
      }
      let statement = String(decoding: try #require(binary.read("statement")), as: UTF8.self)
      let columns =
        "columns = {'id': 'VARCHAR', 'text': 'VARCHAR', 'source': 'VARCHAR', 'origin': 'VARCHAR', "
        + "'metadata': 'STRUCT(\"domain\" VARCHAR)', 'odd': 'STRUCT(\"n\" DOUBLE, \"s\" VARCHAR)'}"
      #expect(statement.contains(columns), "\(statement)")
      try FileManager.default.removeItem(atPath: binary.folder.appendingPathComponent("out.parquet").path)
      expectFailure(try export("fails"), naming: ["out.parquet", "duckdb cannot write the file (no room)"])
      expectFailure(try export("dies"), naming: ["out.parquet", "duckdb cannot write the file (signal 9)"])
      expectFailure(try export("deaf"), naming: ["out.parquet", "duckdb ended before the documents did"])
      expectFailure(try export("nothing"), naming: ["out.parquet", "pip install duckdb-cli"])
      #expect(!binary.names.contains { $0.hasPrefix("out.parquet") })
    }
  }

  @Test func documentsNeedATokenizer() throws {
    try inFolder { binary in
      try binary.useMade()
      #expect(try binary.shell("weir tokenize docs.jsonl --tokenizer tok --plain >/dev/null").code == 0)
      #expect(try binary.shell("rm -r set/tokenizer").code == 0)
      expectFailure(try binary.weir("export", "set", "--to", "jsonl", "-o", "new.jsonl"), naming: ["set", "tokenizer"])
      #expect(!binary.names.contains("new.jsonl"))
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
        ["--to", "jsonl"], ["--to", "jsonl", "-o", "new.parquet"], ["--to", "jsonl", "-o", "new.gz"],
        ["--to", "parquet", "-o", "new.jsonl"],
        ["--to", "jsonl", "-o", "new.jsonl", "--shard-tokens", "5"], ["--to", "jsonl", "-o", "new.jsonl", "--sequence", "5"],
        ["--to", "jsonl", "-o", "new.jsonl", "--tokens", "5"], ["--to", "megatron", "-o", "-"],
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
        (["export", "set", "--to", "jsonl", "-o", "new.jsonl", "--mixture", "mix.json", "--tokens", "0"], ["--tokens"]),
        (["export", "set", "--to", "jsonl", "-o", "new.jsonl", "--mixture", "other-mix.json"], ["other-mix.json", "built for dataset"]),
        (["export", "set", "--to", "jsonl", "-o", "new.jsonl", "--tree", "other-tree"], ["set", "not assigned"]),
        (["export", "set", "--to", "jsonl", "-o", "run"], ["run"]),
        (["export", "set", "--to", "jsonl", "-o", "no/new.jsonl"], ["no/new.jsonl"]),
      ]
      for (arguments, words) in cases { expectFailure(try binary.run(arguments), naming: words) }
      #expect(try binary.snapshot() == before)
    }
  }
}
