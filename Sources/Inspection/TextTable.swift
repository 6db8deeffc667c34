import Foundation

/// Lines of text with aligned columns, for people.
struct TextTable {
  /// Column heads; empty where there is no head.
  var heads: [String]
  /// Columns aligned to the right, from 0.
  var right: Set<Int>
  private var rows: [[String]] = []

  init(_ heads: [String] = [], right: Set<Int> = []) {
    self.heads = heads
    self.right = right
  }

  mutating func add(_ cells: String...) { rows.append(cells) }
  mutating func add(_ cells: [String]) { rows.append(cells) }

  /// The lines, without blanks at their ends.
  var lines: [String] {
    let all = heads.isEmpty ? rows : [heads] + rows
    let columns = all.map(\.count).max() ?? 0
    let widths = (0..<columns).map { column in all.map { $0.count > column ? $0[column].count : 0 }.max() ?? 0 }
    return all.map { row in
      var line = ""
      for (column, cell) in row.enumerated() {
        let blank = String(repeating: " ", count: widths[column] - cell.count)
        line += (column == 0 ? "" : "  ") + (right.contains(column) ? blank + cell : cell + blank)
      }
      while line.last == " " { line.removeLast() }
      return line
    }
  }

  /// 1,234,567.
  static func number(_ value: Int) -> String {
    let digits = Array(String(value.magnitude))
    var text = value < 0 ? "-" : ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { text += "," }
      text.append(digit)
    }
    return text
  }

  /// Four digits that count.
  static func short(_ value: Double) -> String { value.isFinite ? String(format: "%.4g", value) : "\(value)" }

  /// Text of unknown origin on one line: control characters as blanks, cut after `limit` characters.
  static func clip(_ text: String, _ limit: Int) -> String {
    var result = ""
    var count = 0
    for character in text {
      if count == limit { return result + "…" }
      let isControl = character.unicodeScalars.contains { $0.properties.generalCategory == .control || $0.value == 0xFFFE }
      result.append(isControl ? " " : character)
      count += 1
    }
    return result
  }

  /// Text of unknown origin, cut.
  static func clip(_ bytes: [UInt8], _ limit: Int) -> String { clip(String(decoding: bytes.prefix(4 * limit + 4), as: UTF8.self), limit) }
}
