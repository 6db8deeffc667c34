/// An HTML table: texts to the left, numbers to the right with figures of one width.
package struct Table {
  /// A column.
  package struct Column {
    let title: String
    let isNumber: Bool

    /// A column of texts.
    package static func text(_ title: String) -> Column { Column(title: title, isNumber: false) }
    /// A column of numbers.
    package static func number(_ title: String) -> Column { Column(title: title, isNumber: true) }
  }

  let caption: String
  let columns: [Column]
  private var rows = ""
  private(set) var rowCount = 0

  /// Creates an empty table.
  package init(_ caption: String, _ columns: [Column]) {
    self.caption = caption
    self.columns = columns
  }

  /// Adds a row; the first cell names it. Missing cells stay empty, cells too many are left out.
  package mutating func add(_ cells: [String], style: String = "") {
    rows += style.isEmpty ? "<tr>" : "<tr class=\"\(Escape.text(style))\">"
    for (index, column) in columns.enumerated() {
      let cell = index < cells.count ? Escape.text(cells[index]) : ""
      let kind = column.isNumber ? " class=\"n\"" : ""
      rows += index == 0 ? "<th scope=\"row\"\(kind)>\(cell)</th>" : "<td\(kind)>\(cell)</td>"
    }
    rows += "</tr>\n"
    rowCount += 1
  }

  /// The markup; wide tables scroll in themselves rather than the page.
  package var markup: String {
    let head = columns.map { "<th scope=\"col\"\($0.isNumber ? " class=\"n\"" : "")>\(Escape.text($0.title))</th>" }.joined()
    return """
      <div class="scroll" tabindex="0" role="region" aria-label="\(Escape.text(caption))"><table>
      <caption>\(Escape.text(caption))</caption>
      <thead><tr>\(head)</tr></thead>
      <tbody>
      \(rows)</tbody></table></div>
      """
  }

  /// The markup, folded where the table is long.
  package func folded(above limit: Int) -> String {
    rowCount <= limit ? markup : "<details><summary>\(Escape.text(caption)): \(Number.count(rowCount, "row"))</summary>\n\(markup)\n</details>"
  }
}
