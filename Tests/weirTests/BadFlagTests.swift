import Foundation
import Testing

/// Invalid flags and values, and artifacts that do not belong together.
@Suite struct BadFlagTests {
  @Test(arguments: [
    ["read", "--nonsense"], ["nonsense"], ["read", "docs.jsonl", "--threads", "0"], ["read", "docs.jsonl", "--max-bad", "nan"],
    ["read", "docs.jsonl", "--max-bad", "2"], ["dedup", "docs.jsonl", "--keep", "none"],
    ["filter", "docs.jsonl", "--languages", "en,xx"], ["filter", "docs.jsonl", "--languages", ","],
    ["filter", "docs.jsonl", "--language-threshold", "1.5"],
    ["dedup", "docs.jsonl", "--exact", "--report", "r.json"], ["shard"], ["train", "set", "-o", "run"],
    ["sample", "set", "--tree", "tree", "-o", "mix.json"], ["feed", "set", "--world", "0"],
    ["sample", "set", "--seed-data", "docs.jsonl", "-o", "mix.json"],
    ["sample", "set", "--method", "ced", "--seed-data", "d", "-o", "m.json"],
    ["sample", "set", "--method", "dsir", "--seed-data", "d", "--keep", "2", "-o", "m.json"],
    ["sample", "set", "--method", "dsir", "--seed-data", "d", "--seed-weights", "1", "-o", "m.json"],
    ["feed", "set", "--from-step", "9223372036854775807"],
    ["generate", "run", "--tokens=-3"], ["peek", "docs.jsonl", "--lines=-1"],
    ["tokenize", "--decode", "--tokenizer", "tok", "--shards", "x"],
    ["split", "set", "--tree", "tree", "-o", "split", "--branch-tokens", "1"], ["cluster", "fit"],
    ["train", "set", "-o", "r", "--tokens", "many"], ["finetune", "m", "--data", "docs.jsonl", "-o", "r", "--method", "direct,none"],
    ["finetune", "m", "--data", "docs.jsonl", "-o", "r", "--method", "direct", "--lambda", "1"],
    ["finetune", "m", "--data", "docs.jsonl", "-o", "r", "--lora-rank", "4"],
    ["finetune", "m", "--data", "docs.jsonl", "-o", "r", "--method", "lora", "--adapter", "a", "--lora-alpha", "4"],
    ["finetune", "m", "--data", "docs.jsonl", "-o", "r", "--direction", "student"],
  ])
  func usage(_ arguments: [String]) throws {
    try inFolder { binary in
      try binary.write("docs.jsonl", Samples.file(3))
      expectFailure(try binary.run(arguments), code: 64, naming: [])
      #expect(binary.names == ["docs.jsonl"])
    }
  }

  @Test func valuesOutOfRange() throws {
    try inFolder { binary in
      try binary.useMade()
      let before = try binary.snapshot()
      let shape = ["--width", "32", "--layers", "1", "--sequence", "32", "--batch", "2", "--tokens", "64"]
      let train = ["train", "set", "-o", "new"]
      let tune = ["finetune", "run", "--data", "docs.jsonl", "-o", "new", "--sequence", "32", "--batch", "2"]
      let cases: [([String], String)] = [
        (["tokenizer", "train", "docs.jsonl", "-o", "new", "--vocabulary", "10"], "--vocabulary"),
        (["tokenizer", "train", "docs.jsonl", "-o", "new", "--vocabulary", "999999999999999"], "--vocabulary"),
        (["tokenize", "docs.jsonl", "--tokenizer", "tok", "--shards", "new", "--shard-tokens", "0"], "--shard-tokens"),
        (["embed", "set", "--dimensions", "0"], "--dimensions"), (["embed", "set", "--dimensions", "99999999999"], "--dimensions"),
        (["embed", "set", "--model", "nothere"], "--model"),
        (["cluster", "fit", "set", "-o", "new", "--arity", "1"], "--branching-factor"),
        (["cluster", "fit", "set", "-o", "new", "--depth", "0"], "--depth"),
        (["cluster", "fit", "set", "-o", "new", "--arity", "9223372036854775807"], "--branching-factor"),
        (["sample", "set", "--tree", "tree", "--seed-data", "docs.jsonl", "--max-epochs", "0", "-o", "new"], "--max-epochs"),
        (["sample", "set", "--tree", "tree", "--seed-data", "docs.jsonl", "--seed-weights", "x", "-o", "new"], "--seed-weights"),
        (["feed", "set", "--sequence", "0"], "--sequence"),
        (["feed", "set", "--sequence", "99999999999", "--batch", "9999999999999"], "--batch"),
        (train + shape + ["--preset", "huge"], "--preset"), (train + shape + ["--width", "0"], "--width"),
        (train + shape + ["--width", "33"], "--preset"), (train + shape + ["--layers", "99999999999999"], "--layers"),
        (train + shape + ["--batch", "0"], "--batch"), (train + shape + ["--batch", "999999999999"], "--batch"),
        (train + shape + ["--tokens", "0"], "--tokens"), (train + shape + ["--lr", "nan"], "--lr"),
        (train + shape + ["--grad-accum", "0"], "--grad-accum"), (train + shape + ["--grad-accum", "3"], "--grad-accum"),
        (train + shape + ["--grad-accum", "9223372036854775807"], "--grad-accum"), (train + shape + ["--z-loss=-1"], "--z-loss"),
        (train + shape + ["--z-loss", "inf"], "--z-loss"), (train + shape + ["--ema", "1"], "--ema"),
        (train + shape + ["--keep-last", "0"], "--keep-last"), (train + shape + ["--keep-every", "0"], "--keep-every"),
        (train + shape + ["--spike-threshold", "nan"], "--spike-threshold"), (train + shape + ["--max-rollbacks=-1"], "--max-rollbacks"),
        (train + shape + ["--parametrization", "mup", "--base-width", "0"], "--base-width"),
        (train + shape + ["--parametrization", "mup", "--base-head-width", "0"], "--base-head-width"),
        (tune + ["--epochs", "9223372036854775807"], "--epochs"), (tune + ["--epochs", "0"], "--epochs"),
        (tune + ["--lambda=-1"], "--lambda"), (tune + ["--teacher-top-k", "0"], "--teacher-top-k"),
        (tune + ["--lambda", "nan"], "--lambda"),
        (tune + ["--method", "direct,anneal"], "--method"), (tune + ["--method", "anneal,asft"], "--method"),
        (tune + ["--method", "lora,l2"], "--method"), (tune + ["--method", "lora,ewc", "--fisher-data", "docs.jsonl"], "--method"),
        (tune + ["--method", "l2,l2"], "--method"), (tune + ["--method", "l2", "--l2=-1"], "--l2"),
        (tune + ["--method", "ewc"], "--fisher-data"), (tune + ["--method", "ewc", "--fisher-data", "nothere.jsonl"], "nothere.jsonl"),
        (tune + ["--method", "ewc", "--fisher-data", "docs.jsonl", "--fisher-samples", "0"], "--fisher-samples"),
        (tune + ["--method", "ewc", "--fisher-data", "docs.jsonl", "--ewc", "inf"], "--ewc"),
        (tune + ["--method", "asft", "--asft-alpha=-1"], "--asft-alpha"),
        (tune + ["--method", "lora", "--lora-rank", "0"], "--lora-rank"),
        (tune + ["--method", "lora", "--lora-dropout", "1"], "--lora-dropout"),
        (tune + ["--method", "lora", "--lora-targets", "q_proj,lm_head"], "--lora-targets"),
        (tune + ["--method", "lora", "--lora-targets", "q_proj,q_proj"], "--lora-targets"),
        (tune + ["--method", "lora", "--adapter", "run"], "contains no adapter"),
        (tune + ["--teacher-top-k", "4", "--replay", "docs.jsonl"], "--teacher-top-k"), (tune + ["--valid-every", "2"], "--valid-every"),
        (tune + ["--replay", "docs.jsonl", "--replay-share", "1"], "--replay-share"), (tune + ["--self-replay", "0"], "--self-replay"),
        (tune + ["--temperature", "0"], "--temperature"), (tune + ["--sequence", "99999999"], "--sequence"),
        (["generate", "run", "--temperature", "nan"], "--temperature"),
        (["split", "set", "--tree", "tree", "--init", "run", "--branch-tokens", "x", "-o", "new"], "--branch-tokens"),
      ]
      for (arguments, flag) in cases {
        let result = try binary.run(arguments)
        // What the arguments alone tell is a usage error.
        expectFailure(result, code: result.code == 64 ? 64 : 1, naming: [flag])
        #expect(try binary.snapshot() == before, "weir \(arguments.joined(separator: " ")) left something")
      }
    }
  }

  @Test func whatDoesNotBelongTogether() throws {
    try inFolder { binary in
      try binary.useMade()
      try binary.write("silent.jsonl", #"{"text":""}"# + "\n" + #"{"text":"  ... \n"}"# + "\n")
      try binary.write("short.jsonl", Samples.file(1, words: 20))
      // A mixture whose clusters have other window counts, and a tree with the embedder of another tree.
      let mixture = String(decoding: try #require(binary.read("mix.json")), as: UTF8.self)
      let edited = mixture.replacing(/"windows" : [0-9]+/, with: "\"windows\" : 99999")
      try binary.write("edited-mix.json", edited)
      try binary.write("wrong-mix.json", edited.replacing(/,\s*"xxh3" : "[0-9a-f]+"/, with: ""))
      let mixed = "cp -r tree mixed-tree && rm -r mixed-tree/embedder && cp -r other-tree/embedder mixed-tree/embedder"
      #expect(try binary.shell(mixed).code == 0)
      // What a run would read has to be packed before it can be compared with the run in its folder.
      func snapshot() throws -> [String: String] { try binary.snapshot().filter { !$0.key.contains("/rows") } }
      let before = try snapshot()
      let small = ["--sequence", "32", "--batch", "2", "--tokens", "64"]
      let cases: [([String], [String])] = [
        (["train", "other-set", "--init", "run", "-o", "new"] + small, ["run", "vocabulary of 320", "300"]),
        (
          ["train", "set", "--mixture", "other-mix.json", "-o", "new", "--width", "32", "--layers", "1"] + small,
          ["other-mix.json", "built for dataset"]
        ),
        (["train", "set", "--mixture", "docs.jsonl", "-o", "new", "--width", "32", "--layers", "1"] + small, ["docs.jsonl"]),
        (["feed", "set", "--mixture", "other-mix.json"], ["other-mix.json", "built for dataset"]),
        (["assign", "docs.jsonl", "--tree", "tree", "--tokenizer", "other-tok", "-o", "new.jsonl"], ["--tokenizer"]),
        (["sample", "set", "--tree", "other-tree", "--seed-data", "docs.jsonl", "-o", "new.json"], ["set", "not assigned to the tree"]),
        (["sample", "set", "--tree", "tree", "--seed-data", "silent.jsonl", "-o", "new.json"], ["silent.jsonl", "contains no word"]),
        (["sample", "set", "--tree", "tree", "--seed-data", "short.jsonl", "-o", "new.json"], ["short.jsonl", "fewer than one window"]),
        (
          ["sample", "set", "--method", "dsir", "--seed-data", "docs.jsonl", "--minimum-words", "999", "-o", "new.json"],
          ["no window", "--method"]
        ),
        (["feed", "set", "--mixture", "edited-mix.json"], ["edited-mix.json", "was changed", "remove the member xxh3"]),
        (["feed", "set", "--mixture", "wrong-mix.json"], ["wrong-mix.json", "clusters do not match"]),
        (["sample", "set", "--tree", "mixed-tree", "--seed-data", "docs.jsonl", "-o", "new.json"], ["mixed-tree"]),
        (["cluster", "assign", "set", "--tree", "other-tree"], ["set", "no vectors of the tree's embedder"]),
        (["cluster", "show", "tree", "--dataset", "other-set"], ["other-set", "not assigned to the tree"]),
        (["split", "set", "--tree", "other-tree", "--init", "run", "--branch-tokens", "64", "-o", "new"], ["other-tree"]),
        (["finetune", "run", "--data", "silent.jsonl", "-o", "new", "--sequence", "9999"], []),
        (["eval", "set", "--data", "docs.jsonl"], ["set", "no model"]),
        (["train", "other-set", "-o", "run", "--width", "32", "--layers", "1"] + small, ["run", "contains a different run"]),
        (["tokenize", "docs.jsonl", "--tokenizer", "tok", "--shards", "run"], ["run", "exists"]),
      ]
      for (arguments, words) in cases {
        expectFailure(try binary.run(arguments), naming: words)
        #expect(try snapshot() == before, "weir \(arguments.joined(separator: " ")) left something")
      }
      let decoded = try binary.shell(
        "weir tokenize docs.jsonl --tokenizer tok --quiet | weir tokenize --tokenizer other-tok --decode -o new.jsonl")
      expectFailure(decoded, naming: ["--tokenizer"])
      #expect(try snapshot() == before)
    }
  }

  @Test func aDamagedTokenizer() throws {
    try inFolder { binary in
      try binary.useMade()
      let whole = try #require(binary.read("tok/tokenizer.json"))
      let text = String(decoding: whole, as: UTF8.self)
      for (index, bytes) in [
        Array(whole.prefix(whole.count / 2)), [], Array("[]".utf8), Array("{}".utf8),
        Array(text.replacing("\"vocab\"", with: "\"cab\"").utf8),
        Array(text.replacing("\"merges\"", with: "\"urges\"").utf8), Array(text.replacing("BPE", with: "Unigram").utf8),
      ].enumerated() {
        try binary.write("bad/tokenizer.json", bytes)
        let result = try binary.weir("tokenize", "docs.jsonl", "--tokenizer", "bad", "--shards", "new")
        expectFailure(result, naming: ["bad"])
        #expect(!binary.names.contains { $0.hasPrefix("new") }, "case \(index)")
      }
    }
  }

  @Test func verifyFindsDamage() throws {
    try inFolder { binary in
      try binary.useMade()
      #expect(try binary.weir("verify", "set", "tree", "run", "mix.json", "tok").code == 0)
      let files = try FileManager.default.subpathsOfDirectory(atPath: binary.folder.appendingPathComponent("set").path).sorted().filter {
        $0.hasPrefix("shard") && !(binary.read("set/\($0)") ?? []).isEmpty
      }
      #expect(files.count >= 3)
      for name in files {
        let whole = try #require(binary.read("set/\(name)"))
        var bytes = whole
        bytes[bytes.count / 2] ^= 0x10
        for damaged in [bytes, Array(whole.dropLast())] {
          try binary.write("set/\(name)", damaged)
          let result = try binary.weir("verify", "set")
          #expect(result.code == 1)
          #expect(result.complaints.contains { $0.contains(name) }, "\(name): \(result.errors)")
          #expect(!result.errors.contains("crashed"))
        }
        // Commands that read the damaged dataset do not crash.
        try binary.write("set/\(name)", Array(whole.prefix(whole.count / 3)))
        let reading = try binary.weir("embed", "set", "--dimensions", "8")
        #expect(!reading.errors.contains("crashed") && [0, 1].contains(reading.code), "\(name): \(reading.errors)")
        try binary.write("set/\(name)", whole)
      }
      try FileManager.default.removeItem(at: binary.folder.appendingPathComponent("set/\(files[0])"))
      let missing = try binary.weir("verify", "set")
      #expect(missing.code == 1)
      #expect(missing.complaints.contains { $0.contains(files[0]) }, "\(missing.errors)")
    }
  }
}
