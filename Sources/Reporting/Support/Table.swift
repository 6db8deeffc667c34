/// An HTML table. Columns without any value are left out.
package struct Table {
  package struct Column {
    fileprivate enum Kind { case text, number, formula }
    fileprivate let title: String
    fileprivate let kind: Kind

    package static func text(_ title: String) -> Column { Column(title: title, kind: .text) }
    /// Right-aligned.
    package static func number(_ title: String) -> Column { Column(title: title, kind: .number) }
    /// With superscripts for exponents.
    package static func formula(_ title: String) -> Column { Column(title: title, kind: .formula) }
  }

  private let caption: String
  private let columns: [Column]
  private var rows: [(cells: [String], style: String)] = []

  package init(_ caption: String, _ columns: [Column]) {
    self.caption = caption
    self.columns = columns
  }

  /// A table of properties and their values; a nil value is left out.
  package init(_ caption: String, properties: [(name: String, value: String?)]) {
    self.init(caption, [.text("Property"), .number("Value")])
    for (name, value) in properties { if let value { add([name, value]) } }
  }

  package var rowCount: Int { rows.count }

  /// Adds a row. The first cell is its header; missing cells stay empty, extra cells are ignored.
  package mutating func add(_ cells: [String], style: String = "") {
    let missing = max(0, columns.count - cells.count)
    rows.append((Array(cells.prefix(columns.count)) + Array(repeating: "", count: missing), style))
  }

  /// The markup, in which a wide table scrolls by itself. On a phone, a row of a wide table is a list of its titles and values.
  package var markup: String {
    let shown = columns.indices.filter { column in
      column == 0 || rows.contains { !$0.cells[column].isEmpty && $0.cells[column] != Number.unknown }
    }
    let head = shown.map { "<th scope=\"col\"\(style(of: $0))>\(Escape.text(columns[$0].title))</th>" }.joined()
    let body = rows.map { row in
      let cells = shown.map { column in
        let content = columns[column].kind == .formula ? Formula.markup(row.cells[column]) : Escape.text(row.cells[column])
        if column == 0 { return "<th scope=\"row\"\(style(of: column))>\(content)</th>" }
        let title = shown.count > 3 ? " data-title=\"\(Escape.text(columns[column].title))\"" : ""
        return "<td\(style(of: column))\(title)>\(content)</td>"
      }
      return (row.style.isEmpty ? "<tr>" : "<tr class=\"\(Escape.text(row.style))\">") + cells.joined() + "</tr>"
    }
    return """
      <div class="scroll" tabindex="0" role="region" aria-label="\(Escape.text(caption))"><table\(shown.count > 3 ? " class=\"cards\"" : "")>
      <caption>\(Escape.text(caption))</caption>
      <thead><tr>\(head)</tr></thead>
      <tbody>
      \(body.joined(separator: "\n"))
      </tbody></table></div>
      """
  }

  /// The markup, collapsed if the table has more than `limit` rows.
  package func folded(above limit: Int) -> String {
    guard rowCount > limit else { return markup }
    return "<details><summary>\(Escape.text(caption)): \(Number.count(rowCount, "row"))</summary>\n\(markup)\n</details>"
  }

  private func style(of column: Int) -> String { columns[column].kind == .number ? " class=\"n\"" : "" }
}
