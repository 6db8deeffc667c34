import Foundation
import Testing

/// Recipes end to end, small enough to run in seconds.
@Suite struct RecipeTests {
  /// A recipe from documents to the report; more `steps` of the base model leave time for an interruption.
  private static func recipe(baseTokens: Int = 640, lr: String = "1e-3") -> String {
    """
    run: out
    set:
      small: --sequence 32 --batch 2 --checkpoint-every 4
    steps:
      - name: dataset
        says: Documents to tokens
        do: read docs.jsonl | dedup --exact | tokenize --tokenizer tok | shard {run}/set
      - name: embed
        says: Windows to vectors
        do: embed {run}/set --dimensions 8
      - name: tree
        says: Vectors to a tree
        do: cluster fit {run}/set -o {run}/tree --arity 2 --depth 1 --minimum-leaf 4
      - name: assign
        says: Windows to leaves
        do: cluster assign {run}/set --tree {run}/tree
      - name: mixture
        says: What to draw
        do: sample {run}/set --tree {run}/tree --seed-data seed.jsonl -o {run}/mix.json
      - name: base
        says: A model
        do: train {run}/set --mixture {run}/mix.json -o {run}/base --width 32 --layers 1 {small} --tokens \(baseTokens) --lr \(lr) --valid held.jsonl
      - name: eval
        says: How good it is
        do: eval {run}/base --data held.jsonl
      - name: tuned
        says: Specialised
        do: finetune {run}/base --data seed.jsonl -o {run}/tuned --epochs 1 {small} --valid held.jsonl
      - name: split
        says: Into branches
        do: split {run}/set --tree {run}/tree --init {run}/base --branch-tokens 128 -o {run}/split {small} --valid held.jsonl
      - name: report
        says: On a page
        do: report {run}
    """
  }

  private func prepare(_ binary: Binary) throws {
    try binary.write("docs.jsonl", Samples.file(36))
    try binary.write("seed.jsonl", Samples.file(8, seed: 7))
    try binary.write("held.jsonl", Samples.file(6, seed: 9))
    #expect(try binary.weir("tokenizer", "train", "docs.jsonl", "-o", "tok", "--vocabulary", "300").code == 0)
  }

  /// The output of a run without wall times, which differ between runs.
  private func results(_ binary: Binary) throws -> [String: String] {
    try binary.snapshot().filter { name, _ in
      name.hasSuffix(".safetensors") || name.hasSuffix(".bin") || name.hasSuffix(".idx") || name.hasSuffix("mix.json")
        || name.hasSuffix("evaluations.jsonl")
    }
  }

  @Test func endToEndThenUpToDateThenWhatDepends() throws {
    try inFolder { binary in
      try prepare(binary)
      try binary.write("recipe.yaml", Self.recipe())
      let dry = try binary.weir("run", "recipe.yaml", "--dry-run")
      #expect(dry.code == 0, "\(dry.errors)")
      for name in ["dataset", "embed", "base", "report", "to do"] { #expect(dry.text.contains(name)) }
      #expect(!binary.names.contains("out"))

      let first = try binary.weir("run", "recipe.yaml")
      #expect(first.code == 0, "\(first.errors)")
      #expect(first.errors.contains("ran 10 of 10 steps"))
      for path in [
        "out/set/manifest.json", "out/base/model/model.safetensors", "out/tuned/model/model.safetensors", "out/split/split.json",
      ] {
        #expect(binary.read(path) != nil, "\(path)")
      }
      #expect(String(decoding: binary.read("out/report.html") ?? [], as: UTF8.self).hasPrefix("<!DOCTYPE html>"))
      let page = try binary.weir("report", "out/split", "-o", "-").text
      #expect(page.contains("chart-split") && page.contains("With the same weight for every domain") && !page.contains("ends lowest"))
      let verified = try binary.weir("verify", "out/set", "out/tree", "out/base", "out/mix.json")
      #expect(verified.code == 0, "\(verified.errors)")

      let before = try binary.snapshot(times: true)
      let second = try binary.weir("run", "recipe.yaml")
      #expect(second.code == 0)
      #expect(second.errors.contains("up to date"))
      #expect(try binary.snapshot(times: true) == before)
      let planned = try binary.weir("run", "recipe.yaml", "--dry-run")
      #expect(!planned.text.contains("to do"), "\(planned.text)")
      #expect(try binary.snapshot(times: true) == before)

      // A different temperature for fine-tuning: only that step and the report run again.
      try binary.write("recipe.yaml", Self.recipe().replacing("{run}/tuned --epochs 1", with: "{run}/tuned --epochs 1 --method direct"))
      let refused = try binary.weir("run", "recipe.yaml")
      expectChange(refused, binary, before: before)

      // A different mixture: the steps that sample from it run again.
      let changed = Self.recipe().replacing("-o {run}/mix.json", with: "-o {run}/mix.json --smoothing 2")
        .replacing("{run}/base", with: "{run}/base2").replacing("{run}/tuned", with: "{run}/tuned2")
        .replacing("{run}/split", with: "{run}/split2")
      try binary.write("recipe.yaml", changed)
      let third = try binary.weir("run", "recipe.yaml")
      #expect(third.code == 0, "\(third.errors)")
      #expect(third.errors.contains("ran 6 of 10 steps"), "\(third.errors)")
      let after = try binary.snapshot(times: true)
      for (name, mark) in before where name.hasPrefix("out/set/") || name.hasPrefix("out/tree/") || name.hasPrefix("out/base/") {
        #expect(after[name] == mark, "\(name)")
      }
      #expect(after["out/mix.json"] != before["out/mix.json"])
    }
  }

  /// A run folder belongs to one configuration: a step whose training changed runs again in it, or the error names the folder in the way.
  private func expectChange(_ result: Binary.Result, _ binary: Binary, before: [String: String]) {
    if result.code == 0 {
      #expect(result.errors.contains("ran 2 of 10 steps"), "\(result.errors)")
    } else {
      #expect(result.errors.contains("weir: out/tuned: contains a different run"), "\(result.errors)")
    }
  }

  /// Interrupts the training of the middle step, in a run long enough to be interrupted.
  private func interrupted(by signal: String) throws {
    try inFolder { binary in
      try prepare(binary)
      let text = Self.recipe(baseTokens: 51_200).replacing("--checkpoint-every 4", with: "--checkpoint-every 20")
      try binary.write("recipe.yaml", text)
      #expect(try binary.shell("weir run recipe.yaml --quiet && mv out whole").code == 0)
      // Stops the run three times as soon as its log has some lines, then lets it finish.
      let line = """
        mkfifo pause
        for lines in 30 150 400; do
          "\(Binary.path)" run recipe.yaml --quiet &
          run=$!
          for i in $(seq 2000); do
            done=(); [ -f out/base/log.jsonl ] && mapfile -t done < out/base/log.jsonl
            [ ${#done[@]} -ge $lines ] && break
            kill -0 $run 2>/dev/null || break
            read -rt 0.005 <> pause
          done
          kill -\(signal) $run 2>/dev/null
          wait $run; echo $?
        done
        weir run recipe.yaml --quiet; echo $?
        rm -rf again; mv out again
        """
      let result = try binary.shell(line)
      #expect(result.text.hasSuffix("0\n"), "\(result.text) \(result.errors)")
      // At least one of the three signals arrived before the end of the run.
      #expect(result.text.split(separator: "\n").dropLast().contains(signal == "KILL" ? "137" : "1"), "\(result.text) \(result.errors)")
      let all = try results(binary)
      func part(_ prefix: String) -> [String: String] {
        var found: [String: String] = [:]
        for (name, mark) in all where name.hasPrefix(prefix) { found[String(name.dropFirst(prefix.count))] = mark }
        return found
      }
      let whole = part("whole/")
      #expect(whole["base/model/model.safetensors"] != nil)
      #expect(whole == part("again/"))
      #expect(!all.keys.contains { $0.contains(".partial") })
    }
  }

  @Test func interruptedRunsEndTheSame() throws { try interrupted(by: "INT") }
  @Test func killedRunsEndTheSame() throws { try interrupted(by: "KILL") }

  private static let step = "  - {name: a, says: x, do: read docs.jsonl -o out.jsonl}\n"

  @Test(arguments: [
    ("steps: [", "not YAML"), ("run: out\n", "steps"), ("run: out\nsteps: 7\n", "steps"), ("steps: []\n", "run"),
    ("run: out\nsteps: []\n", "has no steps"), ("run: ''\nsteps:\n\(step)", "not a folder of its own"),
    ("run: /\nsteps:\n\(step)", "not a folder of its own"), ("run: ./.\nsteps:\n\(step)", "not a folder of its own"),
    ("run: ~\nsteps:\n\(step)", "`run` is null"), ("run: null\nsteps:\n\(step)", "`run` is null"),
    ("run: ~/x\nsteps:\n\(step)", "only a shell"),
    ("run: out\nsteps:\n  - {name: ., says: x, do: read}\n", "which is a folder"),
    ("run: out\nsteps:\n  - {name: .., says: x, do: read}\n", "which is a folder"),
    ("run: ../../x\nsteps:\n\(step)", "leads out of"), ("run: out/../../x\nsteps:\n\(step)", "leads out of"),
    ("run: \(String(repeating: "x", count: 300))\nsteps:\n\(step)", "too long"),
    ("run: out\nsteps:\n\(step)\(step)", "two steps are named a"), ("run: out\nsteps:\n\(step)  - {name: b, says: x}\n", "do"),
    ("run: out\nsteps:\n\(step)  - {name: b, says: x, do: 'nonsense docs.jsonl'}\n", "step b"),
    ("run: out\nsteps:\n\(step)  - {name: b, says: x, do: 'read docs.jsonl --nonsense'}\n", "step b"),
    ("run: out\nsteps:\n\(step)  - {name: b, says: x, do: 'read {lost}/docs.jsonl'}\n", "{lost}"),
    ("run: out\nsteps:\n\(step)  - {name: b, says: x, do: 'read docs.jsonl | '}\n", "step b"),
    ("run: out\nsteps:\n\(step)  - {name: b, says: x, do: 'read docs.jsonl | train x -o y --tokens 1'}\n", "step b"),
    ("run: out\nsteps:\n\(step)  - {name: b, says: x, do: 'read \"docs.jsonl'}\n", "step b"),
    ("run: out\nsteps:\n\(step)  - {name: ../b, says: x, do: 'read docs.jsonl'}\n", "../b"),
    ("run: out\nsteps:\n\(step)  - {name: b, says: x, does: y, do: 'read docs.jsonl -o b.jsonl'}\n", "does"),
    ("run: out\nsteps:\n\(step)  - {name: b, says: x, do: 'run recipe.yaml'}\n", "step b"),
    ("run: out\nsteps:\n\(step)  - {name: b, says: x, do: 'filter docs.jsonl --rules nonsense -o b.jsonl'}\n", "--rules"),
    ("run: out\nsteps:\n\(step)  - {name: b, says: x, do: '--help'}\n", "step b"),
    ("run: out\nextra: 1\nsteps:\n\(step)", "extra"),
    ("run: out\nsteps:\n\(step)summary: {crisps: {base: a}}\n", "crisps"),
    ("run: out\nsteps:\n\(step)summary: {data: {datasets: out}}\n", "summary.data"),
    ("run: out\nsteps:\n\(step)summary:\n  crisp:\n    base: a\n    dsir: b\n", "recipe.yaml:7"),
    (
      "run: out\nsteps:\n  - {name: p, says: x, do: 'read docs.jsonl -o one.jsonl'}\n  - {name: q, says: x, do: 'read docs.jsonl -o ./one.jsonl'}\n",
      "steps p and q both write ./one.jsonl"
    ),
    ("run: out\nsteps:\n\(step)summary: {crisp: {dsir: [a]}}\n", "summary.crisp.dsir"),
    ("run: out\nsteps:\n\(step)summary: {finetune: {points: a b}}\n", "\"b\""),
  ])
  func aSlipIsFoundBeforeAnythingRuns(_ recipe: String, _ word: String) throws {
    try inFolder { binary in
      try binary.write("docs.jsonl", Samples.file(3))
      try binary.write("recipe.yaml", recipe)
      let result = try binary.weir("run", "recipe.yaml", "--quiet")
      expectFailure(result, naming: [word, "recipe.yaml"])
      #expect(binary.names == ["docs.jsonl", "recipe.yaml"])
    }
  }
}
