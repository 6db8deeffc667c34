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

  package func encode(to encoder: any Encoder) throws {
    let (crisp, split, finetuning, plan) = (results.crisp, results.split, results.finetuning, results.plan)
    let members: Members = [
      "title": title, "note": note, "dataset": dataset.map { Self.members($0) },
      "tokenizer": dataset.map { Self.members(tokenizer: tokenizer, of: $0) }, "accounts": accounts.map { Self.members($0) },
      "filters": filters.isEmpty ? nil : filters,
      "clusters": clusters.isEmpty ? nil : clusters.map { Self.members($0) }, "mixture": mixture.map { Self.members($0) },
      "training": training.map { Self.members($0) }, "crisp": crisp.map { Self.members($0, domainShare) },
      "split": split.map { Self.members($0) }, "finetune": finetuning.map { Self.members($0) }, "plan": plan.map { Self.members($0) },
      "steps": steps.map { Self.members($0) }, "machine": Self.members(machine), "provenance": Self.members(provenance),
    ]
    try members.encode(to: encoder)
  }

  private static func members(_ step: Step) -> Members {
    ["name": step.name, "why": step.says, "seconds": step.seconds, "bytes": step.bytes, "state": "done"]
  }

  private static func members(_ machine: Machine) -> Members {
    ["processor": machine.processor, "cores": machine.cores, "memory_bytes": machine.memory, "system": machine.system]
  }

  private static func members(_ provenance: Provenance) -> Members {
    [
      "fingerprints": provenance.fingerprints, "seeds": provenance.randomSeeds, "versions": ["weir": provenance.version],
      "command": provenance.command, "recipe": provenance.recipe,
    ]
  }

  private static func members(tokenizer: String?, of dataset: DatasetSummary) -> Members {
    ["name": tokenizer, "vocabulary": dataset.vocabulary, "bytes_per_token": dataset.bytesPerToken, "fingerprint": dataset.tokenizer]
  }

  private static func members(_ account: Account) -> Members {
    [
      "name": account.stage, "input": account.input, "output": account.output, "dropped": account.dropped,
      "quarantined": account.quarantined, "bytes_in": account.bytesIn, "bytes_out": account.bytesOut, "seconds": account.seconds,
      "extra": account.extra,
    ]
  }

  private static func members(_ dataset: DatasetSummary) -> Members {
    func parts(_ parts: [DatasetSummary.Part]) -> [Members] {
      parts.map { ["name": $0.name, "documents": $0.documents, "tokens": $0.tokens, "bytes": $0.bytes] as Members }
    }
    return [
      "documents": dataset.documents, "tokens": dataset.tokens, "bytes": dataset.bytes, "bytes_per_token": dataset.bytesPerToken,
      "windows": dataset.windows, "fingerprint": dataset.fingerprint, "by_source": parts(dataset.bySource),
      "by_domain": parts(dataset.byDomain),
    ]
  }

  private static func members(_ mixture: Mixture) -> Members {
    [
      "method": mixture.method, "seed_data": mixture.seedData, "depth": mixture.depth, "smoothing": mixture.smoothing,
      "max_epochs": mixture.maxEpochs, "run_tokens": mixture.runTokens, "effective_sample_size": mixture.effectiveSampleSize,
      "largest_epochs": mixture.largestEpochs, "moved": mixture.moved,
    ]
  }

  private static func members(_ cluster: Cluster) -> Members {
    [
      "path": cluster.path, "windows": cluster.node.windows, "tokens": cluster.node.tokens, "share": cluster.node.share,
      "purity": cluster.node.purity, "domain": cluster.node.labels.first?.label, "terms": cluster.terms,
      "seed_share": cluster.sampled?.seed, "general_share": cluster.sampled?.general, "weight": cluster.sampled?.weight,
      "expected_epochs": cluster.sampled?.epochs,
    ]
  }

  private static func members(_ run: Training) -> Members {
    let report = run.report.training
    return [
      "name": run.name, "parent": run.parent, "parameters": report.parameters, "tokens": report.tokens, "flops": report.flops,
      "tokens_per_second": report.tokensPerSecond, "seconds": report.seconds, "loss": run.report.curve,
    ]
  }

  private static func members(_ crisp: SamplingComparison, _ share: DomainShare?) -> Members {
    func perplexities(_ perplexity: (EvaluatedRun) -> Double?) -> Members {
      let known: Members = [
        "base": crisp.base.flatMap(perplexity), "uniform": crisp.uniform.flatMap(perplexity),
        "specialist": crisp.specialist.flatMap(perplexity), "crisp": crisp.crisp.flatMap(perplexity),
      ]
      return known.adding(crisp.others.map { ($0.name, perplexity($0.run)) })
    }
    return [
      "seed": crisp.seed, "tokens": crisp.tokens, "seed_perplexity": perplexities(\.target), "general_perplexity": perplexities(\.general),
      "domain_share_in_draw": share?.mixture, "domain_share_in_corpus": share?.corpus,
    ]
  }

  private static func members(_ split: SplitReport) -> Members {
    let domains = split.byDomain.map {
      ["name": $0.name, "terms": $0.terms, "windows": $0.windows, "full": $0.full, "split": $0.split, "tokens": $0.branchTokens] as Members
    }
    return [
      "mean_perplexity": split.meanPerplexity, "token_perplexity": split.tokenPerplexity, "by_domain": domains,
      "trunk_tokens": split.trunkTokens,
      "branch_tokens": split.branchTokens.first ?? 0, "full_tokens": split.branchTokens.reduce(0, +), "router": split.router,
    ]
  }

  private static func members(_ finetuning: FinetuningComparison) -> Members {
    func point(_ run: EvaluatedRun) -> Members {
      let settings = run.report.finetuning
      return [
        "method": settings?.method, "lambda": settings?.lambda, "temperature": settings?.temperature,
        "learning_rate": settings?.learningRate, "epochs": settings?.epochs, "target_perplexity": run.target,
        "source_perplexity": run.general,
      ]
    }
    let known: Members = [
      "base": finetuning.base.map(point), "direct": finetuning.direct.map(point), "anneal": finetuning.anneal.map(point),
      "points": finetuning.others.isEmpty ? nil : finetuning.others.map(point),
    ]
    return known.adding(finetuning.methods.map { ($0.name, point($0.run)) })
  }

  private static func members(_ plan: Plan) -> Members {
    let parameters = Dictionary(plan.parameters(of: plan.fit.selected).map { ($0.name, $0.value) }) { $1 }
    let laws = plan.fit.scores.map { ["name": $0.law, "formula": $0.formula, "r2": $0.r2, "mre": $0.heldOutError ?? $0.error] as Members }
    let points = plan.points.map {
      [
        "domain": $0.domain, "n": $0.run.n, "d": $0.run.d, "d_prime": $0.run.dPrime, "measured": $0.run.measured,
        "predicted": $0.run.predicted, "held_out": $0.isHeldOut,
      ] as Members
    }
    let curve = plan.allocation?.curve.map {
      [
        "share": $0.trunkShare, "d": $0.d, "d_prime": $0.meanDPrime, "loss": $0.loss.value, "low": $0.loss.low, "high": $0.loss.high,
      ] as Members
    }
    return [
      "law": plan.fit.selected, "formula": plan.score?.formula, "r2": plan.score?.r2, "heldout_r2": plan.heldOutR2(of: plan.fit.selected),
      "heldout_relative_error": plan.score?.heldOutError, "extrapolation": plan.allocation.flatMap { plan.extrapolation(of: $0.split) },
      "parameters": parameters, "allocation": plan.allocation.map { Self.members($0) }, "laws": laws, "points": points, "curve": curve,
    ]
  }

  private static func members(_ allocation: Allocation) -> Members {
    let split = allocation.split
    let weights = max(1e-300, allocation.request.domains.reduce(0) { $0 + $1.weight })
    let domains = zip(allocation.request.domains, split.dPrime).map { domain, tokens in
      ["name": domain.name, "share": domain.weight / weights, "d_prime": tokens] as Members
    }
    return [
      "budget": allocation.request.budget, "n": allocation.size.parameters, "k": split.dPrime.count, "d": split.d,
      "d_prime": split.meanDPrime, "share": split.trunkShare, "loss": split.loss.value, "low": split.loss.low, "high": split.loss.high,
      "trunk": allocation.request.trunk.rawValue, "domains": domains,
    ]
  }
}

extension Mixture {
  /// The largest expected epochs over a cluster.
  var largestEpochs: Double { clusters.reduce(0) { max($0, $1.epochs) } }
}

/// A JSON object.
private struct Members: Encodable, ExpressibleByDictionaryLiteral {
  private struct Name: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  private var values: [(String, (any Encodable)?)]

  init(dictionaryLiteral elements: (String, (any Encodable)?)...) { values = elements }

  func adding(_ more: [(String, (any Encodable)?)]) -> Members {
    var result = self
    result.values += more
    return result
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Name.self)
    for (name, value) in values {
      if let value { try container.encode(value, forKey: Name(stringValue: name)) }
    }
  }
}
