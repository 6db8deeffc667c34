import Foundation
import Testing

@Suite struct HoldoutTests {
  private func lines(_ binary: Binary, _ name: String) -> [String] {
    (binary.read(name) ?? []).split(separator: 10).map { String(decoding: $0, as: UTF8.self) }
  }

  @Test func allDocumentsAreOnOneSide() throws {
    try inFolder { binary in
      // Every document twice.
      try binary.write("a.jsonl", Samples.file(60))
      try binary.write("b.jsonl", Samples.file(60))
      #expect(try binary.weir("read", "a.jsonl", "b.jsonl", "-o", "all.jsonl").code == 0)
      for by in [[], ["--by", "source"]] {
        var content: [[String: [UInt8]?]] = []
        for threads in ["1", "4"] {
          let arguments = [
            "holdout", "a.jsonl", "b.jsonl", "--fraction", "0.2", "--to", "held.jsonl", "-o", "kept.jsonl", "--threads", threads,
          ]
          let result = try binary.run(arguments + by)
          #expect(result.code == 0, "\(result.errors)")
          content.append(["held": binary.read("held.jsonl"), "kept": binary.read("kept.jsonl")])
          let count = lines(binary, "held.jsonl").count
          #expect(result.errors.contains("holdout: 120 in, \(120 - count) out, \(count) dropped (held_out \(count))"), "\(result.errors)")
        }
        #expect(content[0] == content[1])
        let (held, kept) = (lines(binary, "held.jsonl"), lines(binary, "kept.jsonl"))
        #expect((held + kept).sorted() == lines(binary, "all.jsonl").sorted() && !held.isEmpty)
        func texts(_ lines: [String]) -> [Substring] { lines.map { $0.split(separator: "\"")[7] } }
        #expect(Set(texts(held)).isDisjoint(with: texts(kept)))
        if !by.isEmpty {
          for source in ["stars", "law", "food"] { #expect(held.count { $0.contains("\"source\": \"\(source)\"") } == 8) }
        }
      }
      let report = try binary.weir(
        "holdout", "a.jsonl", "--fraction", "0.2", "--by", "source", "--to", "held.jsonl", "-o", "kept.jsonl", "--json")
      #expect(report.text.contains(#"{"documents":20,"heldOut":4,"name":"food"}"#), "\(report.text)")
    }
  }

  @Test func worksInPipesAndInRecipes() throws {
    try inFolder { binary in
      try binary.write("docs.jsonl", Samples.file(60))
      let step = "holdout --fraction 0.2 --to"
      let alone = try binary.shell("weir dedup docs.jsonl -o unique.jsonl && weir \(step) h1.jsonl unique.jsonl -o k1.jsonl")
      #expect(alone.code == 0, "\(alone.errors)")
      let pipe = try binary.shell(
        "set -o pipefail; weir read docs.jsonl | weir dedup | weir \(step) h2.jsonl.zst --threads 3 | weir filter --rules none -o k2.jsonl")
      #expect(pipe.code == 0, "\(pipe.errors)")
      #expect(binary.read("k1.jsonl") == binary.read("k2.jsonl"))
      #expect(try binary.shell("weir read h2.jsonl.zst -o h2.jsonl").code == 0 && binary.read("h1.jsonl") == binary.read("h2.jsonl"))
      try binary.write(
        "recipe.yaml",
        """
        run: out
        steps:
          - name: documents
            says: Documents for training and for validation
            do: read docs.jsonl | dedup | \(step) {run}/held.jsonl -o {run}/kept.jsonl

        """)
      let dry = try binary.weir("run", "recipe.yaml", "--dry-run")
      #expect(dry.code == 0 && !binary.names.contains("out"), "\(dry.errors)")
      let run = try binary.weir("run", "recipe.yaml")
      #expect(run.code == 0, "\(run.errors)")
      #expect(binary.read("out/kept.jsonl") == binary.read("k1.jsonl") && binary.read("out/held.jsonl") == binary.read("h1.jsonl"))
      // Both are outputs of the step.
      #expect(try binary.shell("rm out/held.jsonl").code == 0)
      #expect(try binary.weir("run", "recipe.yaml").code == 0 && binary.read("out/held.jsonl") == binary.read("h1.jsonl"))
    }
  }

  @Test func whatMakesNoSense() throws {
    try inFolder { binary in
      try binary.write("docs.jsonl", Samples.file(30))
      try binary.write("none.jsonl", "\n")
      let before = try binary.snapshot()
      let start = ["holdout", "docs.jsonl", "-o", "kept.jsonl"]
      for words in [
        ["--to", "held.jsonl"], ["--fraction", "0.1"], ["--fraction", "0", "--to", "held.jsonl"],
        ["--fraction", "1", "--to", "held.jsonl"],
        ["--fraction", "nan", "--to", "held.jsonl"], ["--fraction", "0.1", "--to", "-"], ["--fraction", "0.1", "--to", "kept.jsonl"],
        ["--fraction", "0.1", "--to", "held.txt"], ["--fraction", "0.1", "--to", "held.jsonl", "--by", ""],
      ] {
        expectFailure(try binary.run(start + words), code: 64, naming: [])
      }
      expectFailure(try binary.run(start + ["--fraction", "0.1", "--to", "docs.jsonl"]), naming: ["docs.jsonl", "is an input"])
      expectFailure(try binary.run(start + ["--fraction", "0.1", "--to", "no/held.jsonl"]), naming: ["no/held.jsonl"])
      expectFailure(try binary.weir("holdout", "none.jsonl", "--fraction", "0.1", "--to", "held.jsonl"), naming: ["no documents"])
      let dry = try binary.run(start + ["--fraction", "0.1", "--to", "held.jsonl", "--dry-run", "--json"])
      #expect(dry.code == 0 && dry.text.contains("\"held_out\":3"), "\(dry.text)")
      #expect(try binary.snapshot() == before)
      let few = try binary.run(start + ["--fraction", "0.0000001", "--to", "held.jsonl", "--by", "nope"])
      #expect(few.errors.contains("no document has a member nope"), "\(few.errors)")
      let none = try binary.run(start + ["--fraction", "0.0000001", "--to", "held.jsonl"])
      #expect(none.code == 0 && none.errors.contains("no document was held out"), "\(none.errors)")
    }
  }
}
