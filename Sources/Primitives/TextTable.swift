/// Plain text in aligned columns, two spaces apart.
package struct TextTable {
  private let header: [String]
  private let right: Set<Int>
  private var rows: [[String]] = []

  /// Creates an empty table.
  /// - Parameters:
  ///   - header: the column titles; empty for a table without a header.
  ///   - right: the right-aligned columns, from 0.
  package init(_ header: [String] = [], right: Set<Int> = []) {
    self.header = header.map(Self.shown)
    self.right = right
  }

  /// Creates a table in which every column of numbers, except the first column, is right-aligned.
  package init(_ header: [String], rows: [[String]]) {
    let numeric = header.indices.filter { column in
      column > 0 && rows.allSatisfy { row in row[column].first.map { $0.isNumber || "-−+≈∞".contains($0) } ?? true }
    }
    self.init(header, right: Set(numeric))
    for row in rows { add(row) }
  }

  package mutating func add(_ cells: String...) { add(cells) }
  package mutating func add(_ cells: [String]) { rows.append(cells.map(Self.shown)) }

  /// A cell without control characters, shortened where its name is too long for any screen.
  private static func shown(_ cell: String) -> String { Format.escaped(cell.utf8.count > 600 ? Format.clip(cell, 300) : cell) }

  /// The lines, header first, without trailing spaces.
  package var lines: [String] {
    let all = header.isEmpty ? rows : [header] + rows
    let columns = all.map(\.count).max() ?? 0
    let widths = (0..<columns).map { column in all.map { $0.count > column ? $0[column].count : 0 }.max() ?? 0 }
    return all.map { row in
      var line = ""
      for (column, cell) in row.enumerated() {
        let padding = String(repeating: " ", count: widths[column] - cell.count)
        line += (column == 0 ? "" : "  ") + (right.contains(column) ? padding + cell : cell + padding)
      }
      while line.last == " " { line.removeLast() }
      return line
    }
  }

  /// The lines as one string, each behind `indent`.
  package func text(indent: String = "  ") -> String { lines.map { indent + $0 }.joined(separator: "\n") }
}
