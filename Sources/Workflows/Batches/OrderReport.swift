import Loading
import Primitives

/// What a row order draws, by stage and group.
package struct OrderReport: Codable, Sendable, Equatable {
  package struct Group: Codable, Sendable, Equatable {
    package var name: String
    /// Real tokens in the stage.
    package var tokens: Int
    /// Epochs over the group at the end of the stage, since the run began.
    package var epochs: Double
    /// The share of the stage's rows that the run has drawn before.
    package var repeated: Double
  }

  package struct Stage: Codable, Sendable, Equatable {
    package var firstPosition: Int
    package var rows: Int
    /// Groups that are drawn from, by descending tokens.
    package var groups: [Group]

    private enum CodingKeys: String, CodingKey {
      case rows, groups
      case firstPosition = "first_position"
    }
  }

  package var fingerprint: String
  package var stages: [Stage]
  /// Stages that begin after the run.
  package var laterStages: Int

  private enum CodingKeys: String, CodingKey {
    case fingerprint, stages
    case laterStages = "later_stages"
  }

  /// - Parameter rows: the rows of the run; nil for those it was made for, or one epoch over the groups that are drawn from.
  package init(_ order: RowOrder, rows: Int?) {
    fingerprint = order.fingerprint
    let asked = order.groups.indices.filter { order.draws.capacities[$0] > 0 }
    let length = rows ?? order.endPosition.map { $0 - order.fromPosition } ?? asked.reduce(0) { $0 + order.groups[$1].rows }
    let end = min(order.fromPosition + length, order.draws.capacity)
    let starts = [order.fromPosition] + order.draws.stages.map(\.start).filter { $0 > order.fromPosition && $0 < end }
    laterStages = order.draws.stages.count { $0.start > order.fromPosition && $0.start > end }
    stages = zip(starts, starts.dropFirst() + [end]).map { start, end in
      let before = order.draws.counts(before: start), after = order.draws.counts(before: end)
      let groups = order.groups.indices.filter { after[$0] > before[$0] }.map { index in
        let group = order.groups[index], drawn = after[index] - before[index]
        let fresh = max(0, min(after[index], group.rows) - before[index])
        return Group(
          name: group.name, tokens: Int(Double(drawn) * Double(group.tokens) / Double(group.rows)),
          epochs: Double(after[index]) / Double(group.rows), repeated: Double(drawn - fresh) / Double(drawn))
      }
      return Stage(firstPosition: start, rows: end - start, groups: groups.sorted { ($1.tokens, $0.name) < ($0.tokens, $1.name) })
    }
  }

  /// A table per stage, of at most `lines` groups.
  package func lines(_ lines: Int) -> [String] {
    stages.flatMap { stage in
      var table = TextTable(["  group", "tokens", "epochs", "repeated"], right: [1, 2, 3])
      for group in stage.groups.prefix(lines) {
        table.add(
          "  " + Format.clip(group.name, 40), Format.count(group.tokens), String(format: "%.2f", group.epochs),
          Format.percent(group.repeated, 1))
      }
      return ["  from position \(Format.count(stage.firstPosition)), \(Format.count(stage.rows)) rows:"] + table.lines
        + Format.more(stage.groups.count - lines, "groups").map { "  " + $0 }
    }
      + (laterStages > 0
        ? [
          "  \(laterStages) later \(laterStages == 1 ? "stage begins" : "stages begin") after these rows; --tokens says how long the run is"
        ] : [])
  }
}
