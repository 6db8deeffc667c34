import ArgumentParser
import Foundation
import Primitives
import Storage
import Training
import Workflows

/// `weir finetune sweep MODEL --data FILE`: every combination of methods, strengths, learning rates and seeds.
struct FinetuneSweepCommand: SeededCommand {
  static let configuration = CommandConfiguration(
    commandName: "finetune-sweep",
    abstract: "Compare methods of finetuning by target gain and forgetting.",
    usage: "weir finetune sweep <model> --data <file> ... --methods <list> --source <file> ... --output <folder> [<options>]",
    discussion: """
      Trains one run per method, strength, learning rate and seed, each in a folder of its own, and writes sweep.json. A \
      repeated command skips the runs that have finished and resumes the others. weir report draws the frontier of target \
      gain against the rise of the source loss, with 95 % intervals over the seeds.

      The target gain is measured on the first file of --valid, or on what --valid-fraction holds out. For each method, the \
      settings that do not gain more than --min-gain are dropped, and of the others the one that forgets least is chosen. \
      Report the chosen settings on other held-out files, because these have chosen them.

      EXAMPLES:
        weir finetune sweep runs/base --data target.jsonl \\
          --methods direct,anneal --strengths 0.3,1,3 \\
          --learning-rates 3e-4,1e-3 --seeds 1,2,3 --valid-fraction 0.1 \\
          --source general-heldout.jsonl -o runs/sweep
        weir report runs/sweep
      """,
    // `weir finetune sweep` is the name that users see.
    shouldDisplay: false)

  @Argument(help: ArgumentHelp("Model folder or run folder.", valueName: "model"))
  var model: String

  @Option(name: [.customShort("o"), .long], help: ArgumentHelp("Folder for the runs and sweep.json.", valueName: "folder"))
  var output: String

  @Option(help: ArgumentHelp("Methods, separated by commas; a + joins methods that are combined, as in lora+anneal.", valueName: "list"))
  var methods: String

  @Option(
    name: [.long, .customLong("lambdas")],
    help: ArgumentHelp(
      "Strengths for the methods that have one, separated by commas: λ of anneal, α of asft, the weight of l2 or ewc, else the rank of lora.",
      valueName: "list"))
  var strengths: String?

  @Option(help: ArgumentHelp("Peak learning rates, separated by commas. (default: --lr)", valueName: "list"))
  var learningRates: String?

  @Option(help: ArgumentHelp("Random seeds, separated by commas. (default: --seed)", valueName: "list"))
  var seeds: String?

  @Option(name: .customLong("min-gain"), help: ArgumentHelp("Target gain that a setting must exceed to be chosen.", valueName: "nats"))
  var minimumGain = 0.0

  @OptionGroup var options: FinetuneOptions
  @OptionGroup var common: CommonOptions

  var seed: SeedOption { options.seed }
  var initialModel: String? { model }
  var propertyFlags: PropertyFlags {
    FinetuneOptions.propertyFlags + [
      "methods": "--methods", "strengths": "--strengths", "learningRates": "--learning-rates", "randomSeeds": "--seeds",
      "minimumGain": "--min-gain", "lambda": "--strengths", "annealing.lambda": "--strengths",
    ]
  }
  var inputs: [String] { [model] + options.inputs }
  var outputs: [String] { [FinetuneSweep.path(in: output)] }
  var lockedOutputs: [String] { [] }

  /// All methods of the list, whether alone or combined.
  private var named: [MethodSettings.Method] {
    methods.split { ",+".contains($0) }.compactMap { MethodSettings.Method(rawValue: String($0)) }
  }

  func validate() throws {
    try options.method.check(named, flag: "--methods")
    try usage {
      let sweep = try sweep()
      try sweep.validate()
      _ = try sweep.runCount()
    }
  }

  private func sweep() throws -> FinetuneSweepConfiguration {
    func list<Value>(_ text: String?, _ flag: String, _ example: String, _ parse: (String) -> Value?) throws -> [Value] {
      try (text ?? "").split(separator: ",").map { part in
        guard let value = parse(String(part)) else { throw WeirError(flag, "'\(part)' is not a number", remedy: "write \(example)") }
        return value
      }
    }
    var sweep = FinetuneSweepConfiguration(
      try options.configuration(model: model, output: output, methods: []), methods: methods.split(separator: ",").map(String.init))
    sweep.strengths = try list(strengths, "--strengths", "0.3,1,3") { Double($0) }
    sweep.learningRates = try list(learningRates, "--learning-rates", "3e-4,1e-3") { Double($0) }
    sweep.randomSeeds = try list(seeds, "--seeds", "1,2,3") { UInt64($0) }
    sweep.minimumGain = minimumGain
    return sweep
  }

  func perform(_ session: Session) throws -> Outcome {
    let configuration = try sweep()
    let sweep = try session.with("sweep") { try FinetuneSweepRun.run(configuration, threads: session.threads, progress: $0) }
    let chosen = Set(sweep.settings.filter(\.isChosen).map(\.method))
    let without = configuration.methods.filter { !chosen.contains($0) }
    return Outcome(
      report: try JSONValue(encoding: sweep),
      lines: [
        "  \(sweep.runs.count) runs; target gain on \(sweep.target) and rise of the loss on \(sweep.sources.joined(separator: ", ")), in nats/token:"
      ] + FinetuneSweep.table(sweep.settings).lines.map { "  " + $0 }
        + (without.isEmpty ? [] : ["  no setting of \(without.joined(separator: ", ")) gains more than \(minimumGain) nats on the target"]))
  }

  func forecast(_ forecast: inout Forecast) throws -> Forecast.Row {
    var row = Forecast.Row()
    let configuration = try sweep(), all = try configuration.runCount(), methods = configuration.methods
    for method in methods {
      let own = method.split(separator: "+").compactMap { MethodSettings.Method(rawValue: String($0)) }
      let one = try options.forecast(&forecast, model: model, output: output, methods: own)
      for _ in 0..<max(1, all / methods.count) { row.add(run: one) }
    }
    return row
  }
}
