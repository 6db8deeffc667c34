/// What a stage handles one at a time, such as a document.
package protocol Record: Sendable {
  /// `path:line` of the input line that it comes from.
  var origin: String { get }
  /// What an account counts as its bytes.
  var byteCount: Int { get }
  /// The record as `--rejects FILE` shows it.
  func rejectedForm() throws -> [UInt8]
}

/// What a stage decides about a record.
package enum Decision<Output> {
  /// The record stays, possibly changed.
  case keep(Output)
  /// The record stays without a part that a rule takes out; a reject says which.
  case shorten(Output, detail: () -> String)
  /// A rule takes the record out. The account counts by `reason`; `detail` is what a reject says instead, built only where rejects are kept.
  /// For a rule with a threshold, a reject also says what the record measured, and the limit.
  case drop(_ reason: String, detail: (() -> String)? = nil, measured: Double? = nil, limit: Double? = nil)
  /// The record cannot be read.
  case quarantine(_ reason: String)
}
