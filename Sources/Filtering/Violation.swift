/// Why a rule drops a document.
package struct Violation: Sendable, Equatable {
  /// Such as `gopher.too_few_words`, which is also the name of the threshold in `--set`.
  package var reason: String
  /// What the document measured; nil for a rule without a threshold.
  package var measured: Double?
  /// The threshold; nil for a rule without one.
  package var limit: Double?

  /// What the document measured, where JSON can hold it: a text of newlines alone has infinitely many per word.
  package var finiteMeasure: Double? { measured.flatMap { $0.isFinite ? $0 : nil } }
}

extension Violation {
  init(_ rule: FilterRule) { self.init(reason: rule.rawValue) }
}
