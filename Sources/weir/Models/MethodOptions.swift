import ArgumentParser
import Primitives
import Training
import Workflows

/// Options for the method of finetuning. Settings of a method that is not used are refused.
struct MethodOptions: ParsableArguments {
  static let propertyFlags: PropertyFlags = [
    "methods": "--method", "annealing.lambda": "--lambda", "annealing.temperature": "--temperature", "annealing.cached": "--teacher-top-k",
    "l2": "--l2", "ewc": "--ewc",
    "fisherData": "--fisher-data", "fisherSamples": "--fisher-samples", "lowRank.rank": "--lora-rank", "lowRank.alpha": "--lora-alpha",
    "lowRank.dropout": "--lora-dropout", "lowRank.targets": "--lora-targets", "adapter": "--adapter", "asftAlpha": "--asft-alpha",
  ]

  private static let defaults = MethodSettings()

  @Option(
    help: ArgumentHelp(
      "With anneal, the weight λ of the divergence from the initial model, or auto for the smallest within --retain-budget. (default: 1)",
      valueName: "x"))
  var lambda: LambdaChoice?

  @Option(
    help: ArgumentHelp(
      "With anneal, how λ changes: constant (as in the paper); linear or cosine, from λ to 0 over the run. (default: constant)",
      valueName: "schedule"))
  var lambdaSchedule: AnnealingSchedule?

  @Option(help: ArgumentHelp("With anneal, the temperature T of the divergence. (default: 1)", valueName: "x"))
  var temperature: Double?

  @Option(
    help: ArgumentHelp(
      "With anneal, the distributions that T applies to: both (as in the paper), teacher, student. (default: both)", valueName: "side"))
  var temperatureOn: AnnealingSide?

  @Option(
    help: """
      With anneal, the direction of the divergence: reverse, KL(student ‖ initial model), as in the paper; forward, KL(initial model ‖ \
      student). (default: reverse)
      """)
  var direction: AnnealingDirection?

  @Option(
    help: ArgumentHelp(
      """
      With anneal, store the n most probable tokens of the initial model at each position, before the first step, instead of running that \
      model in every step; all other tokens count as one.
      """, valueName: "n"))
  var teacherTopK: Int?

  @Option(help: ArgumentHelp("With l2, the weight x of x/2·‖θ − θ0‖². (default: \(defaults.l2))", valueName: "x"))
  var l2: Double?

  @Option(help: ArgumentHelp("With ewc, the weight x of x/2·Σ F·(θ − θ0)². (default: \(Int(defaults.ewc)))", valueName: "x"))
  var ewc: Double?

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "With ewc, documents of the original domain to estimate the Fisher information F from, other than those that forgetting is reported on.",
      valueName: "file"))
  var fisherData: [String] = []

  @Option(
    help: ArgumentHelp(
      "With ewc, the number of sequences to estimate F from. (default: \(defaults.fisherSamples))", valueName: "n"))
  var fisherSamples: Int?

  @Option(help: ArgumentHelp("With lora, the rank r of the adapter. (default: \(defaults.lowRank.rank))", valueName: "n"))
  var loraRank: Int?

  @Option(
    help: ArgumentHelp("With lora, α: the adapter is scaled by α/r. (default: \(Int(defaults.lowRank.alpha)))", valueName: "x"))
  var loraAlpha: Double?

  @Option(help: ArgumentHelp("With lora, the dropout of the adapter's inputs. (default: 0)", valueName: "share"))
  var loraDropout: Double?

  @Option(
    help: ArgumentHelp(
      """
      With lora, the matrices to adapt, such as q_proj,v_proj. \
      (default: all of \(LowRank.Target.allCases.map(\.rawValue).joined(separator: ", ")))
      """, valueName: "names"))
  var loraTargets: String?

  @Option(help: ArgumentHelp("With lora, a PEFT adapter of the model to start from.", valueName: "folder"))
  var adapter: String?

  @Option(
    help: ArgumentHelp(
      "With asft, the weight α of the divergence from the initial model; 0 is DFT. (default: \(defaults.asftAlpha))", valueName: "x"))
  var asftAlpha: Double?

  /// Files that the options name.
  var inputs: [String] { fisherData + (adapter.map { [$0] } ?? []) }

  var searchesLambda: Bool { if case .auto = lambda { true } else { false } }

  /// Throws `ValidationError` if a setting is of a method that is not used.
  /// - Parameter flag: the option that names the methods.
  func check(_ methods: [MethodSettings.Method], flag: String = "--method") throws {
    let own: [(MethodSettings.Method, [(String, Bool)])] = [
      (
        .anneal,
        [
          ("--lambda", lambda != nil), ("--lambda-schedule", lambdaSchedule != nil), ("--temperature", temperature != nil),
          ("--temperature-on", temperatureOn != nil), ("--direction", direction != nil),
          ("--teacher-top-k", teacherTopK != nil),
        ]
      ), (.l2, [("--l2", l2 != nil)]),
      (.ewc, [("--ewc", ewc != nil), ("--fisher-data", !fisherData.isEmpty), ("--fisher-samples", fisherSamples != nil)]),
      (
        .lora,
        [
          ("--lora-rank", loraRank != nil), ("--lora-alpha", loraAlpha != nil), ("--lora-dropout", loraDropout != nil),
          ("--lora-targets", loraTargets != nil), ("--adapter", adapter != nil),
        ]
      ), (.asft, [("--asft-alpha", asftAlpha != nil)]),
    ]
    for (name, options) in own where !methods.contains(name) {
      if let (setting, _) = options.first(where: \.1) { throw ValidationError("\(setting) needs \(flag) \(name.rawValue)") }
    }
    guard adapter != nil else { return }
    let fixed = [("--lora-rank", loraRank != nil), ("--lora-alpha", loraAlpha != nil), ("--lora-targets", loraTargets != nil)]
    if let (flag, _) = fixed.first(where: \.1) { throw ValidationError("\(flag) is that of the adapter; leave it out with --adapter") }
  }

  func settings(_ methods: [MethodSettings.Method]) throws -> MethodSettings {
    var settings = MethodSettings()
    settings.methods = methods
    settings.lambda = lambda?.value ?? settings.lambda
    settings.schedule = lambdaSchedule ?? settings.schedule
    settings.temperature = temperature ?? settings.temperature
    settings.side = temperatureOn ?? settings.side
    settings.direction = direction ?? settings.direction
    settings.teacherTopK = teacherTopK
    settings.l2 = l2 ?? settings.l2
    settings.ewc = ewc ?? settings.ewc
    (settings.fisherData, settings.fisherSamples) = (fisherData, fisherSamples ?? settings.fisherSamples)
    settings.lowRank.rank = loraRank ?? settings.lowRank.rank
    settings.lowRank.alpha = loraAlpha ?? settings.lowRank.alpha
    settings.lowRank.dropout = loraDropout
    settings.lowRank.targets = try loraTargets.map { names in
      try names.split(separator: ",").map { name in
        guard let target = LowRank.Target(rawValue: String(name)) else {
          let known = LowRank.Target.allCases.map(\.rawValue).joined(separator: ", ")
          throw WeirError("lowRank.targets", "there is no matrix \(name)", remedy: "use some of \(known)")
        }
        return target
      }
    }
    settings.adapter = adapter
    settings.asftAlpha = asftAlpha ?? settings.asftAlpha
    return settings
  }

  /// One method, or several joined by commas.
  struct MethodList: ExpressibleByArgument, CustomStringConvertible {
    var methods: [MethodSettings.Method]

    init(methods: [MethodSettings.Method]) { self.methods = methods }

    init?(argument: String) {
      methods = argument.split(separator: ",", omittingEmptySubsequences: false).compactMap { MethodSettings.Method(rawValue: String($0)) }
      guard methods.count == argument.split(separator: ",", omittingEmptySubsequences: false).count else { return nil }
    }

    var description: String { methods.map(\.rawValue).joined(separator: ",") }
    var defaultValueDescription: String { description }
  }
}

extension AnnealingDirection: ExpressibleByArgument {
  // The stored names are those of the distribution that the expectation is taken over.
  package init?(argument: String) {
    guard let found = Self.allCases.first(where: { "\($0)" == argument }) else { return nil }
    self = found
  }

  package static var allValueStrings: [String] { allCases.map { "\($0)" } }
}
extension AnnealingSide: ExpressibleByArgument {}
extension AnnealingSchedule: ExpressibleByArgument {}
