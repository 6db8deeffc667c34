import Clustering
import Foundation
import Pipeline
import Planning
import Primitives
import Reporting
import Sampling
import Storage
import Training
import Workflows

/// Puts the summary of a run together from the states of its steps, as the recipe's `summary` says.
struct SummaryBuilder {
  let run: String
  let recipe: Recipe
  let states: [String: StepState]

  /// Reads a run's recipe and the states of its steps.
  init(run: String) throws {
    self.run = run
    let folder = RecipeFolder(run)
    guard Files.exists(folder.recipe) else {
      throw WeirError(run, "is no run of a recipe (no recipe.json)", remedy: "name the folder that weir run made")
    }
    let recipe = try JSONFile.read(Recipe.self, from: folder.recipe)
    self.recipe = recipe
    var states: [String: StepState] = [:]
    for step in recipe.steps { states[step.name] = StepState.read(folder.state(of: step.name)) }
    self.states = states
  }

  private func mapping(_ section: String) -> [String: String] {
    var mapping = recipe.summary?[section] ?? [:]
    for key in mapping.keys { mapping[key] = mapping[key]?.replacingOccurrences(of: "{run}", with: recipe.run) }
    return mapping
  }

  private func decode<Value: Decodable>(_ type: Value.Type, step: String?) -> Value? {
    guard let step, let state = states[step], let bytes = try? JSONFile.encode(state.report) else { return nil }
    return try? JSONFile.decode(type, from: bytes, place: step)
  }

  private func training(_ step: String?) -> TrainingReport? { decode(TrainingReport.self, step: step) }

  private func perplexity(_ step: String?, _ set: String?) -> Double? {
    training(step)?.final.first { $0.name == set }?.result.perplexity
  }

  /// The summary.
  func build() throws -> RunSummary {
    var summary = RunSummary(title: mapping("about")["title"], note: mapping("about")["note"])
    summary.steps = recipe.steps.compactMap { step in
      states[step.name].map {
        RunSummary.Step(name: step.name, why: step.says, seconds: $0.seconds, bytes: Double($0.bytes), state: "done")
      }
    }
    summary.accounts = recipe.steps.flatMap { states[$0.name]?.accounts ?? [] }.map { RunSummary.Account($0) }
    summary.machine = Machine.summary
    summary.training = recipe.steps.compactMap { run(of: $0) }
    summary.crisp = crisp()
    summary.split = split()
    summary.finetune = finetune()
    summary.plan = plan()
    try addData(&summary)
    summary.provenance = RunSummary.Provenance(
      fingerprints: states.values.reduce(into: [:]) { all, state in
        for (path, fingerprint) in state.outputs { all[path] = fingerprint }
      }, seeds: ["seed": 1], versions: ["weir": Weir.version], command: mapping("about")["command"],
      recipe: recipe.steps.map { "\($0.name): \($0.do)" }.joined(separator: "\n"))
    return summary
  }

  private func run(of step: Recipe.Step) -> RunSummary.Training? {
    guard let report = training(step.name), case .array(let curve)? = states[step.name]?.report["curve"] else { return nil }
    let points = curve.compactMap { point -> RunSummary.Point? in
      guard case .array(let pair) = point, pair.count == 2, let x = pair[0].number, let y = pair[1].number else { return nil }
      return RunSummary.Point(x, y)
    }
    let words = states[step.name]?.command.split(separator: " ").map(String.init) ?? []
    let initial = words.firstIndex(of: "--init").flatMap { $0 + 1 < words.count ? words[$0 + 1] : nil }
    let parent = recipe.steps.first { other in initial != nil && states[other.name]?.outputs[RunFolder(initial ?? "").model] != nil }
    return RunSummary.Training(
      name: step.name, parent: parent?.name, parameters: Double(report.parameters), tokens: Double(report.tokens), flops: report.flops,
      tokensPerSecond: report.tokensPerSecond, seconds: report.seconds, loss: points)
  }

  private func crisp() -> RunSummary.Crisp? {
    let map = mapping("crisp")
    guard !map.isEmpty else { return nil }
    func methods(_ set: String?) -> RunSummary.Methods {
      RunSummary.Methods(
        base: perplexity(map["base"], set), uniform: perplexity(map["uniform"], set), specialist: perplexity(map["specialist"], set),
        crisp: perplexity(map["crisp"], set))
    }
    return RunSummary.Crisp(
      seed: map["seed"], tokens: training(map["crisp"]).map { Double($0.tokens) }, seedPerplexity: methods(map["target"]),
      generalPerplexity: methods(map["general"]))
  }

  private func split() -> RunSummary.Split? {
    guard let report = decode(SplitEvaluation.Report.self, step: mapping("split")["split"]) else { return nil }
    return RunSummary.Split(
      meanPerplexity: RunSummary.FullAndSplit(full: report.mean_perplexity["full"], split: report.mean_perplexity["split"]),
      byDomain: report.by_domain.map {
        RunSummary.Domain(
          name: $0.name, terms: $0.terms, windows: Double($0.windows), full: $0.full, split: $0.split, tokens: Double($0.branch_tokens))
      }, trunkTokens: Double(report.trunk_tokens), branchTokens: Double(report.branch_tokens.first ?? 0),
      fullTokens: Double(report.branch_tokens.reduce(0, +)), router: report.router)
  }

  private func finetune() -> RunSummary.Finetune? {
    let map = mapping("finetune")
    guard !map.isEmpty else { return nil }
    func point(_ step: String?) -> RunSummary.FinetunePoint? {
      guard let step, let report = states[step]?.report else { return nil }
      var method: String?
      if case .string(let name)? = report["method"] { method = name }
      return RunSummary.FinetunePoint(
        method: method, lambda: report["lambda"]?.number, temperature: report["temperature"]?.number,
        learningRate: report["learning_rate"]?.number, epochs: report["epochs"]?.number,
        targetPerplexity: perplexity(step, map["target"]), sourcePerplexity: perplexity(step, map["source"]))
    }
    let others = (map["points"] ?? "").split(separator: " ").compactMap { point(String($0)) }
    return RunSummary.Finetune(
      base: point(map["base"]), direct: point(map["direct"]), anneal: point(map["anneal"]), points: others.isEmpty ? nil : others)
  }

  private func plan() -> RunSummary.Plan? {
    let map = mapping("plan")
    guard let fit = decode(FitReport.self, step: map["fit"]) else { return nil }
    let allocation = decode(Planning.Allocation.self, step: map["allocate"])
    let score = fit.scores.first { $0.law == fit.selected }
    var points: [RunSummary.PlanPoint] = []
    for domain in fit.domains where domain.domain != MeasuredRun.mean {
      guard let candidate = domain.candidates.first(where: { $0.law == fit.selected }) else { continue }
      points += candidate.points.map {
        RunSummary.PlanPoint(
          domain: domain.domain, n: $0.n, d: $0.d, dPrime: $0.dPrime, measured: $0.measured, predicted: $0.predicted, heldOut: false)
      }
      points += (candidate.heldOut?.folds.flatMap { $0.points } ?? []).map {
        RunSummary.PlanPoint(
          domain: domain.domain, n: $0.n, d: $0.d, dPrime: $0.dPrime, measured: $0.measured, predicted: $0.predicted, heldOut: true)
      }
    }
    let first = fit.domains.first?.candidates.first { $0.law == fit.selected }
    return RunSummary.Plan(
      law: fit.selected, formula: score?.formula, r2: score?.r2, heldoutRelativeError: score?.heldOutError,
      parameters: first.map { Dictionary($0.parameters.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 }) },
      allocation: allocation.map { Self.summary($0) },
      laws: fit.scores.map { RunSummary.Law(name: $0.law, formula: $0.formula, r2: $0.r2, mre: $0.heldOutError ?? $0.error) },
      points: points,
      curve: allocation.map { $0.curve.map { Self.point($0) } })
  }

  private static func summary(_ allocation: Planning.Allocation) -> RunSummary.Allocation {
    let split = allocation.split
    let total = Double(split.d + split.dPrimeTotal)
    let weights = max(1e-300, allocation.request.domains.reduce(0) { $0 + $1.weight })
    return RunSummary.Allocation(
      budget: allocation.request.budget, n: allocation.size.parameters, k: Double(split.dPrime.count), d: Double(split.d),
      dPrime: Double(split.dPrimeTotal) / Double(max(1, split.dPrime.count)), share: total > 0 ? Double(split.d) / total : 0,
      loss: split.loss.value, low: split.loss.low, high: split.loss.high, trunk: allocation.request.trunk.rawValue,
      domains: zip(allocation.request.domains, split.dPrime).map {
        RunSummary.DomainAllocation(name: $0.name, share: $0.weight / weights, dPrime: Double($1))
      })
  }

  private static func point(_ candidate: Planning.Allocation.Candidate) -> RunSummary.CurvePoint {
    let total = Double(candidate.d + candidate.dPrimeTotal)
    return RunSummary.CurvePoint(
      share: total > 0 ? Double(candidate.d) / total : 0, d: Double(candidate.d),
      dPrime: Double(candidate.dPrimeTotal) / Double(max(1, candidate.dPrime.count)),
      loss: candidate.loss.value, low: candidate.loss.low, high: candidate.loss.high)
  }
}
