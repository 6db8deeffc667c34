import Foundation

/// Standard error as people see it.
enum Terminal {
  /// Whether standard error is a terminal.
  static let isInteractive = isatty(STDERR_FILENO) == 1
  /// Whether standard output is a terminal.
  static let outputIsInteractive = isatty(STDOUT_FILENO) == 1

  /// Whether standard input is a terminal.
  static let inputIsInteractive = isatty(STDIN_FILENO) == 1

  /// The width of the terminal in columns.
  static var columns: Int {
    var size = winsize()
    guard isInteractive, ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 100 }
    return Int(size.ws_col)
  }

  /// Writes to standard error; a closed one is nobody's loss.
  static func write(_ text: String) {
    try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
  }
}

/// Numbers as people read them.
enum Format {
  /// `1,234,567`.
  static func count(_ value: Int) -> String {
    let digits = Array(String(value.magnitude))
    var text = value < 0 ? "-" : ""
    for (index, digit) in digits.enumerated() {
      if index > 0 && (digits.count - index) % 3 == 0 { text.append(",") }
      text.append(digit)
    }
    return text
  }

  /// Three significant figures with a decimal prefix: `1.23 M`, `45.6 G`.
  static func short(_ value: Double, unit: String = "") -> String {
    let units = ["", "k", "M", "G", "T", "P", "E"]
    var scaled = value
    var index = 0
    while abs(scaled) >= 999.5 && index + 1 < units.count {
      scaled /= 1000
      index += 1
    }
    let digits = index == 0 && scaled == scaled.rounded() ? 0 : (abs(scaled) >= 99.95 ? 0 : abs(scaled) >= 9.995 ? 1 : 2)
    let suffix = units[index] + unit
    return String(format: "%.\(digits)f", scaled) + (suffix.isEmpty ? "" : " \(suffix)")
  }

  /// `1.23 MB`.
  static func bytes(_ value: Int) -> String { short(Double(value), unit: "B") }

  /// `42 s`, `3 min 05 s`, `2 h 10 min`.
  static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds >= 0 else { return "?" }
    if seconds < 9.95 { return String(format: "%.1f s", seconds) }
    let whole = Int(seconds.rounded())
    if whole < 100 { return "\(whole) s" }
    if whole < 6000 { return "\(whole / 60) min \(String(format: "%02d", whole % 60)) s" }
    return "\(whole / 3600) h \(String(format: "%02d", whole % 3600 / 60)) min"
  }

  /// A table: the first column left-aligned, the others right-aligned where their cells are numbers.
  static func table(_ header: [String], _ rows: [[String]], indent: String = "  ") -> String {
    let all = [header] + rows
    let widths = header.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
    let numeric = header.indices.map { column in
      column > 0 && rows.allSatisfy { ($0[column].first.map { $0.isNumber || "-−+≈∞".contains($0) }) ?? true }
    }
    return all.map { row in
      let cells = row.indices.map { column in
        let padding = String(repeating: " ", count: widths[column] - row[column].count)
        return numeric[column] ? padding + row[column] : row[column] + padding
      }
      var line = indent + cells.joined(separator: "  ")
      while line.last == " " { line.removeLast() }
      return line
    }.joined(separator: "\n")
  }
}
