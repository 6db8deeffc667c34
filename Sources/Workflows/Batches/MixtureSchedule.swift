import Artifacts
import Foundation
import Loading
import Primitives
import Storage
import Yams

/// Weights of groups that a person writes: YAML or JSON.
///
/// ```yaml
/// by: source                 # or metadata.domain, or tree: out/tree and level: 2
/// max_epochs: {wiki: 2}
/// stages:
///   - {at: 0, weights: {wiki: 1, code: 1}}
///   - {at: 200M, weights: {wiki: 3, code: 1}}
/// ```
struct MixtureSchedule: Decodable, Sendable {
  struct Stage: Decodable, Sendable {
    /// Tokens of the run before the stage.
    var at: String
    /// Weights by the names of groups, or by the paths of datasets; a missing one is 0.
    var weights: [String: Double]?
    /// A mixture of `weir sample`, relative to the file.
    var mixture: String?

    enum CodingKeys: String, CodingKey, CaseIterable { case at, weights, mixture }
  }

  /// One cap for all groups, or caps by name.
  enum Caps: Decodable, Sendable {
    case all(Double)
    case named([String: Double])

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let value = try? container.decode(Double.self) {
        self = .all(value)
      } else {
        self = .named(try container.decode([String: Double].self))
      }
    }
  }

  /// The datasets, each with the weights of its path; without them, the dataset of the command.
  var datasets: [String]?
  /// The groups of a single dataset: a member of the documents.
  var by: String?
  /// The groups of a single dataset: the leaves of a tree, or its nodes at `level`.
  var tree: String?
  var level: Int?
  var maxEpochs: Caps?
  /// Whether weights change linearly from stage to stage.
  var interpolate: Bool?
  var stages: [Stage]

  private enum CodingKeys: String, CodingKey, CaseIterable {
    case datasets, by, tree, level, interpolate, stages
    case maxEpochs = "max_epochs"
  }

  /// Constant stages per interval of an interpolated schedule, at most.
  private static let mostPieces = 16

  /// Reads a schedule, or a blend as Megatron-LM writes it: `weight path weight path …`.
  static func read(_ path: String) throws -> MixtureSchedule {
    let text = String(decoding: try Files.readWhole(path), as: UTF8.self)
    if let blend = try blend(text, path: path) { return blend }
    let remedy = "give a mixture of `weir sample`, a schedule with `stages`, or a blend `weight path weight path`"
    let schedule: MixtureSchedule
    do {
      if let node = try Yams.compose(yaml: text), let members = node.mapping {
        try check(members, known: CodingKeys.allCases.map(\.rawValue), path: path)
        for (number, stage) in (members["stages"]?.sequence ?? []).enumerated() {
          guard let members = stage.mapping else { continue }
          try check(members, known: Stage.CodingKeys.allCases.map(\.rawValue), path: path, of: "stage \(number + 1) ")
        }
      }
      schedule = try YAMLDecoder().decode(MixtureSchedule.self, from: text)
    } catch let error as DecodingError {
      throw WeirError(path, "not a mixture: \(JSONFile.explain(error))", remedy: remedy)
    } catch let error as WeirError {
      throw error
    } catch {
      throw WeirError(path, "is neither JSON nor YAML", remedy: remedy)
    }
    guard let first = schedule.stages.first, tokens(first.at) == 0 else {
      throw WeirError(path, "has no stage at 0 tokens", remedy: "begin with `{at: 0, …}`")
    }
    guard schedule.caps.allSatisfy({ $0 > 0 && $0.isFinite }) else {
      throw WeirError(path, "max_epochs must be positive numbers", remedy: "leave it out for no cap, or give a group the weight 0")
    }
    guard schedule.level ?? 0 >= 0 else { throw WeirError(path, "level must be at least 0, not \(schedule.level ?? 0)") }
    for (number, stage) in schedule.stages.enumerated() {
      guard stage.weights.map({ $0.values.reduce(0, +) <= .greatestFiniteMagnitude }) ?? true else {
        throw WeirError(path, "stage \(number + 1) has weights whose sum is not a number")
      }
      guard tokens(stage.at) != nil, (stage.weights == nil) != (stage.mixture == nil) else {
        throw WeirError(path, "stage \(number + 1) needs `at` (a number of tokens such as 200M), and either weights or mixture")
      }
    }
    return schedule
  }

  private static func check(_ members: Node.Mapping, known: [String], path: String, of part: String = "") throws {
    for key in members.keys {
      guard let name = key.string, !known.contains(name) else { continue }
      throw WeirError(
        "\(path)\(key.mark.map { ":\($0.line)" } ?? "")", "\(part)has an unknown member \"\(Format.clip(name, 40))\"",
        remedy: "members are \(known.joined(separator: ", "))")
    }
  }

  /// The caps, if there are any.
  private var caps: [Double] {
    switch maxEpochs {
    case nil: []
    case .all(let cap): [cap]
    case .named(let caps): Array(caps.values)
    }
  }

  private static func blend(_ text: String, path: String) throws -> MixtureSchedule? {
    let words = text.split { $0.isWhitespace }.map(String.init)
    guard words.count >= 2, words.count.isMultiple(of: 2) else { return nil }
    var weights: [String: Double] = [:]
    for index in stride(from: 0, to: words.count, by: 2) {
      guard let weight = Double(words[index]) else { return nil }
      guard weight >= 0, weight.isFinite else {
        throw WeirError(path, "gives \(words[index + 1]) the weight \(words[index]), expected at least 0")
      }
      guard weights[words[index + 1]] == nil else { throw WeirError(path, "names \(words[index + 1]) twice") }
      weights[words[index + 1]] = weight
    }
    let datasets = stride(from: 1, to: words.count, by: 2).map { words[$0] }
    return MixtureSchedule(datasets: datasets, stages: [Stage(at: "0", weights: weights)])
  }

  private init(datasets: [String], stages: [Stage]) { (self.datasets, self.stages) = (datasets, stages) }

  /// A number such as 1500000, 1.5M or 2B.
  static func tokens(_ text: String) -> Int? { Format.amount(text, below: 9e15) }

  /// Constant stages: those of the schedule, or pieces of the straight lines between them.
  func constant(_ stages: [RowMixture.Stage]) -> [RowMixture.Stage] {
    guard interpolate == true, stages.count > 1 else { return stages }
    let pieces = min(Self.mostPieces, (DrawOrder.mostStages - 1) / (stages.count - 1))
    var result: [RowMixture.Stage] = []
    for (from, to) in zip(stages, stages.dropFirst()) {
      let (a, b) = (normalized(from.weights), normalized(to.weights))
      for piece in 0..<pieces {
        // The mean of the line over the piece.
        let share = (Double(piece) + 0.5) / Double(pieces)
        let at = from.at + (to.at - from.at) * piece / pieces
        result.append(.init(at: at, weights: zip(a, b).map { $0 + ($1 - $0) * share }))
      }
    }
    return result + stages.suffix(1)
  }

  private func normalized(_ weights: [Double]) -> [Double] {
    let sum = weights.reduce(0, +)
    return sum > 0 ? weights.map { $0 / sum } : weights
  }
}
