import Artifacts
import Foundation
import Pipeline
import Planning
import Workflows

/// The members of `summary.json`; what is nil is left out. NaN and infinity are the strings `nan`, `inf` and `-inf`.
extension RunSummary: Encodable {
  /// The summary as JSON with sorted members.
  package func encoded() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return try encoder.encode(self)
  }

  private enum CodingKeys: String, CodingKey {
    case title, note, dataset, tokenizer, accounts, clusters, mixture, training, crisp, split, finetune, plan, steps, machine, provenance
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encodeIfPresent(title, forKey: .title)
    try container.encodeIfPresent(note, forKey: .note)
    if let dataset {
      try container.encode(Self.members(dataset), forKey: .dataset)
      let members = Members([
        "name": tokenizer, "vocabulary": dataset.vocabulary, "bytes_per_token": dataset.bytesPerToken, "fingerprint": dataset.tokenizer,
      ])
      try container.encode(members, forKey: .tokenizer)
    }
    try container.encode(accounts.map { Self.members($0) }, forKey: .accounts)
    if !clusters.isEmpty { try container.encode(clusters.map { Self.members($0) }, forKey: .clusters) }
    try container.encodeIfPresent(mixture.map { Self.members($0) }, forKey: .mixture)
    try container.encode(training.map { Self.members($0) }, forKey: .training)
    try container.encodeIfPresent(results.crisp.map { Self.members($0, domainShare) }, forKey: .crisp)
    try container.encodeIfPresent(results.split.map { Self.members($0) }, forKey: .split)
    try container.encodeIfPresent(results.finetuning.map { Self.members($0) }, forKey: .finetune)
    try container.encodeIfPresent(results.plan.map { Self.members($0) }, forKey: .plan)
    let steps = steps.map { Members(["name": $0.name, "why": $0.says, "seconds": $0.seconds, "bytes": $0.bytes, "state": "done"]) }
    try container.encode(steps, forKey: .steps)
    let computer = Members([
      "processor": machine.processor, "cores": machine.cores, "memory_bytes": machine.memory, "system": machine.system,
    ])
    try container.encode(computer, forKey: .machine)
    let origin = Members([
      "fingerprints": provenance.fingerprints, "seeds": provenance.randomSeeds, "versions": ["weir": provenance.version],
      "command": provenance.command, "recipe": provenance.recipe,
    ])
    try container.encode(origin, forKey: .provenance)
  }

  private static func members(_ account: Account) -> Members {
    Members([
      "name": account.stage, "input": account.input, "output": account.output, "dropped": account.dropped,
      "quarantined": account.quarantined, "bytes_in": account.bytesIn, "bytes_out": account.bytesOut, "seconds": account.seconds,
      "extra": account.extra,
    ])
  }

  private static func members(_ dataset: DatasetSummary) -> Members {
    func parts(_ parts: [DatasetSummary.Part]) -> [Members] {
      parts.map { Members(["name": $0.name, "documents": $0.documents, "tokens": $0.tokens, "bytes": $0.bytes]) }
    }
    return Members([
      "documents": dataset.documents, "tokens": dataset.tokens, "bytes": dataset.bytes, "bytes_per_token": dataset.bytesPerToken,
      "windows": dataset.windows, "fingerprint": dataset.fingerprint, "by_source": parts(dataset.bySource),
      "by_domain": parts(dataset.byDomain),
    ])
  }

  private static func members(_ mixture: Mixture) -> Members {
    Members([
      "method": mixture.method, "seed_data": mixture.seedData, "depth": mixture.depth, "smoothing": mixture.smoothing,
      "max_epochs": mixture.maxEpochs, "run_tokens": mixture.runTokens, "effective_sample_size": mixture.effectiveSampleSize,
      "largest_epochs": mixture.largestEpochs, "moved": mixture.moved,
    ])
  }

  private static func members(_ cluster: Cluster) -> Members {
    Members([
      "path": cluster.path, "windows": cluster.node.windows, "tokens": cluster.node.tokens, "share": cluster.node.share,
      "purity": cluster.node.purity, "domain": cluster.node.labels.first?.label, "terms": cluster.terms,
      "seed_share": cluster.sampled?.seed, "general_share": cluster.sampled?.general, "weight": cluster.sampled?.weight,
      "expected_epochs": cluster.sampled?.epochs,
    ])
  }

  private static func members(_ run: Training) -> Members {
    let report = run.report.training
    return Members([
      "name": run.name, "parent": run.parent, "parameters": report.parameters, "tokens": report.tokens, "flops": report.flops,
      "tokens_per_second": report.tokensPerSecond, "seconds": report.seconds, "loss": run.report.curve,
    ])
  }

  private static func members(_ crisp: SamplingComparison, _ share: DomainShare?) -> Members {
    func perplexities(_ perplexity: (EvaluatedRun) -> Double?) -> Members {
      Members([
        "base": crisp.base.flatMap(perplexity), "uniform": crisp.uniform.flatMap(perplexity),
        "specialist": crisp.specialist.flatMap(perplexity), "crisp": crisp.crisp.flatMap(perplexity),
      ])
    }
    return Members([
      "seed": crisp.seed, "tokens": crisp.tokens, "seed_perplexity": perplexities(\.target), "general_perplexity": perplexities(\.general),
      "domain_share_in_draw": share?.mixture, "domain_share_in_corpus": share?.corpus,
    ])
  }

  private static func members(_ split: SplitReport) -> Members {
    let domains = split.byDomain.map {
      Members(["name": $0.name, "terms": $0.terms, "windows": $0.windows, "full": $0.full, "split": $0.split, "tokens": $0.branchTokens])
    }
    return Members([
      "mean_perplexity": split.meanPerplexity, "by_domain": domains, "trunk_tokens": split.trunkTokens,
      "branch_tokens": split.branchTokens.first ?? 0, "full_tokens": split.branchTokens.reduce(0, +), "router": split.router,
    ])
  }

  private static func members(_ finetuning: FinetuningComparison) -> Members {
    func point(_ run: EvaluatedRun) -> Members {
      let settings = run.report.finetuning
      return Members([
        "method": settings?.method, "lambda": settings?.lambda, "temperature": settings?.temperature,
        "learning_rate": settings?.learningRate, "epochs": settings?.epochs, "target_perplexity": run.target,
        "source_perplexity": run.general,
      ])
    }
    return Members([
      "base": finetuning.base.map(point), "direct": finetuning.direct.map(point), "anneal": finetuning.anneal.map(point),
      "points": finetuning.others.isEmpty ? nil : finetuning.others.map(point),
    ])
  }

  private static func members(_ plan: Plan) -> Members {
    let parameters = Dictionary(plan.parameters(of: plan.fit.selected).map { ($0.name, $0.value) }) { $1 }
    let laws = plan.fit.scores.map { Members(["name": $0.law, "formula": $0.formula, "r2": $0.r2, "mre": $0.heldOutError ?? $0.error]) }
    let points = plan.points.map {
      Members([
        "domain": $0.domain, "n": $0.run.n, "d": $0.run.d, "d_prime": $0.run.dPrime, "measured": $0.run.measured,
        "predicted": $0.run.predicted, "held_out": $0.isHeldOut,
      ])
    }
    let curve = plan.allocation?.curve.map {
      Members([
        "share": $0.trunkShare, "d": $0.d, "d_prime": $0.meanDPrime, "loss": $0.loss.value, "low": $0.loss.low, "high": $0.loss.high,
      ])
    }
    return Members([
      "law": plan.fit.selected, "formula": plan.score?.formula, "r2": plan.score?.r2, "heldout_relative_error": plan.score?.heldOutError,
      "parameters": parameters, "allocation": plan.allocation.map { Self.members($0) }, "laws": laws, "points": points, "curve": curve,
    ])
  }

  private static func members(_ allocation: Allocation) -> Members {
    let split = allocation.split
    let weights = max(1e-300, allocation.request.domains.reduce(0) { $0 + $1.weight })
    let domains = zip(allocation.request.domains, split.dPrime).map { domain, tokens in
      Members(["name": domain.name, "share": domain.weight / weights, "d_prime": tokens])
    }
    return Members([
      "budget": allocation.request.budget, "n": allocation.size.parameters, "k": split.dPrime.count, "d": split.d,
      "d_prime": split.meanDPrime, "share": split.trunkShare, "loss": split.loss.value, "low": split.loss.low, "high": split.loss.high,
      "trunk": allocation.request.trunk.rawValue, "domains": domains,
    ])
  }
}

extension Mixture {
  /// The largest expected epochs over a cluster.
  var largestEpochs: Double { clusters.reduce(0) { max($0, $1.epochs) } }
}

/// A JSON object.
private struct Members: Encodable {
  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  private let values: [String: (any Encodable)?]

  init(_ values: [String: (any Encodable)?]) { self.values = values }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    for (name, value) in values {
      if let value { try container.encode(value, forKey: Key(stringValue: name)) }
    }
  }
}
