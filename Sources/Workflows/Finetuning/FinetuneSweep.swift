import Foundation
import Primitives
import Storage
import Training

/// What the runs of a sweep gained on the target and forgot of the source: `SWEEP/sweep.json`.
package struct FinetuneSweep: Codable, Sendable, Equatable, Artifact {
  package static let format = "weir.finetune-sweep.1"
  package static let form = ArtifactForm.file

  /// One run.
  package struct Run: Codable, Sendable, Equatable {
    /// The run folder, relative to the sweep's.
    package var run: String
    package var method: String
    /// The method's own strength; nil for a method without one.
    package var strength: Double?
    package var learningRate: Double
    package var randomSeed: UInt64
    /// The fall of the loss on the target, in nats/token.
    package var gain: Double
    /// The rise of the loss on the sources, the mean over them, in nats/token.
    package var rise: Double
    /// The rise on each source.
    package var riseBySource: [String: Double]
    /// The step of the run's model.
    package var step: Int

    package init(
      run: String, method: String, strength: Double?, learningRate: Double, randomSeed: UInt64, gain: Double, rise: Double,
      riseBySource: [String: Double], step: Int
    ) {
      (self.run, self.method, self.strength, self.learningRate, self.randomSeed) = (run, method, strength, learningRate, randomSeed)
      (self.gain, self.rise, self.riseBySource, self.step) = (gain, rise, riseBySource, step)
    }
  }

  /// A mean over random seeds.
  package struct Mean: Codable, Sendable, Equatable {
    package var value: Double
    /// Half the width of the 95 % interval (Student's t); nil for a single seed.
    package var error: Double?
  }

  /// The runs that differ only in their random seed.
  package struct Setting: Codable, Sendable, Equatable {
    package var method: String
    package var strength: Double?
    package var learningRate: Double
    /// Runs.
    package var runs: Int
    package var gain: Mean
    package var rise: Mean
    /// Whether no other setting gains more and forgets less.
    package var isOnFrontier = false
    /// Whether it is the choice for its method: of those with a target gain, the one that forgets least.
    package var isChosen = false
  }

  package var format = Self.format
  /// The fingerprint of the initial model.
  package var model: String
  /// The held-out set whose loss is the target's.
  package var target: String
  /// The held-out sets whose losses show what is forgotten.
  package var sources: [String]
  /// The target gain that a setting must exceed to be chosen.
  package var minimumGain: Double
  package var runs: [Run]
  package var settings: [Setting]

  package init(model: String, target: String, sources: [String], minimumGain: Double, runs: [Run]) {
    (self.model, self.target, self.sources, self.minimumGain, self.runs) = (model, target, sources, minimumGain, runs)
    settings = Self.settings(runs, minimumGain: minimumGain)
  }

  /// Where a sweep in a folder is described.
  package static func path(in folder: String) -> String { folder + "/sweep.json" }

  package static func open(_ path: String) throws -> FinetuneSweep { try JSONFile.readSealed(FinetuneSweep.self, from: path) }

  package static func verify(_ path: String, _ context: any VerificationContext) throws {
    let sweep = try open(path)
    if sweep.settings != settings(sweep.runs, minimumGain: sweep.minimumGain) {
      context.problem("\(path): the settings do not follow from the runs")
    }
  }

  package static func describe(_ path: String, lines: Int) throws -> [String]? {
    let sweep = try open(path), shown = sweep.settings.prefix(lines)
    return ["finetune sweep", "target \(sweep.target), sources \(sweep.sources.joined(separator: ", ")), \(sweep.runs.count) runs", ""]
      + table(Array(shown)).lines + Format.more(sweep.settings.count - shown.count, "settings")
  }

  /// Settings as a table, for a terminal.
  package static func table(_ settings: [Setting]) -> TextTable {
    func cell(_ mean: Mean) -> String {
      let value = String(format: "%+.3f", mean.value)
      return mean.error.map { value + String(format: " ± %.3f", $0) } ?? value
    }
    var table = TextTable(
      ["method", "strength", "learning rate", "seeds", "target gain", "source rise", ""], right: [1, 2, 3, 4, 5])
    for setting in settings {
      table.add([
        setting.method, setting.strength.map { "\($0)" } ?? "–", "\(setting.learningRate)", "\(setting.runs)", cell(setting.gain),
        cell(setting.rise),
        [setting.isOnFrontier ? "frontier" : nil, setting.isChosen ? "chosen" : nil].compactMap(\.self).joined(separator: ", "),
      ])
    }
    return table
  }

  private static func settings(_ runs: [Run], minimumGain: Double) -> [Setting] {
    struct Key: Hashable { var method: String, strength: Double?, learningRate: Double }
    var order: [Key] = [], groups: [Key: [Run]] = [:]
    for run in runs {
      let key = Key(method: run.method, strength: run.strength, learningRate: run.learningRate)
      if groups[key] == nil { order.append(key) }
      groups[key, default: []].append(run)
    }
    var settings = order.map { key in
      let group = groups[key] ?? []
      return Setting(
        method: key.method, strength: key.strength, learningRate: key.learningRate, runs: group.count, gain: Mean(group.map(\.gain)),
        rise: Mean(group.map(\.rise)))
    }
    for index in settings.indices {
      let gain = settings[index].gain.value, rise = settings[index].rise.value
      settings[index].isOnFrontier = !settings.contains {
        $0.gain.value >= gain && $0.rise.value <= rise && ($0.gain.value > gain || $0.rise.value < rise)
      }
    }
    for method in Set(settings.map(\.method)) {
      let candidates = settings.indices.filter { settings[$0].method == method && settings[$0].gain.value > minimumGain }
      let best = candidates.min {
        (settings[$0].rise.value, -settings[$0].gain.value, $0) < (settings[$1].rise.value, -settings[$1].gain.value, $1)
      }
      if let best { settings[best].isChosen = true }
    }
    return settings
  }
}

extension FinetuneSweep.Mean {
  init(_ values: [Double]) {
    value = Statistics.mean(values)
    let count = Double(values.count), mean = value
    guard values.count > 1 else { return }
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (count - 1)
    error = Statistics.studentT95(degreesOfFreedom: values.count - 1) * (variance / count).squareRoot()
  }
}
