import Foundation
import Testing

/// Packed rows, row orders and what continues a run, with the real binary.
@Suite struct PackTests {
  private func json(_ binary: Binary, _ words: String) throws -> [String: Any] {
    let result = try binary.shell("weir \(words) --json --quiet")
    #expect(result.code == 0, "\(words): \(result.errors)")
    return try #require(try JSONSerialization.jsonObject(with: Data(result.output)) as? [String: Any])
  }

  @Test func everyWayOfPackingKeepsEveryToken() throws {
    try inFolder { binary in
      try binary.useMade()
      var tokens: Set<Int> = []
      for flags in ["", "--packing best-fit", "--packing pad", "--tree tree", "--tree tree --level 1", "--by source", "-o elsewhere"] {
        let report = try json(binary, "pack set --sequence 32 \(flags)")
        let rows = try #require((report["rows"] as? [[String: Any]])?.first)
        tokens.insert(try #require(rows["tokens"] as? Int))
        let path = try #require(rows["path"] as? String)
        #expect(try binary.weir("verify", path, "--quiet").code == 0 && binary.weir("peek", path).code == 0)
      }
      #expect(tokens.count == 1)
      expectFailure(try binary.shell("weir pack set --by nothing"), naming: ["set", "nothing"])
      expectFailure(try binary.shell("weir pack set --tree tree --by source"), code: 64, naming: [])
      expectFailure(try binary.shell("weir pack set --sequence 1"), naming: ["--sequence"])
      expectFailure(
        try binary.shell("weir feed set --rows elsewhere --mixture mix.json --sequence 32 --steps 1"), naming: ["elsewhere", "weir pack"])
    }
  }

  @Test func anOrderSaysWhatFeedReads() throws {
    try inFolder { binary in
      try binary.useMade()
      let report = try json(binary, "pack set --sequence 32 --mixture mix.json --seed 3 --order order.json")
      #expect(((report["order"] as? [String: Any])?["stages"] as? [Any])?.count == 1)
      #expect(try binary.shell("weir verify order.json --quiet && weir peek order.json").code == 0)
      let shape = "--batch-size 4 --steps 5"
      let own = try binary.shell("weir feed set --mixture mix.json --sequence 32 --seed 3 \(shape)")
      let fed = try binary.shell("weir feed set --order order.json \(shape)")
      #expect(own.code == 0 && own.output == fed.output, "\(own.errors) \(fed.errors)")
      let header = try #require(fed.output.firstIndex(of: 10)), end = try #require(fed.output.dropLast().lastIndex(of: 0x7B))
      let first = try #require(JSONSerialization.jsonObject(with: Data(fed.output[..<header])) as? [String: Any])
      let last = try #require(JSONSerialization.jsonObject(with: Data(fed.output[end...])) as? [String: Any])
      #expect(first["format"] as? String == "weir.feed.1" && first["order_version"] as? Int == 1 && first["rows"] as? Int == 4)
      #expect(last["rows"] as? Int == 20 && last["steps"] as? Int == 5 && end - header - 1 == 20 * 3 * 32 * 4)
      // Steps are multiples of the batch size in positions.
      let from = try binary.shell("weir feed set --order order.json --batch-size 2 --from-position 8 --steps 1 | tail -n +2")
      let step = try binary.shell("weir feed set --order order.json --batch-size 2 --from-step 4 --steps 1 | tail -n +2")
      #expect(from.code == 0 && from.output == step.output)
      let traced = try binary.shell("weir trace set --order order.json --batch-size 4 --step 2")
      #expect(traced.code == 0)
      #expect(try traced.output == binary.shell("weir trace set --mixture mix.json --sequence 32 --seed 3 --batch-size 4 --step 2").output)
      expectFailure(try binary.shell("weir trace set --order order.json --seed 3 --step 2"), code: 64, naming: ["--seed"])
      expectFailure(try binary.shell("weir feed other-set --order order.json --steps 1"), naming: ["order.json", "other datasets"])
      expectFailure(try binary.shell("weir feed set --mixture mix.json --sequence 32 --max-epochs 1 --steps 100000"), naming: ["--steps"])
      #expect(try binary.shell("sed -i 's/\"sequence\" : 32/\"sequence\" : 33/' order.json").code == 0)
      expectFailure(try binary.shell("weir feed set --order order.json --steps 1"), naming: ["order.json", "was changed"])
    }
  }

  @Test func schedulesAndBlends() throws {
    try inFolder { binary in
      try binary.useMade()
      try binary.write(
        "schedule.yaml",
        "tree: tree\nlevel: 1\nmax_epochs: 9\nstages:\n  - {at: 0, weights: {'0': 1}}\n  - {at: 640, weights: {'0': 1, '1': 3}}\n")
      let report = try json(binary, "pack set --sequence 32 --mixture schedule.yaml --tokens 1k --order order.json")
      let stages = try #require((report["order"] as? [String: Any])?["stages"] as? [[String: Any]])
      #expect(stages.map { $0["first_position"] as? Int } == [0, 20])
      #expect((stages[0]["groups"] as? [[String: Any]])?.compactMap { $0["name"] as? String } == ["0"])
      try binary.write("blend.txt", "0.3 set 0.7 copy")
      #expect(try binary.shell("cp -r set copy").code == 0)
      let blend = try binary.shell("weir feed set --mixture blend.txt --sequence 32 --batch-size 10 --steps 1 --row-numbers")
      #expect(blend.code == 0, "\(blend.errors)")
      // Exports of what they draw.
      #expect(
        try binary.shell("weir export set --mixture schedule.yaml --tokens 1k --to jsonl -o drawn.jsonl && test -s drawn.jsonl").code == 0)
      #expect(try binary.shell("weir export set --mixture blend.txt --tokens 1k --sequence 32 --to npy -o rows").code == 0)
      expectFailure(try binary.shell("weir export set --mixture blend.txt --tokens 1k --to jsonl -o no.jsonl"), naming: ["2 datasets"])
      expectFailure(try binary.shell("weir export set --mixture schedule.yaml --to jsonl -o no.jsonl"), naming: ["--tokens"])
      for (text, words) in [
        ("stages: []", ["no stage"]), ("tree: tree\nstages: [{at: 5, weights: {'0': 1}}]", ["no stage at 0"]),
        ("tree: tree\nlevel: 1\nstages: [{at: 0, weights: {x: 1}}]", ["\"x\"", "not a group"]),
        ("stages: [{at: 0, weights: {x: 1}}]", ["by, tree"]),
        ("tree: tree\nlevel: 1\nstages: [{at: 0, weights: {'0': -1}}]", ["at least 0"]), ("stage: 3", ["unknown member"]),
        ("[1, 2", ["bad.yaml"]),
        ("tree: tree\nlevel: 1\nmax_epochs: 1\nstages: [{at: 0, weights: {'0': 1}}]", ["epochs"]),
        ("tree: tree\nlevel: 1\nmax_epochs: .nan\nstages: [{at: 0, weights: {'0': 1}}]", ["max_epochs", "positive"]),
        ("tree: tree\nlevel: -1\nstages: [{at: 0, weights: {'0': 1}}]", ["level"]),
        ("tree: tree\nlevel: 1\nstages: [{at: 0, weights: {'0': 1}, max_epochs: 1}]", ["bad.yaml:3", "stage 1", "max_epochs"]),
        (
          "tree: tree\nlevel: 1\nstages: [{at: 0, weights: {'0': 1}}, {at: 1, weights: {'1': 1}}, {at: 2, weights: {'0': 1}}]", ["same row"]
        ),
        // A group's cap cannot supply its stage, and the others have no weight in it.
        ("tree: tree\nlevel: 1\nmax_epochs: {'1': 1}\nstages: [{at: 0, weights: {'0': 1}}, {at: 640, weights: {'1': 1}}]", ["cap leaves"]),
        ("datasets: [other-set]\nstages: [{at: 0, weights: {other-set: 1}}]", ["does not draw from set"]),
      ] {
        try binary.write("bad.yaml", text)
        expectFailure(try binary.shell("weir pack set --sequence 32 --mixture bad.yaml --tokens 100M --order no.json"), naming: words)
      }
    }
  }

  /// A run that continues another one reads on; a branch of a split reads what the trunk has not read.
  @Test func continuedRunsReadOn() throws {
    try inFolder { binary in
      try binary.useMade()
      let shape = "--width 32 --layers 1 --sequence 32 --batch-size 2 --tokens 256 --quiet"
      let line = "weir train set \(shape) -o first && weir train set \(shape) --init first -o second"
      #expect(try binary.shell(line).code == 0)
      func segments(_ words: String) throws -> [String] {
        let result = try binary.shell("weir trace set \(words)")
        #expect(result.code == 0, "\(result.errors)")
        return try result.text.split(separator: "\n").map { line in
          let value = try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
          return "\(value["document"] ?? "") \(value["offset"] ?? "")"
        }
      }
      let first = try segments("--run first --step 0 --steps 4"), second = try segments("--run second --step 0 --steps 4")
      #expect(Set(first).isDisjoint(with: second) && Set(first).count == first.count)
      // The rows that an unbroken run reads.
      #expect(try second == segments("--sequence 32 --batch-size 2 --step 4 --steps 4"))
      #expect(try binary.shell("weir train set \(shape) --init first --from-position 0 -o again").code == 0)
      #expect(try segments("--run again --step 0 --steps 4") == first)
      let id = try binary.shell("weir trace set --run second --step 0 | head -1 | sed 's/.*\"id\":\"\\([^\"]*\\)\".*/\\1/'").text
      let found = try segments("--run second --document '\(id.trimmingCharacters(in: .newlines))'")
      #expect(!found.isEmpty && Set(found).isSubset(of: second))
    }
  }

  /// A token dataset of held-out documents is evaluated as the documents are.
  @Test func validationReadsDatasets() throws {
    try inFolder { binary in
      try binary.useMade()
      try binary.write("held.jsonl", Samples.file(6, seed: 9))
      let shape = "--width 32 --layers 1 --sequence 32 --batch-size 2 --tokens 128 --quiet"
      #expect(try binary.shell("weir read held.jsonl | weir tokenize --tokenizer tok | weir shard held").code == 0)
      let run = try binary.shell("weir train set \(shape) --valid held.jsonl -o a && weir train set \(shape) --valid held -o b")
      #expect(run.code == 0, "\(run.errors)")
      func losses(_ run: String) throws -> String {
        try binary.shell("sed 's/\"domain.*//; s/.*\"loss\"/loss/' \(run)/evaluations.jsonl").text
      }
      #expect(try losses("a") == losses("b") && losses("a").contains("loss"))
    }
  }

  /// Of processes that need rows that nobody has packed yet, one packs them; rows that are damaged are packed again.
  @Test func rowsArePackedOnce() throws {
    try inFolder { binary in
      try binary.useMade()
      let feed = "weir feed set --sequence 24 --steps 2"
      let both = try binary.shell("\(feed) > a & p=$!; \(feed) > b & q=$!; \(feed) > c && wait $p && wait $q && cmp a b && cmp b c")
      #expect(both.code == 0, "\(both.errors)")
      #expect(try binary.shell("echo x >> set/rows/24-concat/segments.u64").code == 0)
      expectFailure(try binary.shell(feed), naming: ["segments.u64"])
      #expect(try binary.shell("weir pack set --sequence 24 --quiet && \(feed) | cmp - a").code == 0)
    }
  }

  @Test func anOrderFindsTheDatasetThatMovedAndReplacesNoInput() throws {
    try inFolder { binary in
      try binary.useMade()
      #expect(
        try binary.shell("weir pack set --sequence 32 --order order.json --quiet && weir feed set --order order.json --steps 2 > a").code
          == 0)
      for output in ["set/manifest.json", "set/shard-00000.bin"] {
        expectFailure(try binary.shell("weir pack set --sequence 32 --order \(output)"), naming: [output, "is an input"])
        expectFailure(try binary.shell("weir export set --to npy -o \(output)"), naming: [output])
      }
      expectFailure(try binary.shell("weir export set --to jsonl -o set/manifest.json"), naming: ["set/manifest.json", "is an input"])
      // The model is a part of the run.
      expectFailure(
        try binary.shell("weir eval run --data docs.jsonl --logits run/model/model.safetensors"),
        naming: ["model.safetensors", "is an input"])
      expectFailure(try binary.shell("weir merge run run -o run/model"), naming: ["run/model", "is an input"])
      let moved = try binary.shell("mv set moved && weir feed moved --order order.json --steps 2 | cmp - a")
      #expect(moved.code == 0, "\(moved.errors)")
    }
  }

  @Test func documentsAreAssignedAsWholes() throws {
    try inFolder { binary in
      try binary.useMade()
      #expect(try binary.shell("weir cluster assign set --tree tree --unit document -o set/clusters/whole --quiet").code == 0)
      #expect(try binary.weir("verify", "set", "--quiet").code == 0)
      expectFailure(try binary.shell("weir cluster assign v.npy --tree tree --unit document -o x"), code: 64, naming: [])
    }
  }
}
