/// Words for how one number compares with another, so that a sentence is true whichever way the results fall.
package enum Compare {
  /// How a value differs from a reference: `67 % lower`, `12 % higher`, `3.5 times as high`, or `within 0.5 %`.
  /// - Parameters:
  ///   - value: a positive number.
  ///   - reference: a positive number.
  package static func difference(_ value: Double, from reference: Double) -> String { words(value, reference).difference }

  /// The difference as part of a sentence: `67 % lower than`, `3.5 times as high as`, `within 0.5 % of`.
  package static func phrase(_ value: Double, than reference: Double) -> String {
    let (difference, preposition) = words(value, reference)
    return "\(difference) \(preposition)"
  }

  private static func words(_ value: Double, _ reference: Double) -> (difference: String, preposition: String) {
    guard let value = value.positive, let reference = reference.positive else { return ("not comparable", "with") }
    let ratio = value / reference
    if isSame(value, reference) { return ("within 0.5\(Number.gap)%", "of") }
    if ratio >= 3 { return ("\(Number.factor(ratio)) times as high", "as") }
    return ratio < 1 ? ("\(Number.percent(1 - ratio)) lower", "than") : ("\(Number.percent(ratio - 1)) higher", "than")
  }

  /// Whether two numbers differ by less than half a percent.
  package static func isSame(_ value: Double, _ reference: Double) -> Bool { abs(value / reference - 1) < 0.005 }

  /// Whether a value is lower by more than half a percent.
  package static func isLower(_ value: Double, than reference: Double) -> Bool { value < reference * 0.995 }

  /// A list in words: `a`, `a and b`, `a, b and c`.
  package static func list(_ words: [String]) -> String {
    guard let last = words.last else { return "" }
    return words.count == 1 ? last : words.dropLast().joined(separator: ", ") + " and " + last
  }
}

extension Double {
  /// The number if it is finite.
  var finite: Double? { isFinite ? self : nil }
  /// The number if it is finite and above 0, as perplexities are.
  var positive: Double? { isFinite && self > 0 ? self : nil }
}

extension Double? {
  var finite: Double? { flatMap(\.finite) }
  var positive: Double? { flatMap(\.positive) }
}
