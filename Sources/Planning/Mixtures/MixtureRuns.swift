import Primitives
import Storage

/// Training runs that differ in their mixture, with what was measured of each.
package struct MixtureRuns: Codable, Sendable, Equatable {
  /// What the weights are of: clusters, sources or labels.
  package var domains: [String]
  /// The names of the measurements. Lower is better.
  package var metrics: [String]
  package var names: [String]
  /// [runs][domains] weights with the sum 1.
  package var weights: [[Double]]
  /// [runs][metrics] measurements; nil where one is missing.
  package var values: [[Double?]]

  /// The most that the weights of a run may miss a sum of 1 by; more than rounding is a mistake.
  static let tolerance = 0.01
  /// Columns that identify runs, in the order of preference, and a label that is not used.
  private static let identifiers = ["run", "run_id", "index"], label = "name"

  package init(domains: [String], metrics: [String], names: [String], weights: [[Double]], values: [[Double?]]) {
    (self.domains, self.metrics, self.names, self.weights, self.values) = (domains, metrics, names, weights, values)
  }

  /// Reads mixtures alone. Beside `run`, `run_id` or `index`, and `name`, every column is a domain.
  package init(ratios path: String) throws {
    let table = try DelimitedTable(path)
    let (identifier, columns) = try Self.columns(table)
    (domains, metrics) = (columns.map { table.columns[$0] }, [])
    (names, weights, values) = ([], [], [])
    for (row, (line, cells)) in table.rows.enumerated() {
      var own = try columns.map { try table.number(row: row, column: $0) ?? 0 }
      if let column = own.firstIndex(where: { $0 < 0 }) {
        throw WeirError("\(path):\(line)", "column \"\(domains[column])\": \(own[column]) is not a weight", remedy: "expected 0 or more")
      }
      let sum = own.reduce(0, +)
      guard abs(sum - 1) <= Self.tolerance else {
        throw WeirError(
          "\(path):\(line)", "the weights have the sum \(Format.fixed(sum, 4)), not 1", remedy: "correct the row or remove it")
      }
      for index in own.indices { own[index] /= sum }
      names.append(cells[identifier])
      weights.append(own)
      values.append([])
    }
    guard !names.isEmpty else { throw WeirError(path, "has no runs") }
    var lines: [String: Int] = [:]
    for (name, row) in zip(names, table.rows) {
      if let first = lines.updateValue(row.line, forKey: name) {
        throw WeirError("\(path):\(row.line)", "run \"\(name)\" is in line \(first), too", remedy: "give every run a name of its own")
      }
    }
  }

  /// Reads mixtures with their measurements.
  /// - Parameter wanted: the metrics; nil for all columns.
  /// - Returns: the runs in both files, and sentences on what is left out.
  package static func read(ratios: String, metrics path: String, wanted: [String]? = nil) throws -> (runs: MixtureRuns, notes: [String]) {
    var runs = try MixtureRuns(ratios: ratios), notes: [String] = []
    let table = try DelimitedTable(path)
    var (identifier, columns) = try columns(table)
    if let wanted {
      columns = try wanted.map { name in
        guard let column = columns.first(where: { table.columns[$0] == name }) else {
          throw WeirError(
            "metrics", "\(path) has no metric \"\(name)\"",
            remedy: "name some of \(columns.map { table.columns[$0] }.joined(separator: ", "))")
        }
        return column
      }
    }
    var rows: [String: Int] = [:]
    for (row, (line, cells)) in table.rows.enumerated() where rows.updateValue(row, forKey: cells[identifier]) != nil {
      throw WeirError("\(path):\(line)", "run \"\(cells[identifier])\" is in the file twice", remedy: "remove one of the rows")
    }
    runs.metrics = columns.map { table.columns[$0] }
    var missing = 0
    runs.values = try runs.names.map { name in
      guard let row = rows[name] else { return [] }
      return try columns.map { column in
        let value = try table.number(row: row, column: column)
        if value == nil { missing += 1 }
        return value
      }
    }
    let measured = runs.names.indices.filter { !runs.values[$0].isEmpty }
    let known = Set(runs.names), foreign = rows.keys.count { !known.contains($0) }
    if measured.count < runs.names.count { notes.append("\(runs.names.count - measured.count) runs of \(ratios) have no line in \(path)") }
    if foreign > 0 { notes.append("\(foreign) runs of \(path) have no line in \(ratios)") }
    if missing > 0 { notes.append("\(missing) measurements are missing; each is left out for its run alone") }
    runs = runs.subset(measured)
    guard !runs.names.isEmpty else {
      throw WeirError(path, "has none of the runs of \(ratios)", remedy: "runs are matched by the column run, run_id or index")
    }
    if let metric = runs.metrics.indices.first(where: { metric in runs.values.allSatisfy { $0[metric] == nil } }) {
      throw WeirError(path, "column \"\(runs.metrics[metric])\" has no measurement of these runs")
    }
    return (runs, notes)
  }

  private static func columns(_ table: DelimitedTable) throws -> (identifier: Int, others: [Int]) {
    guard let identifier = identifiers.lazy.compactMap({ table.columns.firstIndex(of: $0) }).first else {
      throw WeirError("\(table.path):1", "has no column \(identifiers.joined(separator: ", ")) that names the runs")
    }
    let others = table.columns.indices.filter { $0 != identifier && table.columns[$0] != label && !table.columns[$0].isEmpty }
    guard !others.isEmpty else { throw WeirError("\(table.path):1", "has no column beside \(table.columns[identifier])") }
    return (identifier, others)
  }

  /// Some of the runs.
  package func subset(_ indices: [Int]) -> MixtureRuns {
    MixtureRuns(
      domains: domains, metrics: metrics, names: indices.map { names[$0] }, weights: indices.map { weights[$0] },
      values: indices.map { values[$0] })
  }

  /// The runs that have a measurement, with it.
  func measured(_ metric: Int) -> (weights: [[Double]], values: [Double]) {
    let known = names.indices.filter { values[$0][metric] != nil }
    return (known.map { weights[$0] }, known.compactMap { values[$0][metric] })
  }

  /// The weights as comma-separated values.
  package func ratios() -> String {
    var lines = [(["run"] + domains).map(DelimitedTable.quoted).joined(separator: ",")]
    for (name, weights) in zip(names, weights) {
      lines.append(([DelimitedTable.quoted(name)] + weights.map { "\($0)" }).joined(separator: ","))
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// The measurements as comma-separated values.
  package func measurements() -> String {
    var lines = [(["run"] + metrics).map(DelimitedTable.quoted).joined(separator: ",")]
    for (name, values) in zip(names, values) {
      lines.append(([DelimitedTable.quoted(name)] + values.map { $0.map { "\($0)" } ?? "" }).joined(separator: ","))
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
