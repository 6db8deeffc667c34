import Foundation
import Testing

/// Commands that no other suite runs to success.
@Suite struct CommandTests {
  private static let small = ["--sequence", "32", "--batch-size", "2"]

  private func json(_ result: Binary.Result) throws -> [String: Any] {
    #expect(result.code == 0, "\(result.errors)")
    return try #require(JSONSerialization.jsonObject(with: Data(result.output)) as? [String: Any])
  }

  @Test func split() throws {
    try inFolder { binary in
      try binary.useMade()
      try binary.write("held.jsonl", Samples.file(6, seed: 9))
      let report = try json(
        binary.run(
          [
            "split", "set", "--tree", "tree", "--trunk-tokens", "128", "--branch-tokens", "64", "--width", "32", "--layers", "1",
            "--valid", "held.jsonl", "-o", "split", "--json",
          ] + Self.small))
      let mean = try #require(report["mean_perplexity"] as? [String: Double])
      #expect(mean.keys.sorted() == ["full", "split"] && report["trunk_tokens"] as? Int == 128)
      let domains = try #require(report["by_domain"] as? [[String: Any]])
      #expect(!domains.isEmpty && domains.allSatisfy { $0["branch_tokens"] as? Int == 64 })
      let again = try json(binary.weir("eval", "split", "--router", "--data", "held.jsonl", "--json"))
      #expect(again["mean_perplexity"] as? [String: Double] == mean)
    }
  }

  @Test func planSweep() throws {
    try inFolder { binary in
      try binary.useMade()
      try binary.write("held.jsonl", Samples.file(6, seed: 9))
      let report = try json(
        binary.run(
          [
            "plan", "sweep", "set", "--tree", "tree", "--sizes", "32x1,32x2", "--trunk-tokens", "64,128", "--branch-tokens", "64",
            "--domains", "1", "--valid", "held.jsonl", "--run", "sweep", "-o", "runs.jsonl", "--json",
          ] + Self.small))
      #expect(report["runs"] as? Int == 8 && report["domains"] as? Int == 1)
      let lines = String(decoding: try #require(binary.read("runs.jsonl")), as: UTF8.self).split(separator: "\n")
      #expect(lines.count == 8 && lines.allSatisfy { $0.contains("\"d_prime\":") && $0.contains("\"loss\":") })
    }
  }

  @Test func planFitAndAllocateAndRun() throws {
    try inFolder { binary in
      try binary.useMade()
      var lines = ""
      for n in [1e5, 4e5, 16e5] {
        for d in [1e6, 4e6, 16e6] {
          for dPrime in [0, 2e5, 8e5] {
            let loss = 1.5 + 60 / pow(n, 0.4) + (40 / pow(d, 0.3) + 0.3) * pow(1 + dPrime / 1e5, -0.3)
            for (domain, offset) in [("a", 0.0), ("b", 0.1)] {
              lines += "{\"n\":\(n),\"d\":\(d),\"d_prime\":\(dPrime),\"domain\":\"\(domain)\",\"loss\":\(loss + offset)}\n"
            }
          }
        }
      }
      try binary.write("runs.jsonl", lines)
      let fit = try json(binary.weir("plan", "fit", "runs.jsonl", "--laws", "F1", "--bootstrap", "0", "-o", "fit.json", "--json"))
      #expect(fit["selected"] as? String == "F1")
      let plan = try json(
        binary.weir(
          "plan", "allocate", "fit.json", "--budget", "1e13", "--domains", "2", "--dataset", "set", "--tree", "tree", "-o", "plan.json",
          "--recipe", "plan.yaml", "--json"))
      #expect(plan["recommended"] != nil && plan["split"] != nil)
      let dry = try binary.weir("run", "plan.yaml", "--dry-run")
      #expect(dry.code == 0 && dry.text.contains("FLOPs"), "\(dry.errors)")
    }
  }

  @Test func finetune() throws {
    try inFolder { binary in
      try binary.useMade()
      let tune = ["finetune", "run", "--data", "docs.jsonl", "--epochs", "1", "--valid", "docs.jsonl", "--json"] + Self.small
      let direct = try json(binary.run(tune + ["-o", "direct", "--method", "direct"]))
      #expect(direct["method"] as? String == "direct" && direct["lambda"] as? Double == 0 && direct["epochs"] as? Int == 1)
      #expect((direct["curve"] as? [[Double]])?.isEmpty == false && (direct["evaluations"] as? [Any])?.isEmpty == false)
      let anneal = try json(binary.run(tune + ["-o", "anneal", "--lambda", "2"]))
      #expect(anneal["method"] as? String == "anneal" && anneal["lambda"] as? Double == 2 && anneal["divergence"] != nil)
      try binary.write("fisher.jsonl", Samples.file(6, seed: 9))
      expectFailure(
        try binary.run(tune + ["-o", "ewc", "--method", "ewc", "--fisher-data", "docs.jsonl"]), naming: ["docs.jsonl", "evaluated on"])
      for (method, options) in [
        ("asft", []), ("l2", []), ("anneal", ["--teacher-top-k", "9"]),
        ("anneal,ewc", ["--fisher-data", "fisher.jsonl", "--fisher-samples", "4"]),
        ("anneal,lora", ["--lora-rank", "2", "--lora-dropout", "0.1", "--lora-targets", "q_proj,down_proj"]),
      ] {
        let report = try json(binary.run(tune + ["-o", "by-" + method, "--method", method] + options))
        #expect(report["method"] as? String == method && report["model"] as? String == "by-\(method)/model", "\(report)")
        let verified = try binary.weir("verify", "by-" + method)
        #expect(verified.code == 0, "\(verified.errors)")
      }
      let peek = try binary.weir("peek", "by-anneal,lora/adapter")
      #expect(peek.text.contains("rank 2, alpha 16, dropout 0.1, q_proj, down_proj") && peek.text.contains("lora_A"), "\(peek.text)")
      let next = ["-o", "next", "--method", "lora", "--adapter", "by-anneal,lora/adapter"]
      let report = try json(binary.run(tune + next))
      #expect(report["method"] as? String == "lora")
      // A base of another shape, and another base of the same shape.
      for (seed, width, reason) in [("9", "32", "another model"), ("1", "64", "but the model needs")] {
        let train = ["train", "set", "-o", "base-\(seed)", "--width", width, "--layers", "1", "--tokens", "64", "--seed", seed]
        #expect(try binary.run(train + Self.small).code == 0)
        var arguments = tune + next
        arguments[1] = "base-\(seed)"
        arguments[arguments.firstIndex(of: "next")!] = "next-\(seed)"
        expectFailure(try binary.run(arguments), naming: ["adapter", reason])
      }
    }
  }

  @Test func assign() throws {
    try inFolder { binary in
      try binary.useMade()
      let result = try binary.shell("weir read docs.jsonl | weir assign --tree tree --tokenizer tok -o assigned.jsonl")
      #expect(result.code == 0, "\(result.errors)")
      let lines = String(decoding: try #require(binary.read("assigned.jsonl")), as: UTF8.self).split(separator: "\n")
      #expect(lines.count == 60 && lines.allSatisfy { $0.contains(/"cluster":\[\d+\]/) }, "\(lines.first ?? "")")
    }
  }

  @Test func clusterShow() throws {
    try inFolder { binary in
      try binary.useMade()
      let report = try json(binary.weir("cluster", "show", "tree", "--dataset", "set", "--depth", "1", "--json"))
      let nodes = try #require(report["nodes"] as? [[String: Any]])
      #expect(nodes.count == 3 && report["windows"] as? Int == 60 && report["purity"] != nil)
      let table = try binary.weir("cluster", "show", "tree", "--dataset", "set", "--samples", "0")
      #expect(table.code == 0 && table.errors.contains("purity"))
    }
  }

  /// An embedder that is stored with a tree embeds another dataset of the same tokenizer.
  @Test func embedWithTheEmbedderOfATree() throws {
    try inFolder { binary in
      try binary.useMade()
      let report = try json(binary.weir("embed", "set", "--model", "tree", "--name", "again", "--json"))
      #expect(report["windows"] as? Int == 60 && report["dimensions"] as? Int == 8)
      #expect(binary.read("set/vectors/again/vectors.safetensors") == binary.read("set/vectors/lsi/vectors.safetensors"))
      expectFailure(try binary.weir("embed", "set", "--model", "minilm:nothere"), naming: ["--model", "nothere"])
    }
  }
}
