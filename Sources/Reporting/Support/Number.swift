import Foundation
import Primitives

/// Numbers as the page shows them: a dash for what is missing or not finite, true minus signs, and no line breaks before units.
package enum Number {
  /// In place of an unknown number.
  package static let unknown = "–"
  /// A no-break space, between a number and its unit.
  package static let gap = "\u{A0}"

  /// A number with thousands separators.
  /// - Parameter decimals: digits after the point, 0…9.
  package static func fixed(_ value: Double?, _ decimals: Int = 0) -> String {
    guard let value, value.isFinite else { return unknown }
    let powers: [Double] = [1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9]
    let places = min(max(decimals, 0), 9)
    let scaled = (abs(value) * powers[places]).rounded()
    guard scaled < 9e15 else { return scientific(value) }
    let whole = Int(scaled)
    let unit = Int(powers[places])
    var text = Format.count(whole / unit)
    if places > 0 {
      let fraction = String(whole % unit)
      text += "." + String(repeating: "0", count: places - fraction.count) + fraction
    }
    return value < 0 && whole != 0 ? "−" + text : text
  }

  /// A whole number with thousands separators.
  package static func integer(_ value: Int?) -> String {
    guard let value else { return unknown }
    let text = Format.count(value)
    return value < 0 ? "−" + text.dropFirst() : text
  }

  /// Three to four significant digits: 3.218, 56.6, 171.6, 2,164.
  package static func perplexity(_ value: Double?) -> String { fixed(value, abs(value ?? 0) < 10 ? 2 : abs(value ?? 0) < 1000 ? 1 : 0) }

  /// A large number with a decimal prefix: 950, 12.4 k, 18.0 M.
  package static func compact(_ value: Double?) -> String { value.finite.map { typeset(Format.short($0)) } ?? unknown }
  package static func compact(_ value: Int) -> String { compact(Double(value)) }

  /// A large number on an axis, without trailing zeros: 500 k, 1 M, 2.5 M.
  package static func tick(_ value: Double?) -> String { withoutZeros(compact(value)) }

  /// A percentage on an axis: 5 %, 12.5 %.
  package static func tickPercent(_ value: Double?) -> String { withoutZeros(percent(value)) }

  /// Expected epochs: 4.1, 0.43, < 0.01.
  package static func epochs(_ value: Double?) -> String {
    guard let value, value.isFinite else { return unknown }
    return value == 0 ? "0" : value > 0 && value < 0.01 ? "<\(gap)0.01" : value < 1 ? fixed(value, 2) : factor(value)
  }

  /// Bytes: 950 B, 12.4 kB, 245 MB.
  package static func bytes(_ value: Int) -> String { typeset(Format.bytes(value)) }

  /// A duration: 4.2 s, 12 s, 3 min 05 s, 2 h 10 min.
  package static func seconds(_ value: Double?) -> String {
    guard let value, value >= 0, value < 1e12 else { return unknown }
    if value > 0 && value < 0.05 { return "<\(gap)0.1\(gap)s" }
    return typeset(Format.duration(value))
  }

  /// A share, 0…1, as a percentage: 0.03 %, 4.6 %, 92 %.
  package static func percent(_ value: Double?) -> String {
    guard let value, value.isFinite else { return unknown }
    let points = value * 100
    let size = abs(points)
    let decimals = size == 0 || size >= 99.95 && size < 100.05 ? 0 : size < 0.1 ? 3 : size < 1 ? 2 : size < 99.95 && size >= 10 ? 0 : 1
    if size > 99 && size < 100 { return fixed(points, 1) + "\(gap)%" }
    return fixed(points, decimals) + "\(gap)%"
  }

  /// A factor: 3.0, 12, 0.42.
  package static func factor(_ value: Double?) -> String {
    guard let value, value.isFinite else { return unknown }
    return abs(value) < 0.1 ? trimmed(value, 3) : fixed(value, abs(value) < 1 ? 2 : abs(value) < 20 ? 1 : 0)
  }

  /// A number in powers of ten: 1.2 × 10¹³.
  package static func scientific(_ value: Double?) -> String {
    guard let value, value.isFinite else { return unknown }
    guard value != 0 else { return "0" }
    var exponent = Int(log10(abs(value)).rounded(.down))
    var mantissa = value / pow(10, Double(exponent))
    if abs(mantissa) >= 9.95 {
      mantissa /= 10
      exponent += 1
    }
    return "\(fixed(mantissa, 1))\(gap)×\(gap)10\(superscript(exponent))"
  }

  /// A number of any size, four significant digits.
  package static func general(_ value: Double?) -> String {
    guard let value, value.isFinite else { return unknown }
    let size = abs(value)
    if size == 0 { return "0" }
    if size >= 1e6 || size < 1e-3 { return scientific(value) }
    return trimmed(value, size >= 1000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : size >= 1 ? 3 : 4)
  }

  /// A number without trailing zeros: 0.1, 3, 0.003.
  package static func trimmed(_ value: Double?, _ decimals: Int = 6) -> String { withoutZeros(fixed(value, decimals)) }

  /// A count with its noun: `1 domain`, `16 domains`.
  package static func count(_ value: Int, _ noun: String) -> String { "\(integer(value)) \(noun)\(value == 1 ? "" : "s")" }

  /// `1.0 M` as `1 M`, `0.20 %` as `0.2 %`, `3.0` as `3`.
  private static func withoutZeros(_ text: String) -> String {
    var number = text.prefix { $0 != Character(gap) }
    let unit = text.dropFirst(number.count)
    guard number.contains(".") else { return text }
    while number.hasSuffix("0") { number.removeLast() }
    return String(number.hasSuffix(".") ? number.dropLast() : number) + unit
  }

  /// With a true minus sign, and without line breaks before units.
  private static func typeset(_ text: String) -> String { String(text.map { $0 == " " ? Character(gap) : $0 == "-" ? "−" : $0 }) }

  private static func superscript(_ value: Int) -> String {
    let digits: [Character: Character] = [
      "0": "⁰", "1": "¹", "2": "²", "3": "³", "4": "⁴", "5": "⁵", "6": "⁶", "7": "⁷", "8": "⁸", "9": "⁹", "-": "⁻",
    ]
    return String(String(value).map { digits[$0] ?? $0 })
  }
}
