/// Words for how one number stands to another, so that a sentence says what the data say, whichever way they fall.
package enum Compare {
  /// `3.0 times lower than`, `12 % higher than`, `no different from` (within half a percent).
  /// - Parameters:
  ///   - value: a positive number.
  ///   - reference: what it is compared with, positive.
  package static func phrase(_ value: Double, than reference: Double) -> String {
    guard value > 0, reference > 0, value.isFinite, reference.isFinite else { return "beside" }
    let ratio = value / reference
    if abs(ratio - 1) < 0.005 { return "no different from" }
    if ratio <= 1 / 1.5 { return "\(Number.factor(1 / ratio)) times lower than" }
    if ratio >= 1.5 { return "\(Number.factor(ratio)) times higher than" }
    return ratio < 1 ? "\(Number.percent(1 - ratio)) lower than" : "\(Number.percent(ratio - 1)) higher than"
  }

  /// Whether the value is lower by more than half a percent.
  package static func isLower(_ value: Double, than reference: Double) -> Bool { value < reference * 0.995 }

  /// A list in words: `a`, `a and b`, `a, b and c`.
  package static func list(_ words: [String]) -> String {
    guard let last = words.last else { return "" }
    return words.count == 1 ? last : words.dropLast().joined(separator: ", ") + " and " + last
  }
}

extension Optional where Wrapped == Double {
  /// The number where there is one and it is finite.
  var finite: Double? { flatMap { $0.isFinite ? $0 : nil } }
  /// The number where there is one, finite and positive, as every perplexity and count of tokens is.
  var positive: Double? { flatMap { $0.isFinite && $0 > 0 ? $0 : nil } }
}
