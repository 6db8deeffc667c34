import Foundation
import Primitives
import Storage

/// Runs as read from a file, with the names of a mixture's sources and what was noticed.
package struct RunTable: Sendable, Equatable {
  package var runs: [MeasuredRun]
  /// The sources of the runs' mixtures, in order; empty where there are none.
  package var sources: [String] = []
  package var notes: [String] = []
  /// Whether every run has a loss; without, the losses are 1.
  package var isMeasured = true

  package init(runs: [MeasuredRun], sources: [String] = [], notes: [String] = []) {
    (self.runs, self.sources, self.notes) = (runs, sources, notes)
  }

  /// Reads JSON Lines or, where the name ends in `.csv` or the first line is not JSON, comma-separated values with a line of names.
  /// - Parameter measured: whether every run needs a loss.
  /// - Throws: `WeirError` with the line and the column where a value is missing or cannot be fitted.
  package static func read(_ path: String, columns: RunColumns = RunColumns(), measured: Bool = true) throws -> RunTable {
    try parse(Files.read(path), path: path, columns: columns, measured: measured)
  }

  package static func parse(
    _ bytes: [UInt8], path: String, columns: RunColumns = RunColumns(), measured: Bool = true
  ) throws -> RunTable {
    let text = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? Array(bytes.dropFirst(3)) : bytes
    let first = text.first { !($0 == 32 || $0 == 9 || $0 == 13 || $0 == 10) }
    let isTable = path.hasSuffix(".csv") || (first != UInt8(ascii: "{") && first != UInt8(ascii: "[") && text.contains(UInt8(ascii: ",")))
    let rows = isTable ? try TableRows.csv(text, path: path) : try TableRows.jsonLines(text, path: path)
    var reader = RunReader(rows: rows, path: path, columns: columns, measured: measured)
    return try reader.read()
  }
}

/// A value of a table.
enum TableCell: Equatable {
  case missing
  case number(Double)
  case integer(UInt64)
  case text(String)
  case numbers([Double])
  /// A value of JSON that is none of these.
  case other
}

/// The rows of a table with their lines.
struct TableRows {
  var columns: [String]
  var rows: [(line: Int, cells: [TableCell])] = []
  /// Whether errors speak of columns, not of members.
  var isTable: Bool

  /// Comma-separated values with a line of names.
  static func csv(_ bytes: [UInt8], path: String) throws -> TableRows {
    let table = try DelimitedTable(bytes, path: path)
    let rows = table.rows.map { row in
      (
        row.line,
        row.cells.map { text -> TableCell in
          if text.isEmpty { return .missing }
          if let integer = UInt64(text) { return .integer(integer) }
          return Double(text).map { .number($0) } ?? .text(text)
        }
      )
    }
    return TableRows(columns: table.columns, rows: rows, isTable: true)
  }

  /// One object per line; blank lines are ignored.
  static func jsonLines(_ bytes: [UInt8], path: String) throws -> TableRows {
    var objects: [(line: Int, members: [String: TableCell])] = []
    let decoder = JSONDecoder()
    for (index, line) in bytes.split(separator: 10, omittingEmptySubsequences: false).enumerated() {
      guard line.contains(where: { $0 != 32 && $0 != 9 && $0 != 13 }) else { continue }
      do { objects.append((index + 1, try decoder.decode([String: JSONCell].self, from: Data(line)).mapValues(\.cell))) } catch {
        var reason = "is not valid JSON"
        if case DecodingError.typeMismatch = error { reason = "is not a JSON object" }
        throw WeirError(
          "\(path):\(index + 1)", reason, remedy: "expected {\"n\": …, \"d\": …, \"d_prime\": …, \"domain\": …, \"loss\": …}")
      }
    }
    let columns = Set(objects.flatMap(\.members.keys)).sorted()
    return TableRows(
      columns: columns, rows: objects.map { object in (object.line, columns.map { object.members[$0] ?? .missing }) }, isTable: false)
  }

  private struct JSONCell: Decodable {
    let cell: TableCell

    init(from decoder: any Decoder) throws {
      let value = try decoder.singleValueContainer()
      if value.decodeNil() {
        cell = .missing
      } else if let integer = try? value.decode(UInt64.self) {
        cell = .integer(integer)
      } else if let number = try? value.decode(Double.self) {
        cell = .number(number)
      } else if let text = try? value.decode(String.self) {
        cell = .text(text)
      } else {
        cell = (try? value.decode([Double].self)).map { .numbers($0) } ?? .other
      }
    }
  }
}

/// Makes runs of rows.
private struct RunReader {
  let rows: TableRows
  let path: String
  let columns: RunColumns
  let measured: Bool
  var notes: [String] = []
  var isMeasured = true

  init(rows: TableRows, path: String, columns: RunColumns, measured: Bool) {
    (self.rows, self.path, self.columns, self.measured) = (rows, path, columns, measured)
  }

  /// What errors call a member.
  func label(_ member: String) -> String {
    let name = columns.name(member)
    guard rows.isTable else { return "member \"\(name)\"" }
    return rows.columns.firstIndex(of: name).map { "column \($0 + 1) (\(name))" } ?? "column \"\(name)\""
  }

  mutating func read() throws -> RunTable {
    guard !rows.rows.isEmpty else { throw WeirError(path, "contains no runs", remedy: "create some with `weir plan sweep`") }
    let losses = columns.matches("loss", in: rows.columns)
    var sources = columns.matches("h", in: rows.columns)
    // The member h, if it is one column, is a list.
    if sources.count == 1, sources[0].part.isEmpty { sources = [] }
    for member in ["n", "d"] + (measured ? ["loss"] : []) where columns.matches(member, in: rows.columns).isEmpty {
      let place = rows.isTable ? "\(path):1" : "\(path):\(rows.rows[0].line)"
      throw WeirError(
        place, "\(label(member)) is missing",
        remedy: rows.isTable || columns.names[member] != nil
          ? "its columns are \(rows.columns.joined(separator: ", ")); name them as in --columns n=params,d=tokens,loss=val_loss"
          : "expected {\"n\": …, \"d\": …, \"d_prime\": …, \"domain\": …, \"loss\": …}")
    }
    var runs: [MeasuredRun] = []
    var without: [Int] = []
    for row in rows.rows {
      let place = "\(path):\(row.line)"
      func cell(_ member: String) -> TableCell {
        rows.columns.firstIndex(of: columns.name(member)).map { row.cells[$0] } ?? .missing
      }
      func number(_ member: String) throws -> Double? {
        let factor = columns.units[member] ?? 1
        switch cell(member) {
        case .missing: return nil
        case .number(let value): return value * factor
        case .integer(let value): return Double(value) * factor
        default: throw WeirError(place, "\(label(member)) has the wrong type", remedy: "give a number")
        }
      }
      func required(_ member: String) throws -> Double {
        guard let value = try number(member) else {
          throw WeirError(place, "\(label(member)) is \(rows.isTable ? "empty" : "missing")", remedy: "fill it in, or remove the line")
        }
        return value
      }
      func text(_ member: String) throws -> String? {
        switch cell(member) {
        case .missing: return nil
        case .text(let text): return text
        case .integer(let value): return String(value)
        case .number(let value): return String(value)
        default: throw WeirError(place, "\(label(member)) has the wrong type", remedy: "give a string")
        }
      }
      var run = MeasuredRun(n: try required("n"), d: try required("d"), dPrime: try number("d_prime") ?? 0, loss: 1)
      run.domain = try text("domain") ?? MeasuredRun.mean
      run.model = try text("model") ?? ""
      run.run = try text("run")
      run.trunk = try text("trunk")
      run.unique = try number("unique")
      run.flops = try number("flops")
      run.head = try number("head")
      run.line = row.line
      switch cell("seed") {
      case .missing: break
      case .integer(let seed): run.seed = seed
      default: throw WeirError(place, "\(label("seed")) is out of range", remedy: "give an unsigned integer")
      }
      if !sources.isEmpty {
        run.mixture = try sources.map { source in
          switch row.cells[source.column] {
          case .number(let share): return share
          case .integer(let share): return Double(share)
          default:
            throw WeirError(
              place, "column \(source.column + 1) (\(rows.columns[source.column])) is not a share", remedy: "give a number in 0…1")
          }
        }
      } else if case .numbers(let shares) = cell("mixture") {
        run.mixture = shares
      }
      if losses.isEmpty {
        isMeasured = false
        try append(run, to: &runs, place: place)
        continue
      }
      for (column, part) in losses {
        var run = run
        if losses.count > 1 || !part.isEmpty { run.domain = part }
        let name = rows.isTable ? "column \(column + 1) (\(rows.columns[column]))" : "member \"\(rows.columns[column])\""
        switch row.cells[column] {
        case .number(let value): run.loss = value
        case .integer(let value): run.loss = Double(value)
        case .missing:
          // Of several targets, one may be missing.
          guard losses.count == 1 else {
            if without.last != row.line { without.append(row.line) }
            continue
          }
          if measured {
            throw WeirError(place, "\(name) is \(rows.isTable ? "empty" : "missing")", remedy: "fill it in, or remove the line")
          }
          isMeasured = false
        default: throw WeirError(place, "\(name) has the wrong type", remedy: "give a number")
        }
        if let fault = run.fault, fault.member == "loss" {
          throw WeirError(place, "\(name) \(fault.reason)", remedy: "correct or remove the line")
        }
        try append(run, to: &runs, place: place)
      }
    }
    if losses.count > 1 {
      for (column, part) in losses where !runs.contains(where: { $0.domain == part }) {
        throw WeirError(path, "column \(column + 1) (\(rows.columns[column])) has no measurement", remedy: "leave it out of the pattern")
      }
    }
    if !without.isEmpty {
      notes.append("\(without.count) lines have no loss for some target, which is fitted without them: \(Self.list(without))")
    }
    let kept = measured ? unique(runs) : runs
    let widths = Set(kept.map { $0.mixture?.count ?? 0 })
    guard widths.count == 1, let width = widths.first else {
      throw WeirError(path, "has runs with mixtures of different sources, or without", remedy: "fit them separately")
    }
    for member in ["n", "d"] { try checkUnits(kept, member) }
    let names = sources.isEmpty ? (0..<width).map { "\($0 + 1)" } : sources.map(\.part)
    var table = RunTable(runs: kept, sources: names, notes: notes)
    table.isMeasured = isMeasured
    return table
  }

  private func append(_ run: MeasuredRun, to runs: inout [MeasuredRun], place: String) throws {
    if let fault = run.fault {
      let name =
        fault.member == "mixture" ? (rows.isTable ? "the columns \(columns.name("h"))" : "member \"mixture\"") : label(fault.member)
      throw WeirError(place, "\(name) \(fault.reason)", remedy: "correct or remove the line")
    }
    runs.append(run)
  }

  /// The runs without those that repeat an earlier one in everything.
  private mutating func unique(_ runs: [MeasuredRun]) -> [MeasuredRun] {
    var seen: [String: Int] = [:]
    var repeated: [Int] = []
    let kept = runs.filter { run in
      let key = [
        "\(run.n)", "\(run.d)", "\(run.dPrime)", run.domain, "\(run.loss)", "\(run.seed)", run.model, run.run ?? "", run.trunk ?? "",
        "\(run.mixture ?? [])", "\(run.unique ?? 0)",
      ].joined(separator: "\u{1f}")
      guard seen.updateValue(1, forKey: key) != nil else { return true }
      if let line = run.line, repeated.last != line { repeated.append(line) }
      return false
    }
    if !repeated.isEmpty { notes.append("\(repeated.count) lines repeat an earlier one and count once: \(Self.list(repeated))") }
    return kept
  }

  /// Throws where the values of a column fall into two groups with a gap as between billions and single units.
  private func checkUnits(_ runs: [MeasuredRun], _ member: String) throws {
    let sorted = runs.map { (value: member == "n" ? $0.n : $0.d, line: $0.line ?? 0) }.sorted { ($0.value, $0.line) < ($1.value, $1.line) }
    for (low, high) in zip(sorted, sorted.dropFirst()) where high.value > 1e5 * low.value {
      throw WeirError(
        "\(path):\(low.line)",
        "\(label(member)) is \(Format.significant(low.value)), beside \(Format.significant(high.value)) in line \(high.line)",
        remedy: "give all in one unit, and name it as in --units \(member)=B")
    }
  }

  private static func list(_ lines: [Int]) -> String {
    lines.prefix(6).map(String.init).joined(separator: ", ") + (lines.count > 6 ? " and \(lines.count - 6) more" : "")
  }
}
