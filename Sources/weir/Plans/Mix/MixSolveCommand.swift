import ArgumentParser
import Planning
import Primitives
import Storage
import Workflows

/// `weir plan mix solve FIT`.
struct MixSolveCommand: SeededCommand {
  static let configuration = CommandConfiguration(
    commandName: "solve",
    abstract: "Find the mixture with the best predicted metric.",
    discussion: """
      --target is a metric of the fit, mean for the mean over all, or worst for the metric that is largest relative to its \
      value at the prior. The prior is the natural mixture of --dataset; without one, it is the mean of the runs' mixtures.

      --max-epochs and --tokens bound the weights by the tokens that a domain has. --kl adds x times the divergence from the \
      prior, in nats, to the metric. Intervals (90 %) are over samples of the runs, with the settings of the regression kept. \
      OUTPUT is a mixture file for train, feed, pack and export.

      EXAMPLES:
        weir plan mix solve mix-fit.json --dataset out/dataset --by source \\
          --target worst --tokens 50M --max-epochs 4 -o best.json
      """)

  @Argument(help: ArgumentHelp("Fit written by weir plan mix fit.", valueName: "fit"))
  var fit: String

  @Option(help: ArgumentHelp("Metric to minimize, or mean, or worst. (default: mean, or the only metric)", valueName: "name"))
  var target: String?

  @OptionGroup var domains: MixtureDomainOptions

  @Option(help: ArgumentHelp("Weight of the divergence from the prior.", valueName: "x"))
  var kl = 0.0

  @Option(help: ArgumentHelp("Length of the run, for --max-epochs.", valueName: "n"))
  var tokens: Amount?

  @Option(help: ArgumentHelp("The most epochs over a domain.", valueName: "n"))
  var maxEpochs: Double?

  @Option(help: ArgumentHelp("Samples of the runs for the intervals; 0 for none.", valueName: "n"))
  var bootstrap = 50

  @Option(name: [.customShort("o"), .long], help: ArgumentHelp("Output file for the mixture (JSON).", valueName: "file"))
  var output: String

  @OptionGroup var seed: SeedOption
  @OptionGroup var common: CommonOptions

  var propertyFlags: PropertyFlags { ["goal": "--target", "divergence": "--kl", "most": "--max-epochs", "by": "--by", "level": "--level"] }
  var inputs: [String] { [fit] + domains.inputs }
  var outputs: [String] { [output] }

  func validate() throws {
    guard maxEpochs.map({ $0 > 0 && $0.isFinite }) ?? true else { throw ValidationError("--max-epochs must be a positive number") }
    guard kl >= 0, kl.isFinite else { throw ValidationError("--kl must be a finite number of at least 0") }
    guard (0...10_000).contains(bootstrap) else { throw ValidationError("--bootstrap must be in 0…10000") }
    guard (maxEpochs == nil) == (tokens == nil) else { throw ValidationError("--max-epochs and --tokens go together") }
    guard maxEpochs == nil || domains.dataset != nil else { throw ValidationError("--max-epochs requires --dataset") }
  }

  func perform(_ session: Session) throws -> Outcome {
    let fit = try MixtureFit.open(fit), found = try domains.domains()
    let names = fit.runs.domains
    let counts = try found.map { try tokenCounts($0, names) }
    let prior = counts.map { counts in counts.map { $0 / counts.reduce(0, +) } } ?? fit.meanMixture
    let goal = target ?? (fit.metrics.contains { $0.name == MixtureFit.mean } ? MixtureFit.mean : fit.metrics[0].name)
    var request = MixtureRequest(goal: goal == "worst" ? .worst : .metric(goal), prior: prior)
    (request.divergence, request.samples, request.randomSeed) = (kl, bootstrap, seed.seed)
    if let counts, let maxEpochs, let tokens { request.most = counts.map { maxEpochs * $0 / Double(max(1, tokens.value)) } }
    let solution = try session.with("solve") { try fit.solve(request, threads: session.threads, progress: $0) }
    let weights = solution.weights.map(\.value)
    try JSONFile.write(
      MixtureFile(found?.groups ?? domains.groups, names: names, weights: weights, path: output, maxEpochs: maxEpochs), to: output)
    func text(_ value: MixtureSolution.Estimate?, _ digits: Int) -> [String] {
      [Format.fixed(value?.value, digits), value?.low.map { "\(Format.fixed($0, digits))…\(Format.fixed(value?.high, digits))" } ?? ""]
    }
    let shares = names.indices.sorted { weights[$0] > weights[$1] }.map {
      [names[$0], Format.fixed(prior[$0], 4)] + text(solution.weights[$0], 4)
    }
    let gains = fit.metrics.map { [$0.name] + text(solution.metrics[$0.name], 4) + text(solution.gains[$0.name], 4) }
    return Outcome(
      report: try JSONValue(encoding: solution),
      lines: [
        TextTable(["domain", "prior", "weight", "90 %"], rows: shares).text(),
        TextTable(["metric", "predicted", "90 %", "below the prior's", "90 %"], rows: gains).text(),
        "  divergence from the prior: \(Format.fixed(solution.divergence, 3)) nats",
      ] + solution.notes.map { "  note: \($0)" })
  }

  /// The tokens of the fit's domains in the dataset.
  private func tokenCounts(_ found: MixtureDomains, _ names: [String]) throws -> [Double] {
    if let other = found.names.first(where: { !names.contains($0) }) {
      throw WeirError(
        fit, "has no domain \"\(other)\" of the dataset", remedy: "fit runs of these domains, or change them with `weir plan mix reuse`")
    }
    return try names.map { name in
      guard let index = found.names.firstIndex(of: name) else {
        throw WeirError(domains.dataset ?? "", "has no domain \"\(name)\" of the fit", remedy: "choose the domains with --by or --tree")
      }
      return Double(found.tokens[index])
    }
  }

  func forecast(_ forecast: inout Forecast) throws -> Forecast.Row { Forecast.Row(memory: 1e8, disk: 1e5) }
}
