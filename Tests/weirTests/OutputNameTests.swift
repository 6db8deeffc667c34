import Testing

/// Outputs that would replace an input, or whose names promise another format.
@Suite struct OutputNameTests {
  @Test func anInputIsNeverReplaced() throws {
    try inFolder { binary in
      try binary.useMade()
      let lines = "{\"text\":\"one two three four five six seven eight nine\"}\n{\"text\":\"b\"}\n"
      try binary.write("folder/in.jsonl", lines)
      for name in ["ev.jsonl", "plain"] { try binary.write(name, lines) }
      try binary.write("q.jsonl", "{\"question\":\"q\",\"choices\":[\"a\",\"b\"],\"answer\":0}\n")
      #expect(try binary.shell("ln -s folder/in.jsonl link.jsonl").code == 0)
      let before = try binary.snapshot()
      let filter = ["filter", "folder/in.jsonl", "--rules", "none"]
      for arguments in [
        filter + ["-o", "folder/in.jsonl"], filter + ["-o", "o.jsonl", "--rejects", "folder/in.jsonl"],
        filter + ["-o", "o.jsonl", "--rejects", "link.jsonl"], ["read", "folder", "-o", "folder/in.jsonl"],
        ["read", "folder/*.jsonl", "-o", "./folder/in.jsonl"], ["filter", "link.jsonl", "--rules", "none", "-o", "folder/in.jsonl"],
        ["decontaminate", "folder", "--against", "ev.jsonl", "-o", "o.jsonl", "--rejects", "ev.jsonl"],
        ["dedup", "folder", "--fuzzy", "-o", "o.jsonl", "--report", "folder/in.jsonl"],
        ["dedup", "plain", "--fuzzy", "--signatures", "plain"], ["report", "mix.json", "-o", "mix.json"],
        ["tokenize", "ev.jsonl", "--tokenizer", "tok", "--shards", "new", "--rejects", "ev.jsonl"],
        ["eval", "run", "--choices", "q.jsonl", "--choice-scores", "q.jsonl"],
      ] {
        let result = try binary.run(arguments)
        #expect(result.code != 0 && result.errors.contains("is an input of this command"), "\(arguments): \(result.errors)")
        #expect(try binary.snapshot() == before, "weir \(arguments.joined(separator: " ")) changed something")
      }
      expectFailure(try binary.run(filter + ["-o", "folder/in.jsonl"]), naming: ["folder/in.jsonl", "is an input"])
    }
  }

  @Test func namesOfOtherFormatsAreRefused() throws {
    try inFolder { binary in
      try binary.write("docs.jsonl", Samples.file(3))
      for name in ["o.parquet", "o.jsonl.xz", "o.jsonl.BZ2", "o.txt", "o.csv.zst", "o.GZ"] {
        for flag in ["-o", "--rejects"] {
          expectFailure(try binary.run(["filter", "docs.jsonl", "--rules", "none", flag, name]), naming: [name])
        }
      }
      #expect(try binary.weir("read", "docs.jsonl", "-o", "o.JSONL.ZST").code == 0)
      #expect(binary.read("o.JSONL.ZST")?.starts(with: [0x28, 0xB5, 0x2F, 0xFD]) == true)
      expectFailure(try binary.run(["dedup", "docs.jsonl", "--fuzzy", "--signatures", "s.npy.zst"]), code: 64, naming: [".npy"])
    }
  }

  @Test func tokensAreLinesInAFileOfLines() throws {
    try inFolder { binary in
      try binary.useMade()
      #expect(try binary.weir("tokenize", "docs.jsonl", "--tokenizer", "tok", "-o", "tokens.jsonl").code == 0)
      #expect(binary.read("tokens.jsonl")?.starts(with: Array("{\"id\"".utf8)) == true)
    }
  }
}
