import Foundation
import Primitives
import Reporting

/// A run such as a small machine makes in a quarter of an hour, with every section filled.
enum SampleSummary {
  static let full: RunSummary = {
    var summary = RunSummary(title: "Astronomy from a general corpus", note: "A seed of 100 documents, 18 M general tokens.")
    summary.finished = "2026-01-31 12:00 UTC"
    summary.crisp = .init(
      seed: "astronomy, 100 documents", tokens: 800_000,
      seedPerplexity: .init(base: 185.2, uniform: 171.6, specialist: 71.4, crisp: 56.6),
      generalPerplexity: .init(base: 228.9, uniform: 210.7, specialist: 594.1, crisp: 315.1),
      others: [.init(name: "DSIR", seedPerplexity: 66.3, generalPerplexity: 402.8)], domainShareInDraw: 0.80, domainShareInCorpus: 0.024)
    summary.split = split
    summary.finetune = finetune
    summary.plan = plan
    summary.accounts = accounts
    summary.clusters = clusters
    summary.mixture = .init(
      method: "crisp", seedData: "astronomy.jsonl", depth: 2, smoothing: 16, maxEpochs: 5, runTokens: 800_000, effectiveSampleSize: 641,
      largestEpochs: 4.1, moved: 0.014)
    summary.training = training
    summary.steps = [
      .init(name: "prepare", why: "filter, deduplicate, tokenize, shard", seconds: 41.2, bytes: 36_400_000, state: "done"),
      .init(name: "cluster", why: "embed every window, fit the tree", seconds: 28.9, bytes: 9_800_000, state: "done"),
      .init(name: "mixture", why: "the seed's histogram", seconds: 0.8, bytes: 21_000, state: "done"),
      .init(name: "base", why: "the model all continue from", seconds: 203, bytes: 15_600_000, state: "done"),
      .init(name: "continue", why: "uniform, specialist only, CRISP", seconds: 188, bytes: 46_800_000, state: "done"),
      .init(name: "split", why: "one branch a domain", seconds: 164, bytes: 62_400_000, state: "skipped"),
    ]
    summary.machine = .init(processor: "a processor", cores: 2, memoryBytes: 8e9, system: "Linux 6.1")
    summary.dataset = .init(
      documents: 13_214, tokens: 17_958_113, bytes: 74_311_002, bytesPerToken: 4.138, windows: 26_811, fingerprint: "8c1f00d2a4b7e913",
      bySource: [
        .init(name: "encyclopedia", documents: 8000, tokens: 1.1e7, bytes: 4.5e7),
        .init(name: "books", documents: 5214, tokens: 6.9e6, bytes: 2.9e7),
      ],
      byDomain: [
        .init(name: "law", documents: 4120, tokens: 6.2e6, bytes: 2.6e7),
        .init(name: "statistics", documents: 930, tokens: 8.2e5, bytes: 3.3e6),
        .init(name: "astronomy", documents: 488, tokens: 4.3e5, bytes: 1.8e6),
      ])
    summary.tokenizer = .init(name: "bpe4k", vocabulary: 4096, bytesPerToken: 4.138, fingerprint: "02be66a1f3c4d5e6")
    summary.provenance = .init(
      fingerprints: ["general": "5d1e0c77aa01b2f3", "tree": "77aa01b2f35d1e0c"], seeds: ["run": 7], versions: ["weir": "0.1.0"],
      command: "weir run recipe.yaml --output runs/astronomy", recipe: "steps:\n  - prepare: {rules: [gopher, c4]}\n")
    return summary
  }()

  private static let words = [
    "galaxy stars telescope", "court judge appeal", "probability variance estimator", "novel sister marriage", "football season league",
    "protein cells binding", "church bishop century", "railway station line", "species genus leaves", "album song band",
    "army battle troops",
    "election party votes", "river valley lake", "school students university", "ship navy captain", "film director actor",
  ]

  private static let accounts: [RunSummary.Account] = [
    .init(
      name: "read", input: 14_312, output: 14_309, dropped: [:], quarantined: ["not_json": 3], bytesIn: 8.12e7, bytesOut: 8.1e7,
      seconds: 1.9),
    .init(
      name: "filter", input: 14_309, output: 13_871,
      dropped: ["too_short": 211, "repetition": 98, "symbols": 61, "bullet_lines": 40, "stop_words": 28], quarantined: [:], bytesIn: 8.1e7,
      bytesOut: 7.9e7, seconds: 3.4),
    .init(
      name: "dedup", input: 13_871, output: 13_259, dropped: ["near_duplicate": 540, "exact_duplicate": 72], quarantined: [:],
      bytesIn: 7.9e7,
      bytesOut: 7.5e7, seconds: 8.8),
    .init(
      name: "decontaminate", input: 13_259, output: 13_214, dropped: ["shared_13_grams": 45], quarantined: [:], bytesIn: 7.5e7,
      bytesOut: 7.43e7, seconds: 2.2),
    .init(
      name: "tokenize", input: 13_214, output: 13_214, dropped: [:], quarantined: [:], bytesIn: 7.43e7, seconds: 6.4,
      extra: ["tokens": 17_958_113]),
    .init(name: "embed", input: 26_811, output: 26_811, dropped: [:], quarantined: [:], seconds: 9.1),
    .init(name: "assign", input: 26_811, output: 26_811, dropped: [:], quarantined: [:], seconds: 2.0),
  ]

  private static let clusters: [RunSummary.Cluster] = {
    let random = CounterRandom(seed: 5)
    var list: [RunSummary.Cluster] = []
    for top in 0..<8 {
      list.append(.init(path: [top], windows: 3000, tokens: 2e6, terms: ["inner"]))
      for child in 0..<8 {
        let index = UInt64(top * 8 + child)
        let tokens = 40_000 * pow(30, random.uniform(index))
        let terms = (words[(top * 2 + child / 4) % 16] + " " + words[(top + child * 3) % 16]).split(separator: " ").map(String.init)
        let seed =
          top == 0 ? pow(random.uniform(index + 100), 2) : random.uniform(index + 100) > 0.6 ? 0.01 * random.uniform(index + 200) : 0
        list.append(
          .init(
            path: [top, child], windows: (tokens / 660).rounded(), tokens: tokens, purity: 0.4 + 0.6 * random.uniform(index + 300),
            domain: ["astronomy", "law", "statistics", "books"][top % 4], terms: terms, seedShare: seed))
      }
    }
    let total = list.filter { $0.path?.count == 2 }.reduce(0) { $0 + ($1.tokens ?? 0) }
    let seeds = list.reduce(0) { $0 + ($1.seedShare ?? 0) }
    for index in list.indices where list[index].path?.count == 2 {
      let general = (list[index].tokens ?? 0) / total
      let seed = (list[index].seedShare ?? 0) / seeds
      list[index].share = general
      list[index].generalShare = general
      list[index].seedShare = seed
      list[index].weight = 0.94 * seed + 0.06 * general
      list[index].expectedEpochs = (list[index].weight ?? 0) * 800_000 / (list[index].tokens ?? 1)
    }
    return list
  }()

  private static func curve(_ tokens: Double, _ start: Double, _ end: Double, seed: UInt64) -> [RunSummary.Point] {
    let random = CounterRandom(seed: seed)
    return (1...200).map { step in
      let share = Double(step) / 200
      let noise = 0.08 * (random.uniform(UInt64(step)) - 0.5)
      return .init(tokens * share, end + (start - end) * pow(share * 20 + 1, -0.7) + noise)
    }
  }

  private static let training: [RunSummary.Training] = {
    var runs: [RunSummary.Training] = []
    runs.append(
      .init(
        name: "base", parameters: 1_310_720, tokens: 2.5e6, flops: 1.97e13, tokensPerSecond: 12_310, seconds: 203,
        loss: curve(2.5e6, 8.5, 5.1, seed: 1), validation: [.init(1e6, 5.7), .init(2.5e6, 5.41)]))
    var ends: [(name: String, loss: Double)] = [("uniform", 5.12), ("crisp", 3.91), ("specialist", 3.12)]
    for branch in 0..<8 { ends.append(("branch \(branch)", 2.6 + 0.3 * Double(branch))) }
    for (index, end) in ends.enumerated() {
      runs.append(
        .init(
          name: end.name, parent: "base", parameters: 1_310_720, tokens: 8e5, flops: 6.3e12, tokensPerSecond: 12_700, seconds: 63,
          loss: curve(8e5, 5.4, end.loss, seed: UInt64(index + 2)), validation: index > 2 ? [] : [.init(8e5, end.loss + 0.15)]))
    }
    return runs
  }()

  private static let split = RunSummary.Split(
    meanPerplexity: .init(full: 46.9, split: 34.8),
    byDomain: (0..<10).map { index in
      let full = [35.9, 53.9, 25.1, 99.2, 61.0, 44.2, 71.7, 38.4, 120.3, 66.6][index]
      let ratio = [0.28, 1.33, 0.56, 1.47, 0.81, 0.97, 0.74, 1.002, 0.66, 0.9][index]
      return .init(
        name: "\(index)", terms: words[index].split(separator: " ").map(String.init) + ["and", "others"],
        windows: Double(400 * index + 311),
        full: full, split: full * ratio, tokens: 8e5)
    }, trunkTokens: 2.5e6, branchTokens: 8e5, fullTokens: 8e6, router: "nearest centroid")

  private static let finetune: RunSummary.Finetune = {
    var points: [RunSummary.FinetunePoint] = []
    for rate in [3e-4, 1e-3, 3e-3] {
      let strength = log10(rate / 3e-5)
      points.append(
        .init(
          method: "direct", learningRate: rate, epochs: 5, targetPerplexity: 120 / pow(strength, 1.3),
          sourcePerplexity: 210 * pow(strength, 2.1)))
    }
    for lambda in [0.1, 0.3, 1, 3] {
      points.append(
        .init(
          method: "anneal", lambda: lambda, temperature: 1, learningRate: 1e-3, epochs: 5, targetPerplexity: 72 * (1 + 0.12 * lambda),
          sourcePerplexity: 225 + 90 / (1 + 4 * lambda)))
    }
    points.append(.init(method: "replay", learningRate: 1e-3, epochs: 5, targetPerplexity: 80.4, sourcePerplexity: 262))
    return .init(
      base: .init(targetPerplexity: 185.2, sourcePerplexity: 210.7), direct: points[1], anneal: points[5], points: points)
  }()

  private static let plan: RunSummary.Plan = {
    let random = CounterRandom(seed: 11)
    let law = { (n: Double, d: Double, dPrime: Double) in
      1.9 + 40 / pow(n, 0.3) + (420 / pow(d, 0.36) + 0.5) * pow(1 + dPrime / 2e5, -0.22)
    }
    var points: [RunSummary.PlanPoint] = []
    var index: UInt64 = 0
    for n in [1e5, 4e5, 1.2e6] {
      for d in [5e5, 1e6, 2e6, 4e6, 8e6] {
        for dPrime in [0, 1e5, 2e5, 4e5, 8e5] {
          let value = law(n, d, dPrime)
          points.append(
            .init(
              domain: "mean", n: n, d: d, dPrime: dPrime, measured: value * (1 + 0.02 * (random.uniform(index) - 0.5)), predicted: value,
              heldOut: n > 1e6 && d >= 4e6))
          index += 1
        }
      }
    }
    let curve: [RunSummary.CurvePoint] = (1...40).map { step in
      let share = Double(step) / 40
      let d = 8e6 * share
      let dPrime = 8e6 * (1 - share) / 8
      let loss = law(1.2e6, d, dPrime)
      return .init(share: share, d: d, dPrime: dPrime, loss: loss, low: loss - 0.03, high: loss + 0.04)
    }
    let best = curve.min { ($0.loss ?? 0) < ($1.loss ?? 0) }
    return .init(
      law: "F1", formula: "E + A/N^α + (B/D^β + G)·(1 + D′/s)^(−γ)", r2: 0.9874, heldoutRelativeError: 0.0061,
      parameters: ["E": 1.9, "A": 40, "α": 0.3],
      allocation: .init(
        budget: 5.8e13, n: 1.2e6, k: 8, d: best?.d, dPrime: best?.dPrime, share: best?.share, loss: best?.loss, low: best?.low,
        high: best?.high, trunk: "shared"),
      laws: [
        .init(
          name: "F1", formula: "E + A/N^α + (B/D^β + G)·(1 + D′/s)^(−γ)", r2: 0.9874, mre: 0.0061,
          parameters: ["E": 1.9, "A": 40, "α": 0.3, "B": 420, "β": 0.36, "G": 0.5, "s": 2e5, "γ": 0.22]),
        .init(name: "F3", formula: "E + A/N^α + B·D^(−β)·(1 + D′/s)^(−γ+δ ln D)", r2: 0.9811, mre: 0.0093),
        .init(name: "F5", formula: "Chinchilla on D + D′", r2: 0.8312, mre: 0.0412),
      ], points: points, curve: curve)
  }()
}
