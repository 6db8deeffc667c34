import Primitives
import Training

/// Every combination of methods, strengths, learning rates and random seeds for one finetuning.
package struct FinetuneSweepConfiguration: Codable, Sendable {
  /// What all runs have in common; its output is the folder of the sweep.
  package var base: FinetuneConfiguration
  /// Names of methods; a `+` joins methods that are combined.
  package var methods: [String]
  /// For methods that have one; empty for that of `base`.
  package var strengths: [Double] = []
  /// Empty for that of `base`.
  package var learningRates: [Double] = []
  /// Empty for that of `base`.
  package var randomSeeds: [UInt64] = []
  /// The target gain, in nats/token, that a setting must exceed to be chosen.
  package var minimumGain = 0.0

  package init(_ base: FinetuneConfiguration, methods: [String]) { (self.base, self.methods) = (base, methods) }

  /// One run.
  struct Cell {
    /// The folder below the sweep's.
    var name: String
    var method: String
    var configuration: FinetuneConfiguration
  }

  package func validate() throws {
    func require(_ condition: Bool, _ property: String, _ reason: @autoclosure () -> String) throws {
      if !condition { throw WeirError(property, reason()) }
    }
    func distinct(_ values: [some Hashable], _ property: String) throws {
      try require(Set(values).count == values.count, property, "contains a value twice")
    }
    try require(!methods.isEmpty, "methods", "needs at least one method")
    try distinct(methods, "methods")
    try distinct(strengths, "strengths")
    try distinct(learningRates, "learningRates")
    try distinct(randomSeeds, "randomSeeds")
    for value in strengths { try require(value >= 0 && value.isFinite, "strengths", "must be finite numbers ≥ 0, not \(value)") }
    for value in learningRates { try require(value > 0 && value.isFinite, "learningRates", "must be positive, not \(value)") }
    try require(minimumGain >= 0 && minimumGain.isFinite, "minimumGain", "must be a finite number of nats ≥ 0, not \(minimumGain)")
    try require(
      !base.settings.heldOut.isEmpty || base.retention.validFraction != nil, "retention.validFraction",
      "a sweep needs held-out documents of the target")
    try require(!base.retention.sources.isEmpty, "retention.sources", "a sweep needs held-out documents of what the model knew")
    try require(!base.retention.searchesLambda, "lambda", "cannot be searched within a sweep")
  }

  /// The number of runs.
  package func runCount() throws -> Int { try cells().count }

  /// All runs, in the order of methods, strengths, learning rates and random seeds.
  func cells() throws -> [Cell] {
    var cells: [Cell] = []
    for method in methods {
      var configuration = base
      guard configuration.setMethod(method.split(separator: "+").joined(separator: ",")) else {
        throw WeirError("methods", "there is no method \(method)")
      }
      let own: [Double?] = configuration.strength == nil || strengths.isEmpty ? [configuration.strength] : strengths
      for strength in own {
        if let strength, configuration.isStrengthRank, strength.rounded() != strength || !(1...4_096).contains(strength) {
          throw WeirError(
            "strengths", "\(strength) is not a rank, the strength of \(method)", remedy: "sweep it on its own, with ranks such as 4,16")
        }
        configuration.strength = strength
        try configuration.validate()
        for rate in learningRates.isEmpty ? [base.settings.training.learningRate] : learningRates {
          configuration.settings.training.learningRate = rate
          for seed in randomSeeds.isEmpty ? [base.settings.randomSeed] : randomSeeds {
            configuration.settings.training.randomSeed = seed
            let parts = [method] + (strength.map { ["\($0)"] } ?? []) + ["lr\(rate)", "seed\(seed)"]
            let name = parts.joined(separator: "-")
            var cell = configuration
            cell.output = base.output + "/" + name
            cells.append(Cell(name: name, method: method, configuration: cell))
          }
        }
      }
    }
    return cells
  }
}
