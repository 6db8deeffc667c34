import Artifacts
import Foundation
import Reporting
import Storage
import TestSupport
import Tokens

/// The folder of a recipe run with every section of the report, as the steps of a small run leave it.
struct SampleRun {
  let folder: String
  private var steps: [[String: Any]] = []
  private var states: [String: [String: Any]] = [:]

  /// A summary of a sample run.
  static func summary(sections: [String: [String: String]] = Self.sections) throws -> RunSummary {
    try withTemporaryFolder { try RunSummary(run: SampleRun($0).write(summary: sections), version: "1.2.3") }
  }

  init(_ folder: String) throws {
    self.folder = folder
    try writeDataset(folder + "/dataset", seed: 1)
    try Self.mixture.write(to: folder + "/crisp.json")
    // The report names the order without reading it.
    try Files.write(Array("{}".utf8), to: folder + "/order.json")
    add("dataset", outputs: ["dataset": "8c1f00d2a4b7e913"], accounts: Self.accounts)
    add("clusters", report: Self.clusters)
    let held = ["astronomy": 185.2, "general": 228.9, "erlang": 90.1]
    add("base", report: Self.training(tokens: 2_500_000, from: 8.5, to: 5.1, held), seed: 7, outputs: ["base/model": "b1"])
    for (name, end, astronomy, general) in [
      ("continue-uniform", 5.12, 171.6, 210.7), ("continue-seed", 3.12, 71.4, 594.1), ("continue-crisp", 3.91, 56.6, 315.1),
    ] {
      let held = ["astronomy": astronomy, "general": general, "erlang": 90]
      add(
        name, report: Self.training(tokens: 800_000, from: 5.4, to: end, held), seed: 8, initial: "\(folder)/base",
        outputs: ["\(name)/model": name])
    }
    add("split", report: Self.split, seed: 9, initial: folder + "/base/model")
    for (name, lambda, erlang, general) in [("direct", 0.0, 40.2, 340.5), ("anneal", 1.0, 44.6, 251.3), ("anneal-2", 0.3, 42, 300)] {
      var report = Self.training(tokens: 400_000, from: 5, to: 3, ["erlang": erlang, "general": general])
      report["method"] = name.hasPrefix("anneal") ? "anneal" : "direct"
      (report["lambda"], report["temperature"], report["epochs"], report["learning_rate"]) = (lambda, 1.0, 4, 1e-3)
      add(name, report: report, initial: "\(folder)/base/checkpoints/100", outputs: ["\(name)/model": name])
    }
    add("fit", report: Self.fit)
    add("allocate", report: Self.allocation)
  }

  mutating func add(
    _ name: String, report: Any = NSNull(), seed: Int? = nil, initial: String? = nil, outputs: [String: String] = [:],
    accounts: [[String: Any]] = []
  ) {
    steps.append(["name": name, "says": "Does \(name)", "do": "\(name) {run}"])
    var state: [String: Any] = ["key": "k", "command": name, "seconds": 41.5, "bytes": 36_400_000, "accounts": accounts, "report": report]
    state["outputs"] = Dictionary(uniqueKeysWithValues: outputs.map { ("\(folder)/\($0.key)", $0.value) })
    state["randomSeed"] = seed
    state["initialModel"] = initial
    states[name] = state
  }

  /// Removes what earlier versions did not write into the state of a step.
  mutating func forget(_ step: String) {
    states[step]?["randomSeed"] = nil
    states[step]?["initialModel"] = nil
  }

  /// Writes the recipe and the states.
  /// - Returns: the folder.
  @discardableResult
  func write(summary: [String: [String: String]] = Self.sections) throws -> String {
    let recipe: [String: Any] = ["run": folder, "steps": steps, "summary": summary]
    try Files.createFolder(folder + "/steps")
    try Files.write(Array(JSONSerialization.data(withJSONObject: recipe)), to: folder + "/recipe.json")
    for (name, state) in states {
      try Files.write(Array(JSONSerialization.data(withJSONObject: state)), to: "\(folder)/steps/\(name).json")
    }
    return folder
  }

  static let sections = [
    "about": ["title": "Astronomy from a general corpus", "note": "A small run.", "command": "weir run recipe.yaml"],
    "data": [
      "dataset": "{run}/dataset", "tokenizer": "bpe4k", "clusters": "clusters", "mixture": "{run}/crisp.json",
      "order": "{run}/order.json",
    ],
    "crisp": [
      "seed": "astronomy", "base": "base", "uniform": "continue-uniform", "specialist": "continue-seed", "crisp": "continue-crisp",
      "target": "astronomy", "general": "general",
    ],
    "split": ["split": "split"],
    "finetune": ["base": "base", "direct": "direct", "anneal": "anneal", "points": "anneal-2", "target": "erlang", "source": "general"],
    "plan": ["fit": "fit", "allocate": "allocate"],
  ]

  static func account(
    _ stage: String, _ input: Int, _ output: Int, dropped: [String: Int] = [:], quarantined: [String: Int] = [:]
  ) -> [String: Any] {
    [
      "stage": stage, "input": input, "output": output, "dropped": dropped, "quarantined": quarantined, "bytesIn": 81_200_000,
      "bytesOut": 81_000_000, "seconds": 1.9, "extra": ["tokens": 17_958_113.0],
    ]
  }

  private static var accounts: [[String: Any]] {
    [
      account("read", 14_312, 14_309, quarantined: ["not_json": 3]),
      account(
        "filter", 14_309, 13_871, dropped: ["too_short": 211, "repetition": 98, "symbols": 61, "bullet_lines": 40, "stop_words": 28]),
      account("dedup", 13_871, 13_259, dropped: ["near_duplicate": 540, "exact_duplicate": 72]),
      account("embed", 26_811, 26_811),
    ]
  }

  private static let terms = ["galaxy stars telescope", "court judge appeal", "probability variance estimator", "novel sister marriage"]

  /// Four nodes at the first level with four leaves each; leaf i has (i + 1) · 1,000 tokens.
  private static var clusters: [String: Any] {
    var nodes: [[String: Any]] = []
    func add(_ node: Int, parent: Int, level: Int, leaf: Int, tokens: Int) {
      let words = terms[max(leaf, 0) % 4].split(separator: " ").map { ["word": String($0), "score": 0.4, "share": 0.3] as [String: Any] }
      nodes.append([
        "node": node, "parent": parent, "level": level, "leaf": leaf, "windows": tokens / 500, "tokens": tokens,
        "share": Double(tokens) / 136_000, "terms": words, "samples": [] as [Any], "labels": [["label": "law", "windows": 3]],
        "purity": 0.6,
      ])
    }
    add(0, parent: -1, level: 0, leaf: -1, tokens: 136_000)
    for top in 0..<4 { add(1 + top, parent: 0, level: 1, leaf: -1, tokens: (16 * top + 10) * 1_000) }
    for leaf in 0..<16 { add(5 + leaf, parent: 1 + leaf / 4, level: 2, leaf: leaf, tokens: (leaf + 1) * 1_000) }
    return [
      "nodes": nodes, "windows": 272, "tokens": 136_000, "leaves": 16, "emptyLeaves": 0, "textWindows": 272, "labelled": 272, "purity": 0.6,
    ]
  }

  /// Leaves 0 and 1 hold the specialist seed.
  private static let mixture: Mixture = {
    var mixture = Mixture(
      method: "crisp", dataset: "d", tree: "t", assignment: "a", seedData: "astronomy.jsonl 0123456789abcdef", depth: 2, smoothing: 0,
      maxEpochs: 5, runTokens: 8_000, moved: 0.014, effectiveSampleSize: 641,
      clusters: (0..<16).map { leaf in
        let share = leaf < 2 ? 0.5 : 0
        return Mixture.Cluster(
          leaf: leaf, general: Double(leaf + 1) / 136, seed: share, weight: share, windows: 2 * (leaf + 1), tokens: (leaf + 1) * 1_000,
          epochs: share * 8 / Double(leaf + 1))
      })
    mixture.tool = "weir"
    return mixture
  }()

  private static func training(tokens: Int, from start: Double, to end: Double, _ held: [String: Double]) -> [String: Any] {
    let evaluations = held.map { name, perplexity in
      [
        "step": 200, "tokens": tokens, "name": name,
        "result": ["loss": log(perplexity), "perplexity": perplexity, "bits_per_byte": 2.1, "tokens": 900, "bytes": 3_000] as [String: Any],
      ] as [String: Any]
    }
    let curve = (1...50).map { [Double(tokens * $0) / 50, end + (start - end) * pow(Double($0), -0.7)] }
    return [
      "steps": 200, "tokens": tokens, "parameters": 1_310_720, "nonEmbeddingParameters": 800_000, "flops": 1.97e13, "loss": end,
      "evaluations": evaluations, "seconds": 203.5, "tokensPerSecond": 12_310.5, "model": "model", "curve": curve,
    ]
  }

  private static var split: [String: Any] {
    [
      "mean_perplexity": ["full": 46.9, "split": 34.8], "token_perplexity": ["full": 45.1, "split": 33.9],
      "by_domain": (0..<4).map { index in
        [
          "name": "domain-\(index)", "terms": terms[index].split(separator: " ").map(String.init), "windows": 311 + index, "tokens": 90_000,
          "branch_tokens": 800_000, "full": [35.9, 53.9, 25.1, 99.2][index], "split": [10.1, 71.7, 14.1, 145.8][index],
        ] as [String: Any]
      },
      "trunk_tokens": 2_500_000, "branch_tokens": [800_000, 800_000, 800_000, 800_000], "router": "nearest centroid",
    ]
  }

  private static func loss(_ n: Double, _ d: Double, _ dPrime: Double) -> Double {
    1.9 + 40 / pow(n, 0.3) + (420 / pow(d, 0.36) + 0.5) * pow(1 + dPrime / 2e5, -0.22)
  }

  static var fit: [String: Any] {
    var points: [[String: Any]] = []
    for n in [1e5, 1.2e6] {
      for d in [5e5, 2e6, 8e6] {
        for dPrime in [0, 2e5, 8e5] {
          let value = loss(n, d, dPrime)
          points.append([
            "model": "m", "n": n, "d": d, "dPrime": dPrime, "measured": value * 1.01, "predicted": value, "residual": -0.01,
          ])
        }
      }
    }
    let candidate: [String: Any] = [
      "law": "F1", "parameters": [["name": "E", "value": 1.9], ["name": "γ", "value": 0.22]], "repetition": 15.4, "r2": 0.9874,
      "error": 0.01, "objective": 1e-4, "points": points, "replicates": [] as [Any],
      "heldOut": ["error": 0.02, "folds": [["axis": "N", "fitted": 9, "error": 0.02, "points": Array(points.suffix(3))] as [String: Any]]]
        as [String: Any],
    ]
    let range = ["n": [1e5, 1.2e6], "d": [5e5, 8e6], "dPrime": [0, 8e5]]
    return [
      "format": "weir.plan-fit.1", "selected": "F1", "notes": [] as [Any],
      "configuration": [
        "bootstrap": 5, "delta": 0.001, "fitsRepetition": true, "holdsOut": true, "iterations": 1_000, "level": 0.9, "priorWeight": 1,
        "refined": 8, "repetition": 15.4, "seed": 1, "starts": 80,
      ] as [String: Any],
      "scores": [
        [
          "law": "F1", "title": "transfer gap", "formula": "E + A/N^α + (B/D^β + G)·(1 + D′/s)^(−γ)", "r2": 0.9874, "error": 0.01,
          "heldOutError": 0.0061,
        ] as [String: Any],
        ["law": "F5", "title": "Chinchilla", "formula": "E + A/N^α + B/(D + D′)^β", "r2": 0.8312, "error": 0.03],
      ],
      "domains": ["all", "domain-0"].map { ["domain": $0, "runs": 18, "range": range, "candidates": [candidate]] as [String: Any] },
    ]
  }

  static var allocation: [String: Any] {
    func candidate(_ share: Double) -> [String: Any] {
      let (d, dPrime) = ((8e6 * share).rounded(), (8e6 * (1 - share) / 2).rounded())
      let value = loss(1.2e6, d, dPrime)
      return [
        "name": "curve", "n": 1.2e6, "d": Int(d), "dPrime": [Int(dPrime), Int(dPrime)], "share": 1 - share, "flops": 5.8e13,
        "loss": ["value": value, "low": value - 0.03, "high": value + 0.04], "domainLoss": [value, value],
        "epochs": [NSNull(), NSNull()],
      ]
    }
    func predicted(_ share: Double) -> Double { loss(1.2e6, 8e6 * share, 4e6 * (1 - share)) }
    let shares = (1...40).map { Double($0) / 40 }
    let best = shares.min { predicted($0) < predicted($1) } ?? 1
    let size = ["parameters": 1.2e6]
    return [
      "format": "weir.plan-allocation.1", "law": "F1", "size": size, "fullSize": size, "recommended": "split",
      "request": [
        "budget": 5.8e13, "curvePoints": 41, "level": 0.9, "sizes": ["free": [String: Int]()], "trunk": "shared",
        "domains": [["name": "domain-0", "weight": 1.0] as [String: Any], ["name": "domain-1", "weight": 3.0]],
      ] as [String: Any],
      "split": candidate(best), "full": candidate(1), "gain": ["value": 0.1], "sizes": [candidate(best)],
      "curve": shares.map(candidate), "neighbours": [] as [Any], "notes": [] as [Any],
    ]
  }
}
