import Foundation
import Testing

/// Finetuning on the command line: what is measured, kept and refused.
@Suite struct FinetuneTests {
  private static let shape = ["--sequence", "32", "--batch-size", "2", "--quiet"]

  private func prepare(_ binary: Binary) throws {
    try binary.useMade()
    let base = ["train", "set", "--width", "32", "--layers", "1", "--sequence", "32", "--batch-size", "2", "--tokens", "20k"]
    #expect(try binary.run(base + ["-o", "known", "--quiet"]).code == 0)
    let lines = Samples.lines(24, words: 30)
    for (name, domain) in [("target", 0), ("source", 1)] {
      try binary.write("\(name).jsonl", lines.enumerated().filter { $0.offset % 3 == domain }.map(\.element).joined(separator: "\n") + "\n")
    }
  }

  @Test func reportsGainAndForgetting() throws {
    try inFolder { binary in
      try prepare(binary)
      let words = [
        "finetune", "known", "--data", "target.jsonl", "--epochs", "2", "--source", "source.jsonl", "--sequence", "32", "--batch-size", "2",
      ]
      let result = try binary.run(words + ["--valid-fraction", "0.3", "--valid-every", "epoch", "-o", "out"])
      #expect(result.code == 0, "\(result.errors)")
      #expect(result.errors.contains("held-out loss, nats/token") && result.errors.contains("valid") && result.errors.contains("source"))
      let lines = String(decoding: binary.read("out/evaluations.jsonl") ?? [], as: UTF8.self).split(separator: "\n")
      #expect(lines.count == 6 && lines.first?.hasPrefix("{\"step\": 0, \"tokens\": 0, \"name\": \"valid\"") == true)
      #expect(lines.count { $0.contains("\"role\": \"source\"") } == 3)
      #expect(try binary.weir("verify", "out").code == 0)
      let limited = try binary.run(words + ["--retain-budget", "0", "--valid-every", "2", "-o", "none"])
      #expect(limited.errors.contains("kept the initial model"), "\(limited.errors)")
      #expect(limited.errors.contains("judged half"))
      let page = try binary.weir("report", "none", "-o", "-")
      #expect(page.text.contains("Held-out loss before and after") && page.text.contains("kept the initial model"))
      // A model that continues another one is evaluated before, too.
      let continued = try binary.weir(
        "train", "set", "--init", "run", "--tokens", "128", "--sequence", "32", "--batch-size", "2", "--valid", "source.jsonl", "-o", "more"
      )
      #expect(continued.errors.contains("before") && continued.code == 0, "\(continued.errors)")
    }
  }

  @Test func dryRunCountsAndWritesNothing() throws {
    try inFolder { binary in
      try prepare(binary)
      let words = ["finetune", "known", "--data", "target.jsonl", "--epochs", "2", "--sequence", "32", "--batch-size", "2"]
      func estimate(_ options: [String]) throws -> [String: Any] {
        let result = try binary.run(words + options + ["-o", "new", "--dry-run", "--json"])
        #expect(result.code == 0 && binary.read("new/run.json") == nil, "\(result.errors)")
        let report = try JSONSerialization.jsonObject(with: Data(result.text.utf8)) as? [String: Any]
        #expect((report?["examples"] as? [String: Any])?["examples"] as? Int == 8)
        return try #require(report?["cost"] as? [String: Any])
      }
      let direct = try estimate(["--method", "direct"])
      let ewc = try estimate(["--method", "ewc", "--fisher-data", "source.jsonl"])
      let parameters = try #require(direct["parameters"] as? Int)
      let more = try #require(ewc["memoryBytes"] as? Int) - #require(direct["memoryBytes"] as? Int)
      // The initial weights and the Fisher information.
      #expect(more >= 8 * parameters, "\(more) bytes for \(parameters) parameters")
      let run = try binary.run(words + ["--method", "direct", "-o", "new", "--json"])
      #expect(run.text.contains("\"steps\":\(try #require(direct["steps"] as? Int)),"), "\(run.text)")
    }
  }

  /// A run's held-out text is neither replayed nor the source of its Fisher information, and a finished run is whole.
  @Test func keepsApartAndWhole() throws {
    try inFolder { binary in
      try prepare(binary)
      #expect(try binary.shell("cp source.jsonl same.jsonl").code == 0)
      let words = ["finetune", "known", "--data", "target.jsonl", "--epochs", "1", "--source", "source.jsonl"] + Self.shape
      for option in [["--replay", "same.jsonl", "--replay-share", "0.3"], ["--method", "ewc", "--fisher-data", "same.jsonl"]] {
        expectFailure(try binary.run(words + option + ["-o", "new"]), naming: ["same.jsonl: has the content of source.jsonl"])
        #expect(binary.read("new/run.json") == nil)
      }
      let tune = words + ["--method", "lora", "-o", "low"]
      #expect(try binary.run(tune).code == 0)
      #expect(try binary.shell("rm -r low/adapter").code == 0)
      expectFailure(try binary.run(tune), naming: ["low/adapter", "lost this folder"])
    }
  }

  @Test func searchesLambda() throws {
    try inFolder { binary in
      try prepare(binary)
      let words =
        ["finetune", "known", "--data", "target.jsonl", "--epochs", "1", "--source", "source.jsonl", "--lambda", "auto"] + Self.shape
      let result = try binary.run(words + ["--retain-budget", "0.5", "-o", "out", "--json"])
      #expect(result.code == 0, "\(result.errors)")
      #expect(result.text.contains("\"search\":[{") && result.text.contains("\"within\":true"))
      #expect(try binary.weir("verify", "out").code == 0)
      #expect(try binary.run(words + ["--retain-budget", "0.5", "-o", "out", "--json"]).text == result.text)
      expectFailure(try binary.run(words + ["-o", "other"]), code: 64, naming: ["--lambda: auto needs a budget"])
      expectFailure(
        try binary.run(words + ["--retain-budget", "0.5", "--method", "direct", "-o", "other"]), code: 64,
        naming: ["--lambda needs --method anneal"])
      expectFailure(
        try binary.run(words + ["--retain-budget", "-1", "-o", "other"]), code: 64, naming: ["--retain-budget: must be a finite"])
      #expect(try binary.run(["finetune", "run", "--data", "target.jsonl", "--lambda", "much", "-o", "other"]).code == 64)
      #expect(try binary.run(["finetune", "run", "--data", "target.jsonl", "--valid-every", "often", "-o", "other"]).code == 64)
    }
  }

  @Test func sweeps() throws {
    try inFolder { binary in
      try prepare(binary)
      let words =
        [
          "known", "--data", "target.jsonl", "--methods", "direct,anneal", "--lambdas", "1,10", "--learning-rates", "1e-3,4e-3", "--seeds",
          "1,2",
          "--epochs", "1", "--valid-fraction", "0.3", "--source", "source.jsonl", "--sequence", "32", "--batch-size", "2", "-o", "sweep",
        ]
      let result = try binary.run(["finetune", "sweep"] + words)
      #expect(result.code == 0 && result.errors.contains("12 runs") && result.errors.contains("frontier"), "\(result.errors)")
      let file = binary.read("sweep/sweep.json")
      #expect(try binary.run(["finetune", "sweep"] + words).code == 0 && binary.read("sweep/sweep.json") == file)
      #expect(try binary.weir("verify", "sweep").code == 0)
      #expect(try binary.weir("peek", "sweep/sweep.json").text.contains("finetune sweep"))
      expectFailure(try binary.weir("report", "sweep", "-o", "sweep/sweep.json"), naming: ["sweep/sweep.json", "not a report"])
      #expect(binary.read("sweep/sweep.json") == file)
      let page = try binary.weir("report", "sweep", "-o", "-")
      #expect(page.code == 0 && page.text.contains("chart-frontier"), "\(page.errors)")
      #expect(try binary.weir("report", "sweep/sweep.json", "-o", "-").text.contains("chart-frontier"))
      for (change, reason) in [
        (["--methods", "magic"], "--methods: there is no method magic"),
        (["--methods", "direct,direct"], "--methods: contains a value twice"),
        (["--strengths", "-1"], "--strengths: must be finite"), (["--seeds", "x"], "--seeds: 'x' is not a number"),
        (["--min-gain", "-1"], "--min-gain: must be"),
      ] {
        let flag = change[0], at = words.firstIndex(of: flag)
        let changed = at.map { Array(words[..<$0] + change + words[($0 + 2)...]) } ?? words + change
        expectFailure(try binary.run(["finetune", "sweep"] + changed), code: 64, naming: [reason])
      }
    }
  }
}
