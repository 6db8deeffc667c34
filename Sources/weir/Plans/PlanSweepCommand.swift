import ArgumentParser
import Artifacts
import Foundation
import Loading
import Pipeline
import Planning
import Primitives
import Storage
import Tokens
import Training
import Workflows

/// `weir plan sweep DATASET`: the grid of runs that a law is fitted to.
struct PlanSweepCommand: WeirCommand {
  static let configuration = CommandConfiguration(
    commandName: "sweep",
    abstract: "Measure the loss over model sizes, trunk and branch tokens.",
    discussion: """
      For each size, one trunk is trained at a constant learning rate and checkpointed at every D; from each checkpoint, one \
      branch per domain continues with the optimizer state and is evaluated at every D′. Per size, the grid costs one trunk \
      of the largest D and, for every D and domain, one branch of the largest D′.

      EXAMPLES:
        weir plan sweep out/dataset --tree out/tree --sizes 32x2,64x2 \\
          --trunk-tokens 200k,400k --branch-tokens 50k,100k \\
          --valid heldout.jsonl --run runs/sweep -o out/runs.jsonl
      """)

  @Argument(help: ArgumentHelp("Token dataset with an assignment to the tree.", valueName: "dataset"))
  var dataset: String

  @Option(help: ArgumentHelp("Tree folder.", valueName: "tree"))
  var tree: String

  @Option(help: ArgumentHelp("Model sizes as WIDTHxLAYERS, separated by commas.", valueName: "list"))
  var sizes: String

  @Option(help: ArgumentHelp("Trunk tokens D, separated by commas.", valueName: "list"))
  var trunkTokens: String

  @Option(help: ArgumentHelp("Branch tokens D′, separated by commas.", valueName: "list"))
  var branchTokens: String

  @Option(help: ArgumentHelp("Tree level whose nodes are the domains.", valueName: "n"))
  var level = 1

  @Option(help: ArgumentHelp("Branch only into this many domains, those with the most tokens. (default: all)", valueName: "n"))
  var domains: Int?

  @Option(parsing: .upToNextOption, help: ArgumentHelp("Held-out documents, routed to their domains.", valueName: "file"))
  var valid: [String]

  @Option(help: ArgumentHelp("Folder for the runs.", valueName: "folder"))
  var run: String

  @Option(name: [.customShort("o"), .long], help: ArgumentHelp("Output file for the measured runs (JSON Lines).", valueName: "file"))
  var output: String

  @OptionGroup(title: "Schedule") var schedule: ScheduleOptions
  @OptionGroup var seed: SeedOption
  @OptionGroup var common: CommonOptions

  var randomSeed: UInt64? { seed.seed }
  var propertyFlags: PropertyFlags {
    ScheduleOptions.propertyFlags + ["modelConfiguration": "--sizes", "preset": "--sizes", "tokens": "--trunk-tokens"]
  }
  var inputs: [String] { [dataset, tree, Clusters.assignmentFolder(dataset, tree: tree)] + valid }
  var outputs: [String] { [output] }

  private func shapes() throws -> [(width: Int, layers: Int)] {
    try sizes.split(separator: ",").map { part in
      let numbers = part.split(separator: "x").map { Int($0) }
      guard numbers.count == 2, let width = numbers[0], let layers = numbers[1], width > 0, layers > 0 else {
        throw WeirError("--sizes", "'\(part)' is no shape", remedy: "write width x layers: 32x2,64x2")
      }
      return (width, layers)
    }
  }

  private func model(_ size: (width: Int, layers: Int), vocabulary: Int) throws -> ModelConfiguration {
    var shape = ShapeOptions.defaults
    shape.width = size.width
    shape.layers = size.layers
    return try shape.configuration(vocabulary: vocabulary, sequence: schedule.sequence)
  }

  private func configuration(tokens: Int) -> TrainingConfiguration {
    var configuration = schedule.configuration(tokens: tokens, seed: seed.seed)
    configuration.schedule = .constant
    return configuration
  }

  func perform(_ session: Session) throws -> Outcome {
    let all = try Domains(dataset: dataset, tree: tree, level: level, threads: session.threads)
    let sets = try all.heldOutSets(valid)
    let unique = all.tokens
    let measured = (0..<all.count).filter { domain in sets.contains { $0.name == all.name(domain) } && unique[domain] > 0 }
    let chosen = Array(measured.sorted { (unique[$1], $0) < (unique[$0], $1) }.prefix(domains ?? Int.max)).sorted()
    guard !chosen.isEmpty else { throw WeirError(valid.joined(separator: " "), "no held-out text falls into a domain of the tree") }
    let d = try Amount.list(trunkTokens, flag: "--trunk-tokens").sorted()
    let dPrime = try Amount.list(branchTokens, flag: "--branch-tokens").sorted()
    guard let longest = d.last, let furthest = dPrime.last else { throw WeirError("--trunk-tokens", "names no number of tokens") }
    let windows = all.windows
    var runs: [MeasuredRun] = []
    for size in try shapes() {
      let name = "\(size.width)x\(size.layers)"
      let model = try model(size, vocabulary: all.dataset.vocabulary)
      var trunk = configuration(tokens: longest)
      trunk.checkpointAt = d
      trunk.evaluateAt = d
      let source = try Load.loader(all.dataset, mixture: nil, randomSeed: seed.seed, rows: schedule.batch, sequence: schedule.sequence)
      let report = try train("\(name)/trunk", trunk, .scratch(model), source, sets, all, session)
      for tokens in d {
        let step = trunk.step(tokens: tokens, batch: source)
        for domain in chosen {
          guard let record = report.evaluations.first(where: { $0.step == step && $0.name == all.name(domain) }) else { continue }
          runs.append(plan(name, model, d: record.tokens, dPrime: 0, all.name(domain), unique[domain], record.result.loss))
          var branch = configuration(tokens: furthest)
          branch.warmup = 0
          branch.evaluateAt = dPrime
          let loader = try PackedLoader(
            uniform: all.dataset, windows: windows[domain], name: "domain \(domain) of \(all.stored.fingerprint)", randomSeed: seed.seed,
            rows: schedule.batch, sequence: schedule.sequence)
          let checkpoint = RunFolder("\(run)/\(name)/trunk").checkpoint(step: step)
          let set = sets.filter { $0.name == all.name(domain) }
          let specialised = try train(
            "\(name)/D\(tokens)-\(all.name(domain))", branch, .checkpoint(checkpoint, optimizer: true), loader, set, all, session)
          for wanted in dPrime {
            let at = branch.step(tokens: wanted, batch: loader)
            guard let found = specialised.evaluations.first(where: { $0.step == at }) else { continue }
            runs.append(plan(name, model, d: record.tokens, dPrime: found.tokens, all.name(domain), unique[domain], found.result.loss))
          }
        }
      }
    }
    try Files.write(MeasuredRuns.serialize(runs), to: output)
    return Outcome(
      report: try JSONValue(encoding: ["runs": Double(runs.count), "domains": Double(chosen.count)]),
      lines: [
        "  \(runs.count) measured points: \(try shapes().count) sizes, \(d.count) × D, \(dPrime.count + 1) × D′, \(chosen.count) domains"
      ])
  }

  private func plan(_ name: String, _ model: ModelConfiguration, d: Int, dPrime: Int, _ domain: String, _ unique: Int, _ loss: Double)
    -> MeasuredRun
  {
    MeasuredRun(
      model: name, n: Double(model.nonEmbeddingParameters), d: Double(d), dPrime: Double(dPrime), domain: domain, unique: Double(unique),
      loss: loss, flops: Double(d + dPrime) * model.flopsPerToken(context: schedule.sequence), seed: seed.seed)
  }

  private func train(
    _ name: String, _ configuration: TrainingConfiguration, _ initial: ModelInitialization, _ source: any BatchSource,
    _ sets: [ValidationSet], _ all: Domains, _ session: Session
  ) throws -> TrainingReport {
    try session.with(name) { progress in
      try TrainingRun.run(
        configuration: configuration, initial: initial, source: source, validation: sets, folder: "\(run)/\(name)",
        endOfDocument: all.dataset.endOfDocument, threads: session.threads, progress: progress)
    }
  }

  func forecast(_ forecast: inout Forecast) throws -> Forecast.Row {
    let d = try Amount.list(trunkTokens, flag: "--trunk-tokens")
    let dPrime = try Amount.list(branchTokens, flag: "--branch-tokens")
    let count = domains ?? (try? StoredTree(tree).tree.nodes(atLevel: level).count) ?? 4
    var row = Forecast.Row(tokens: 0, flops: 0, memory: 0, disk: 0)
    for size in try shapes() {
      let model = try model(size, vocabulary: 4_096)
      let tokens = (d.max() ?? 0) + d.count * count * (dPrime.max() ?? 0)
      let estimate = try TrainingEstimate(configuration(tokens: tokens), model: model, rows: schedule.batch, sequence: schedule.sequence)
      row.tokens = (row.tokens ?? 0) + Double(estimate.tokens)
      row.flops = (row.flops ?? 0) + estimate.flops
      row.memory = max(row.memory ?? 0, Double(estimate.memoryBytes))
      row.disk = (row.disk ?? 0) + Double(estimate.parameters * 4 * (3 * d.count + 1 + d.count * count))
    }
    return row
  }
}

extension TrainingConfiguration {
  /// The step after which `tokens` tokens have been seen.
  func step(tokens: Int, batch: any BatchSource) -> Int {
    let size = batch.rows * batch.sequence
    return max(1, (tokens + size - 1) / size)
  }
}
