import Foundation

/// Numbers and text as they appear in logs, tables and reports.
package enum Format {
  /// A whole number with thousands separators: `1,234,567`.
  package static func count(_ value: Int) -> String {
    let digits = Array(String(value.magnitude))
    var text = value < 0 ? "-" : ""
    for (index, digit) in digits.enumerated() {
      if index > 0 && (digits.count - index) % 3 == 0 { text.append(",") }
      text.append(digit)
    }
    return text
  }

  /// Three significant digits, or two, with a decimal prefix: `1.23 M`, `45.6 GB`, `2.5 MB/s`.
  /// - Parameters:
  ///   - unit: a symbol that takes the prefix, such as `B/s`.
  ///   - isRough: whether two digits are enough.
  package static func short(_ value: Double, unit: String = "", isRough: Bool = false) -> String {
    let prefixes = ["", "k", "M", "G", "T", "P", "E"]
    var scaled = value
    var index = 0
    while abs(scaled) >= 999.5 && index + 1 < prefixes.count {
      scaled /= 1000
      index += 1
    }
    let size = abs(scaled) * (isRough ? 10 : 1)
    let digits = index == 0 && scaled == scaled.rounded() ? 0 : size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2
    let suffix = prefixes[index] + unit
    return String(format: "%.\(digits)f", scaled) + (suffix.isEmpty ? "" : " \(suffix)")
  }

  /// Four significant digits: `0.1235`, `1.5e+09`.
  package static func significant(_ value: Double) -> String { value.isFinite ? String(format: "%.4g", value) : "\(value)" }

  /// A number with `digits` decimals; a dash for none.
  package static func fixed(_ value: Double?, _ digits: Int) -> String { value.map { String(format: "%.\(digits)f", $0) } ?? "–" }

  /// A fraction in percent, `12.3 %`; a dash for none.
  package static func percent(_ fraction: Double?, _ digits: Int) -> String { fraction.map { fixed($0 * 100, digits) + " %" } ?? "–" }

  /// `1.23 MB`.
  package static func bytes(_ value: Int) -> String { short(Double(value), unit: "B") }

  /// `42 s`, `3 min 05 s`, `2 h 10 min`.
  package static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds >= 0 else { return "?" }
    if seconds < 9.95 { return String(format: "%.1f s", seconds) }
    let whole = Int(seconds.rounded())
    if whole < 100 { return "\(whole) s" }
    if whole < 6000 { return "\(whole / 60) min \(String(format: "%02d", whole % 60)) s" }
    return "\(whole / 3600) h \(String(format: "%02d", whole % 3600 / 60)) min"
  }

  /// Untrusted text without control characters, which a terminal would obey: escaped as in Swift, `\n` or `\u{1B}`.
  package static func escaped(_ text: String, keepingLines: Bool = false) -> String {
    // A byte below 32, DEL, or the first byte of what is beyond ASCII.
    guard text.utf8.contains(where: { $0 < 0x20 || $0 >= 0x7F }) else { return text }
    var result = ""
    for scalar in text.unicodeScalars {
      let isControl = scalar.properties.generalCategory == .control || 0x202A...0x202E ~= scalar.value || 0x2066...0x2069 ~= scalar.value
      if isControl, !(keepingLines && scalar == "\n") {
        result += scalar == "\n" ? "\\n" : scalar == "\t" ? "\\t" : "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
      } else {
        result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// Untrusted text on one line: control characters become spaces, and an ellipsis follows the first `limit` characters.
  package static func clip(_ text: String, _ limit: Int) -> String {
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

  /// Untrusted UTF-8 on one line, shortened to `limit` characters.
  package static func clip(_ bytes: [UInt8], _ limit: Int) -> String {
    clip(String(decoding: bytes.prefix(4 * limit + 4), as: UTF8.self), limit)
  }

  /// `… and 7 more tensors` as the last line of a shortened list; no line for a complete list.
  package static func more(_ count: Int, _ what: String) -> [String] { count > 0 ? ["… and \(Self.count(count)) more \(what)"] : [] }
}
